#!/usr/bin/env python3
"""One verdict for machine and program: code_test.py GPUWHY

Programs are judged with examples/healthy.json, a machine on which TensorFlow 2.18.1 uses its one GPU.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

GPUWHY = str(pathlib.Path(sys.argv[1]).resolve())
HEALTHY = pathlib.Path(__file__).resolve().parent.parent.parent / "examples" / "healthy.json"
MODEL = """
model = tf.keras.Sequential([tf.keras.layers.Dense(64, activation='relu'), tf.keras.layers.Dense(10)])
model.compile(optimizer='adam', loss='mse')
model.fit(x, y, epochs=5, batch_size=1024)
"""
TF = "import tensorflow as tf\n"


class CodeTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def write(self, files):
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def check(self, program="train.py", *words, machine=HEALTHY):
        done = subprocess.run([GPUWHY, program, "--from", machine, *words], cwd=self.folder, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        self.assertEqual(done.stderr, "")
        return done

    def judge(self, text=None, program="train.py", machine=HEALTHY):
        """Verdict, ids of its causes, places of the first cause."""
        if text is not None:
            (self.folder / program).write_text(text)
        done = self.check(program, "--json", machine=machine)
        self.report = json.loads(done.stdout)
        first = self.report["verdicts"][0]
        self.assertEqual(done.returncode, {"gpu": 1 if first["causes"] else 0, "no_gpu": 1, "unknown": 3}[first["verdict"]])
        places = [f"{each['source']}:{each['line']}" for each in (first["causes"] or [{"evidence": []}])[0]["evidence"]]
        return first["verdict"], [cause["id"] for cause in first["causes"]], places

    def gate(self):
        return self.report["verdicts"][0]["route"][-1]

    def assert_hides(self, text, cause, line):
        verdict, causes, places = self.judge(text)
        self.assertEqual((verdict, causes), ("no_gpu", [cause]))
        self.assertIn(f"train.py:{line}", places)
        first = self.report["verdicts"][0]
        self.assertTrue(first["causes"][0]["fix"]["verified"])
        self.assertTrue(first["plan_reaches_gpu"])

    def assert_gpu(self, text):
        self.assertEqual(self.judge(text)[:2], ("gpu", []))
        self.assertEqual(self.gate(), {"gate": "code", "state": "passed", "reason": ""})

    def test_pinned_to_cpu(self):
        self.assert_hides(TF + "with tf.device('/CPU:0'):\n  model = tf.keras.Sequential([])\n  model.fit(x, y)\n", "P01", 2)
        self.assertEqual(self.report["findings"][0]["bearing"], "hides")
        self.assertEqual(self.report["findings"][0]["edit"]["replacement"], "None")

    def test_gpus_hidden_in_code(self):
        self.assert_hides(TF + "tf.config.set_visible_devices([], 'GPU')\n" + MODEL, "P02", 2)
        self.assert_hides(TF + "tf.config.experimental.set_visible_devices(devices=[], device_type='GPU')\n" + MODEL, "P02", 2)

    def test_variable_set_in_code(self):
        self.assert_hides("import os\nos.environ['CUDA_VISIBLE_DEVICES'] = '-1'\n" + TF + MODEL, "P03", 2)
        self.assert_hides("import os\nos.environ.update(CUDA_VISIBLE_DEVICES='')\n" + TF + MODEL, "P03", 2)
        # The machine decides about a number.
        self.assert_hides("import os\nos.environ['CUDA_VISIBLE_DEVICES'] = '3'\n" + TF + MODEL, "E02", 2)
        self.assert_gpu("import os\nos.environ['CUDA_VISIBLE_DEVICES'] = '0'\n" + TF + MODEL)
        self.assert_gpu("import os\nos.environ['CUDA_VISIBLE_DEVICES'] = '-1'\ndel os.environ['CUDA_VISIBLE_DEVICES']\n" + TF + MODEL)
        self.assert_hides("import os\nos.environ.setdefault('CUDA_VISIBLE_DEVICES', '-1')\n" + TF + MODEL, "E01", 2)

    def test_variable_set_too_late(self):
        self.judge("import os\n" + TF + "tf.zeros(3)\nos.environ['CUDA_VISIBLE_DEVICES'] = '-1'\n" + MODEL)
        self.assertEqual(self.gate()["state"], "passed")
        self.assertIn("train.py:4: setting CUDA_VISIBLE_DEVICES here has no effect", self.report["program"]["notes"][0])
        self.judge("import os\nos.environ['LD_LIBRARY_PATH'] = '/opt/cuda'\n" + TF + MODEL)
        self.assertIn("the dynamic loader read it", self.report["program"]["notes"][0])

    def test_session_without_gpu(self):
        self.assert_hides("import tensorflow.compat.v1 as tf\nconfig = tf.ConfigProto(device_count={'GPU': 0})\n"
                          "with tf.Session(config=config) as s:\n  s.run(train_op)\n", "P04", 2)

    def test_slow_is_not_hidden(self):
        self.assertEqual(self.judge(TF + MODEL.replace("loss='mse'", "loss='mse', run_eagerly=True"))[:2], ("gpu", []))
        self.assertIn(("P07", "note"), [(each["id"], each["bearing"]) for each in self.report["findings"]])

    def test_second_gpu_of_one(self):
        self.judge(TF + "with tf.device('/gpu:1'):\n  model = tf.keras.Sequential([])\n" + MODEL)
        self.assertEqual([(each["id"], each["severity"], each["bearing"]) for each in self.report["findings"]
                          if each["id"] == "P06"], [("P06", "error", "note")])
        verdict, causes, _ = self.judge(TF + "gpus = tf.config.list_physical_devices('GPU')\n"
                                        "tf.config.set_visible_devices(gpus[1], 'GPU')\n" + MODEL)
        self.assertEqual((verdict, causes), ("gpu", ["P06"]))

    def test_what_every_answer_shows(self):
        self.assert_gpu(TF + "with tf.device('/gpu:0'):\n"
                        "  model = tf.keras.Sequential([tf.keras.layers.Dense(64, input_shape=(784,)), tf.keras.layers.Dense(10)])\n"
                        "  model.compile('adam', 'mse')\n  model.fit(x, y, epochs=5)\n")
        self.assert_gpu(TF + "gpus = tf.config.list_physical_devices('GPU')\nif gpus:\n  try:\n"
                        "    tf.config.set_visible_devices(gpus[0], 'GPU')\n"
                        "    logical_gpus = tf.config.list_logical_devices('GPU')\n"
                        "    print(len(gpus), 'Physical GPUs,', len(logical_gpus), 'Logical GPU')\n"
                        "  except RuntimeError as e:\n    print(e)\n" + MODEL)
        self.assert_gpu(TF + "gpus = tf.config.experimental.list_physical_devices('GPU')\nif gpus:\n  try:\n"
                        "    for gpu in gpus:\n      tf.config.experimental.set_memory_growth(gpu, True)\n"
                        "    logical_gpus = tf.config.experimental.list_logical_devices('GPU')\n"
                        "  except RuntimeError as e:\n    print(e)\n" + MODEL)

    def test_the_program_chooses_the_framework(self):
        verdict, causes, _ = self.judge("import torch\nmodel = torch.nn.Linear(3, 3).cuda()\nmodel(x.cuda())\n")
        self.assertEqual((verdict, causes), ("no_gpu", ["F01"]))
        self.assertEqual(self.report["verdicts"][0]["framework"], "torch")
        self.judge("import numpy as np\nprint(np.zeros(3))\n")
        self.assertIn("imports none of", self.report["program"]["notes"][0])

    def test_imported_files_run_first(self):
        self.write({"settings.py": "import os\nos.environ['CUDA_VISIBLE_DEVICES'] = '-1'\n",
                    "net/__init__.py": "", "net/model.py": "import tensorflow as tf\nfrom . import parts\n\ndef build():\n"
                    "  with tf.device('/cpu:0'):\n    return tf.keras.Sequential([parts.dense()])\n\n"
                   "def never():\n  tf.config.set_visible_devices([], 'GPU')\n",
                    "net/parts.py": "import tensorflow as tf\nfrom . import model\n\ndef dense():\n  return tf.keras.layers.Dense(3)\n"})
        verdict, causes, places = self.judge("import settings\nfrom net.model import build\nmodel = build()\nmodel.fit(x, y)\n")
        self.assertEqual((verdict, sorted(causes)), ("no_gpu", ["P01", "P03"]))
        self.assertTrue(self.report["verdicts"][0]["plan_reaches_gpu"])
        self.assertEqual(sorted(self.report["program"]["files"]),
                         ["net/__init__.py", "net/model.py", "net/parts.py", "settings.py", "train.py"])
        self.assertEqual(self.judge(program=".")[1], causes)

    def test_functions_of_other_files(self):
        self.write({"gpu.py": "import os\n\ndef hide():\n  os.environ['CUDA_VISIBLE_DEVICES'] = '-1'\n"})
        verdict, causes, places = self.judge("from gpu import hide\nhide()\n" + TF + MODEL)
        self.assertEqual((verdict, causes, places), ("no_gpu", ["P03"], ["gpu.py:4"]))
        self.assert_gpu("import gpu\n" + TF + MODEL)

    def test_notebook(self):
        cells = ["%env CUDA_VISIBLE_DEVICES=-1", TF + MODEL]
        text = json.dumps({"nbformat": 4, "metadata": {}, "cells": [{"cell_type": "code", "source": cell} for cell in cells]})
        verdict, causes, places = self.judge(text, program="a.ipynb")
        self.assertEqual((verdict, causes, places), ("no_gpu", ["P03"], ["a.ipynb:cell 1:1"]))

    def test_text(self):
        self.write({"train.py": "import tensorflow as tf\nwith tf.device('/CPU:0'):\n  model = tf.keras.Sequential([])\n"})
        text = self.check("train.py").stdout
        self.assertIn("will run train.py on the CPU", text.splitlines()[0])
        self.assertIn("with tf.device('/CPU:0'): (train.py:2)", text)
        self.assertIn("gpuwhy lint --fix --select P01 train.py", text)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
