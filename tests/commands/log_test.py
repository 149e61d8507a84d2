#!/usr/bin/env python3
"""Logs beside the machine, and logs that grow: log_test.py GPUWHY"""

import json
import os
import pathlib
import selectors
import signal
import subprocess
import sys
import tempfile
import time
import unittest

GPUWHY = str(pathlib.Path(sys.argv[1]).resolve())
HEALTHY = pathlib.Path(__file__).resolve().parent.parent.parent / "examples" / "healthy.json"
NO_CUDNN = ("W tensorflow/stream_executor/platform/default/dso_loader.cc:64] Could not load dynamic library 'libcudnn.so.8'; "
            "dlerror: libcudnn.so.8: cannot open shared object file: No such file or directory\n"
            "W tensorflow/core/common_runtime/gpu/gpu_device.cc:1850] Cannot dlopen some GPU libraries. Skipping registering GPU "
            "devices...\n")


class LogTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.log = pathlib.Path(folder.name) / "train.log"

    def check(self, text, *words):
        self.log.write_text(text)
        return subprocess.run([GPUWHY, "check", "--from", HEALTHY, "--log", self.log, *words], text=True, capture_output=True,
                              stdin=subprocess.DEVNULL, timeout=60)

    def test_of_another_environment(self):
        text = "TensorFlow version: 2.10.0\n" + NO_CUDNN
        done = self.check(text)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("is of another environment: it says TensorFlow 2.10.0, this environment has 2.18.1",
                      " ".join(done.stdout.split()))
        log = json.loads(self.check(text, "--json").stdout)["log"]
        self.assertEqual((log["says"], len(log["contradictions"])), ("no_gpu", 1))
        self.assertEqual([(cause["id"], cause["here"]) for cause in log["causes"]], [("L03", "ruled_out")])

    def test_of_this_one(self):
        done = self.check("TensorFlow version: 2.18.1\nRESOURCE_EXHAUSTED: OOM when allocating tensor with shape[4096,4096] and type "
                          "float on /job:localhost/replica:0/task:0/device:GPU:0 by allocator GPU_0_bfc\n", "--json")
        log = json.loads(done.stdout)["log"]
        self.assertEqual(log["contradictions"], [])
        self.assertEqual([(cause["id"], cause["here"]) for cause in log["causes"]], [("R08", "open")])
        self.assertEqual(done.returncode, 1)

    def test_that_is_not_there(self):
        done = subprocess.run([GPUWHY, "check", "--from", HEALTHY, "--log", "/nowhere/a.log"], text=True, capture_output=True)
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("/nowhere/a.log", done.stderr)

    def start(self):
        return subprocess.Popen([GPUWHY, "explain", "-f", self.log], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                stdin=subprocess.DEVNULL)

    def read_until(self, process, word, seconds=30):
        """What was printed until `word` came."""
        text = ""
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            end = time.monotonic() + seconds
            while word not in text:
                self.assertTrue(selector.select(end - time.monotonic()), f"{word!r} did not come; so far: {text}")
                piece = os.read(process.stdout.fileno(), 65536).decode()
                self.assertTrue(piece, f"ended before {word!r}: {text}")
                text += piece
        return text

    def test_follows_a_growing_file_until_interrupted(self):
        self.log.write_text("TensorFlow version: 2.10.0\n")
        process = self.start()
        self.addCleanup(process.kill)
        with self.log.open("a") as log:
            log.write(NO_CUDNN)
        self.read_until(process, "L03")
        with self.log.open("a") as log:
            log.write("epoch 1\n" * 100)
            log.write("RuntimeError: CUDA error: no kernel image is available for execution on the device\n")
        self.read_until(process, "H1")
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 1, errors)
        self.assertIn("L03", out.decode())

    def test_interrupted_before_anything_was_said(self):
        self.log.write_text("epoch 1\n")
        process = self.start()
        self.addCleanup(process.kill)
        self.read_until(process, "\n")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
        self.assertEqual(process.returncode, 3)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
