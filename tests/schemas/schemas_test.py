"""What every command writes as JSON, against the schema that is published for it; SARIF against SARIF's own.

    python3 schemas_test.py GPUWHY STUB_LIB DOWNLOADS

Fetches jsonschema (tests/python/requirements/schemas.txt). The published schemas are open, since fields may be added
to a report; here they are closed, so that a field which no schema describes is a failure. SARIF's schema comes from a
package of npm's; where that cannot be had, only its test is skipped.
"""

import copy
import gzip
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
TESTS = HERE.parent
SOURCE = TESTS.parent
sys.path.insert(0, str(TESTS / "python"))
import support  # noqa: E402

if pathlib.Path(sys.prefix).resolve() != (support.CACHE / "schemas").resolve():  # again, with the packages that are pinned
    PYTHON = support.environment("schemas")
    os.execv(PYTHON, [PYTHON, *sys.argv])
import jsonschema  # noqa: E402

GPUWHY, STUB, DOWNLOADS = (os.path.abspath(path) for path in sys.argv[1:4])
SARIF = ("@microsoft/jest-sarif", "1.0.0-beta.0", "748e2c3d1a842e7bb258416685c7ea3a0da40005b72267b2052c2856d48ad102")
MACHINES = [SOURCE / "examples/healthy.json", SOURCE / "examples/broken.json",
            *sorted((TESTS / "recorded").glob("*.gz"))]
KINDS = ("check", "explain", "lint", "run", "pid", "watch", "prove", "pick", "compat", "fix")


def closed(schema):
    """Objects have no other fields than those that are described."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    result = {name: closed(each) for name, each in schema.items()}
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
        result.setdefault("additionalProperties", False)
    return result


def printed_schema(kind):
    return json.loads(subprocess.run([GPUWHY, "schema", kind], capture_output=True, check=True).stdout)


class Documents(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.validators = {}
        for kind in KINDS:
            schema = closed(printed_schema(kind))
            jsonschema.Draft202012Validator.check_schema(schema)
            cls.validators[kind] = jsonschema.Draft202012Validator(schema)

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.count = 0

    def gpuwhy(self, *words, stdin=b"", **variables):
        environment = {"LD_LIBRARY_PATH": STUB, "PATH": os.environ["PATH"], "HOME": str(self.folder), "LANG": "C.UTF-8",
                       "XDG_RUNTIME_DIR": str(self.folder), "TMPDIR": str(self.folder), **variables}
        return subprocess.run([GPUWHY, *map(str, words)], input=stdin, capture_output=True, env=environment, cwd=self.folder, timeout=120)

    def valid(self, kind, *words, **more):
        """Each line or the whole of standard output follows the schema of its own "command". Gives the last document."""
        done = self.gpuwhy(*words, **more)
        self.assertNotEqual(done.stdout, b"", f"{words}: {done.stderr.decode()}")
        one = done.stdout.startswith(b"{\n")
        for text in [done.stdout] if one else done.stdout.splitlines():
            document = json.loads(text)
            self.assertEqual((document["schema"], document["command"]), ("gpuwhy.report/1", kind))
            errors = [f"{error.json_path}: {error.message[:200]}" for error in self.validators[kind].iter_errors(document)]
            self.assertEqual(errors, [], words)
            self.count += 1
        return document

    def machines(self):
        for path in MACHINES:
            yield gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()

    def tearDown(self):
        print(f"{self.id().rsplit('.', 1)[-1]}: {self.count} documents", file=sys.stderr)

    def test_check(self):
        (self.folder / "train.py").write_bytes((SOURCE / "examples/train.py").read_bytes())
        log = TESTS / "fixtures/logs/tf2.15_cudnn_removed.log"
        for machine in self.machines():
            for words in ([], ["--all"], ["--what-if", "unset CUDA_VISIBLE_DEVICES"], ["train.py"], ["--log", log]):
                self.valid("check", "check", "--json", "--from", "-", *words, stdin=machine)
        (self.folder / "log").write_text("dlerror: libcudnn.so.8: cannot open shared object file: No such file or directory\n"
                                         "Cannot dlopen some GPU libraries. Skipping registering GPU devices...\n")
        self.assertTrue(self.valid("check", "check", "--json", "--from", MACHINES[0], "--log", "log")["log"]["causes"])
        self.valid("check", "--json")  # this machine
        self.valid("check", "check", "--json", "--pid", os.getpid())

    def test_explain(self):
        logs = sorted((TESTS / "fixtures/logs").glob("*.log"))
        self.assertGreater(len(logs), 10)
        for log in logs:
            self.valid("explain", "explain", "--json", log)
        self.valid("explain", "explain", "--json", "-", stdin=b"Created device /job:localhost/replica:0/task:0/device:GPU:0 with 14000 MB memory\n")
        self.valid("explain", "explain", "--json", "-", stdin=b"[rank0]: CUDA out of memory. Tried to allocate 2 GiB\n"
                   b"[rank1]: CUDA error: no kernel image is available for execution on the device\n\xff")

    def code(self):
        """A folder with findings that have edits, a notebook, and files that cannot be judged."""
        source = "import os\nimport tensorflow as tf\nos.environ['CUDA_VISIBLE_DEVICES'] = '-1'\nwith tf.device('/CPU:0'):\n" \
                 "    model = tf.keras.Sequential([tf.keras.layers.LSTM(8, activation='relu', unroll=True)])\n" \
                 "model.compile(run_eagerly=True)\nmodel.fit(x, y)\n"
        (self.folder / "a b.py").write_text(source)
        (self.folder / "broken.py").write_text("def f(:\n  import tensorflow\n")
        (self.folder / "bytes.py").write_bytes(b"\xff\xfe\x00import torch\n")
        (self.folder / "requirements.txt").write_text("tensorflow-gpu==2.12.0\ntorch==2.1.0+cpu\n")
        cells = [{"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": [source]}]
        (self.folder / "n.ipynb").write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
        (self.folder / "bad.ipynb").write_text("{")
        return [self.folder, SOURCE / "examples", TESTS / "gpu", TESTS / "python"]

    def test_lint(self):
        paths = self.code()
        self.valid("lint", "lint", "--json", *paths[1:])
        report = self.valid("lint", "lint", "--json", paths[0])
        for member in ("cell", "edit"):
            self.assertTrue(any(member in finding for finding in report["findings"]), member)
        self.assertTrue(report["notes"])
        self.valid("lint", "lint", "--json", self.folder / "requirements.txt")

    def test_sarif(self):
        target = self.folder / "schema"
        done = subprocess.run([sys.executable, SOURCE / "tools/fetch_source.py", "--npm", *SARIF, "lib/schemas", DOWNLOADS, target, ".json"],
                              capture_output=True, text=True)
        if done.returncode != 0:
            self.skipTest(done.stderr.strip())
        validator = jsonschema.Draft4Validator(json.loads(next(target.glob("sarif-*.json")).read_text()))
        for path in self.code():
            log = json.loads(self.gpuwhy("lint", "--format", "sarif", path).stdout)
            self.assertEqual([f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(log)], [])
            self.count += 1
        self.assertTrue(log["runs"])
        log["runs"][0]["results"] = [{"ruleId": "P01"}]  # without its message
        self.assertFalse(validator.is_valid(log))

    def test_run(self):
        runs = sorted((TESTS / "fixtures/runs").glob("*.jsonl"))
        self.assertGreater(len(runs), 30)
        for run in runs:
            self.valid("run", "run", "--json", "--from", run)
        cut = runs[0].read_bytes()
        (self.folder / "cut.jsonl").write_bytes(cut[:len(cut) // 2])  # of a machine that went down
        self.valid("run", "run", "--json", "--from", self.folder / "cut.jsonl")
        for script in ("exit 3", "kill -SEGV $$", "sleep 1", "echo 'CUDA error: an illegal memory access was encountered' >&2; exit 1"):
            self.valid("run", "run", "--json", "--", "sh", "-c", script)
        self.valid("run", "run", "--json", "--libraries", "--", sys.executable, "-c", "import ctypes; ctypes.CDLL('libcuda.so.1')")
        self.valid("run", "run", "--json", "--", "true", LD_LIBRARY_PATH="/nonexistent")

    def holder(self):
        """A process that has opened the stub's libcuda and holds memory of GPU 0, and the variables that make NVML say so."""
        script = "import ctypes, time; ctypes.CDLL('libcuda.so.1'); print(flush=True); time.sleep(60)"
        program = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE,
                                   env={"CUDA_VISIBLE_DEVICES": "0", "LD_LIBRARY_PATH": STUB})
        self.addCleanup(program.communicate)
        self.addCleanup(program.kill)
        program.stdout.readline()
        holders = self.folder / "holders"
        holders.write_text(f"{program.pid} 600 0\n")
        return program.pid, {"STUB_NVML_BUSY": "0:95", "STUB_NVML_PROCESS_FILE": str(holders), "STUB_CUDA_DEVICES": "2"}

    def test_pid(self):
        process, variables = self.holder()
        report = self.valid("pid", "pid", "--json", "-n", "2", process, **variables)
        self.assertTrue(report["process"]["variables"])
        self.assertTrue(report["process"]["libraries"])
        self.assertTrue(report["gpus"][0]["used"])
        before = self.count
        self.valid("pid", "pid", "--on-request", process, stdin=b"\nend\n", **variables)
        self.assertGreaterEqual(self.count - before, 2)  # that it began, and a report
        self.valid("pid", "pid", "--json", "-n", "1", process, LD_LIBRARY_PATH="/nonexistent")

    def test_watch(self):
        process, variables = self.holder()
        report = self.valid("watch", "watch", "--once", "--json", **variables)
        self.assertEqual([each["pid"] for each in report["processes"]], [process])
        self.valid("watch", "watch", "--once", "--json", STUB_NVML_PROCESSES="2", STUB_NVML_LOST_AFTER="1")
        self.valid("watch", "watch", "--once", "--json", LD_LIBRARY_PATH="/nonexistent")

    def test_prove(self):
        for words, variables in (([], {"STUB_CUDA_DEVICES": "2"}), (["--quick"], {}), (["--quick"], {"STUB_CUDA_FAULT": "cuLaunchKernel:719"}),
                                 (["--deadline", "3s"], {"STUB_CUDA_FAULT": "cuMemcpyDtoH:hang"}), (["--quick"], {"STUB_CUDA_FAULT": "cuMemAlloc:crash"}), (["--quick"], {"STUB_CUDA_CRASH": "1"}),
                                 (["--quick"], {"STUB_CUDA_INIT": "803"}), ([], {"CUDA_VISIBLE_DEVICES": ""}), ([], {"LD_LIBRARY_PATH": "/nonexistent"})):
            self.valid("prove", "prove", "--json", *words, **variables)

    def test_pick(self):
        two = {"STUB_CUDA_DEVICES": "2", "STUB_NVML_USED": "9000,0"}
        for words, variables in (([], two), (["-i", "-n", "2"], two), (["-m", "20GiB"], two), (["-n", "9"], two), ([], {"STUB_NVML_INSTANCES": "2"}),
                                 ([], {"CUDA_VISIBLE_DEVICES": "0", **two}), ([], {"LD_LIBRARY_PATH": "/nonexistent"}), ([], {"STUB_NVML_CRASH": "1"})):
            self.valid("pick", "pick", "--json", "--hold", "0", *words, **variables)

    def test_compat(self):
        for machine in self.machines():
            self.valid("compat", "compat", "--json", "--from", "-", stdin=machine)
        for release in ("tensorflow==2.16.1", "tensorflow", "torch==2.4.0", "jax==0.4.30", "tensorflow==99.0"):
            self.valid("compat", "compat", "--json", release)

    def test_fix(self):
        for machine in self.machines():
            self.valid("fix", "fix", "--json", "--from", "-", stdin=machine)
        self.valid("fix", "fix", "--json")

    def test_a_field_that_nobody_described_is_found(self):
        broken = (SOURCE / "examples/broken.json").read_bytes()
        samples = {"check": ["check", "--from", "-"], "explain": ["explain", TESTS / "fixtures/logs/tf2.18_healthy.log"],
                   "lint": ["lint", SOURCE / "examples"], "run": ["run", "--from", TESTS / "fixtures/runs/R04-launch_torch_tiny.jsonl"],
                   "watch": ["watch", "--once"], "prove": ["prove", "--quick"], "pick": ["pick", "--hold", "0"],
                   "compat": ["compat", "tensorflow==2.16.1"], "fix": ["fix", "--from", "-"]}
        for kind, words in samples.items():
            good = self.valid(kind, *words, "--json", stdin=broken)
            spoiled = 0
            for place in objects(good):
                document = copy.deepcopy(good)
                target = document
                for step in place:
                    target = target[step]
                target["surprise"] = {}
                self.assertFalse(self.validators[kind].is_valid(document), f"{kind}: {place}")
                spoiled += 1
            self.assertGreater(spoiled, 1, kind)


def objects(value, place=()):
    """Where the objects of a document are."""
    if isinstance(value, dict):
        yield place
    for step, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from objects(inner, (*place, step))


class Published(unittest.TestCase):
    def test_files_are_what_is_printed(self):
        for path in (SOURCE / "docs/schema").glob("*.schema.json"):
            self.assertEqual(json.loads(path.read_text()), printed_schema(path.name.split(".")[0]), path.name)

    def test_every_field_is_described(self):
        for kind in KINDS:
            for name, field in fields(printed_schema(kind)):
                self.assertTrue("const" in field or field.get("description"), f"{kind}: {name}")


def fields(schema):
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            yield from schema.get("properties", {}).items()
        for inner in schema.values():
            yield from fields(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from fields(inner)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=1)
