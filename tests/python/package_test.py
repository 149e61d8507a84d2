"""The Python package against the program: this interpreter is judged, its environment is the one that counts, a run is
watched from beside it. Standard library only; frameworks are played by modules of the same name.

    python3 package_test.py GPUWHY STUB_LIB
"""

import json
import os
import subprocess
import sys
import tempfile
import textwrap
import unittest

import support


def run(code, *words, options=(), **variables):
    """A Python with the package at hand: its standard output and errors."""
    done = subprocess.run([sys.executable, *options, "-c", textwrap.dedent(code), *words], env=support.package_environment(**variables),
                          capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return done.stdout, done.stderr


def value(code, *words, **variables):
    return json.loads(run("import gpuwhy, json, os, sys\n" + textwrap.dedent(code), *words, **variables)[0].splitlines()[-1])


class Checks(unittest.TestCase):
    def test_this_interpreter_is_judged(self):
        seen = value("v = gpuwhy.check().verdict; print(json.dumps([v.interpreter, sys.executable, v.python, '%d.%d.%d' % sys.version_info[:3]]))")
        self.assertEqual(seen[0], seen[1])
        self.assertTrue(seen[3].startswith(seen[2]), seen)

    def test_sys_path_as_it_is_now(self):
        with tempfile.TemporaryDirectory() as folder:
            for place in ("torch", "torch-2.6.0+cpu.dist-info"):
                os.mkdir(os.path.join(folder, place))
            for name, text in (("torch/__init__.py", ""), ("torch/version.py", "__version__ = '2.6.0+cpu'\ncuda = None\n"),
                               ("torch-2.6.0+cpu.dist-info/METADATA", "Metadata-Version: 2.1\nName: torch\nVersion: 2.6.0+cpu\n")):
                with open(os.path.join(folder, name), "w") as file:
                    file.write(text)
            code = "print(json.dumps([v.version for v in gpuwhy.check().verdicts if v.framework == 'torch' and v.installed]))"
            self.assertEqual(value(code), [])
            self.assertEqual(value("sys.path.insert(1, sys.argv[1])\n" + code, folder), ["2.6.0+cpu"])

    def test_variables_set_in_the_program(self):
        code = "os.environ['CUDA_VISIBLE_DEVICES'] = '-1'; print(json.dumps([c.id for v in gpuwhy.check().verdicts for c in v.causes]))"
        self.assertIn("E01", value(code, LD_LIBRARY_PATH=str(support.STUB)))
        self.assertNotIn("E01", value("print(json.dumps([c.id for v in gpuwhy.check().verdicts for c in v.causes]))",
                                      LD_LIBRARY_PATH=str(support.STUB)))

    def test_a_library_path_set_too_late_is_not_judged(self):
        code = """
            from gpuwhy._program import process_environment
            os.environ['LD_LIBRARY_PATH'] = '/late'
            judged, remarks = process_environment()
            print(json.dumps([judged.get('LD_LIBRARY_PATH'), len(remarks), remarks[0].split()[0], gpuwhy.check().remarks == tuple(remarks)]))
        """
        self.assertEqual(value(code, LD_LIBRARY_PATH="/early"), ["/early", 1, "LD_LIBRARY_PATH", True])
        self.assertEqual(value(code), [None, 1, "LD_LIBRARY_PATH", True])

    def test_the_report_shows_itself(self):
        text, markup, usable = value("r = gpuwhy.check(); print(json.dumps([repr(r), r._repr_html_(), r.usable]))")
        self.assertIs(usable, False)
        self.assertTrue(text.startswith("✗ "), text)
        self.assertIn("H01", text)
        self.assertIn("H01", markup)
        self.assertNotIn("<script", markup)

    def test_markup_is_escaped(self):
        hostile = "<img src=x onerror=alert(1)>\\n&"
        document = {"version": "1", "gpus": [{"name": hostile, "compute_capability": None, "memory": None, "driver": None, "cuda": None}],
                    "problems": [], "verdicts": [{
                        "framework": hostile, "installed": True, "version": hostile, "interpreter": hostile, "environment": hostile, "python": hostile,
                        "verdict": "no_gpu", "sentence": hostile, "plan": [], "plan_reaches_gpu": False, "unknown": [hostile], "ruled_out": [],
                        "route": [{"gate": hostile, "state": "failed", "reason": hostile}],
                        "causes": [{"id": hostile, "slug": hostile, "gate": hostile, "effect": "hides", "title": hostile + '"', "summary": hostile,
                                    "evidence": [{"text": hostile, "source": hostile, "line": None}],
                                    "fix": {"words": hostile, "commands": [hostile], "verified": True}}]}]}
        markup = value("r = gpuwhy.Report.read(json.loads(sys.argv[1]), (sys.argv[2],)); print(json.dumps(r._repr_html_()))",
                       json.dumps(document), hostile)
        self.assertNotIn("<img", markup)
        self.assertIn("&lt;img", markup)

    def test_the_program_is_missing(self):
        with self.assertRaisesRegex(AssertionError, "GpuwhyError: the gpuwhy program is not there"):
            run("import gpuwhy; gpuwhy.check()", options=("-S",), PATH="/nowhere")

    def test_an_unusable_program_is_named(self):
        with self.assertRaisesRegex(AssertionError, "GpuwhyError: gpuwhy: /nowhere.py: no such file"):
            run("import gpuwhy; gpuwhy.check('/nowhere.py')")


class Watches(unittest.TestCase):
    def test_a_gpu_that_nobody_uses(self):
        out, errors = run("""
            import gpuwhy, time
            with gpuwhy.watch(warn_after=0.6) as seen:
                time.sleep(1.5)
            print(seen.report.answer, seen.report.cause.id if seen.report.cause else None)
        """)
        self.assertIn("not_used H01", out)
        self.assertRegex(out, r"(?m)^gpuwhy: the GPU was not used: .*\(H01\)\. Fix: ")
        self.assertRegex(errors, r"(?m)^gpuwhy: the GPU was not used: .* \(seen in the first 0.6 s\)$")
        self.assertEqual(errors.count("\n"), 1)

    def test_a_gpu_of_the_driver_that_is_not_used(self):
        out, _ = run("import gpuwhy, time\nwith gpuwhy.watch() as seen: time.sleep(1.2)\nprint(seen.report.answer, len(seen.report.gpus))",
                     LD_LIBRARY_PATH=str(support.STUB))
        self.assertRegex(out, r"not_used [1-9]")

    def test_a_gpu_that_is_used(self):
        """The stub tells of a busy GPU and says that we hold it."""
        out, errors = run("""
            import gpuwhy, os, sys, time
            with open(sys.argv[1], "w") as file:
                file.write(f"{os.getpid()} 4000 0\\n")
            with gpuwhy.watch(warn_after=1.5) as seen:
                time.sleep(3)
            gpu = seen.report.gpu
            print(seen.report.used, gpu.index, gpu.own_memory_peak >> 20, gpu.busy > 50)
        """, self.holders, LD_LIBRARY_PATH=str(support.STUB), STUB_NVML_BUSY="0:95", STUB_NVML_PROCESS_FILE=self.holders)
        self.assertIn("True 0 4000 True", out)
        self.assertRegex(out, r"(?m)^gpuwhy: the GPU was used; .*; peak memory 3\.9 GiB; nothing held it back$")
        self.assertEqual(errors, "")

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.holders = os.path.join(folder.name, "holders")

    def test_with_many_files_open(self):
        out, _ = run("""
            import gpuwhy, os, resource
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),) * 2)
            files = [os.open("/dev/null", os.O_RDONLY) for _ in range(1500)]
            with gpuwhy.watch(quiet=True) as seen: pass
            print(seen.report.answer)
        """)
        self.assertEqual(out, "not_used\n")

    def test_a_block_that_fails_or_forks(self):
        out, errors = run("""
            import gpuwhy, os, time
            try:
                with gpuwhy.watch(quiet=True) as seen:
                    child = os.fork()
                    if child == 0:
                        time.sleep(30)  # holds the pipe open
                        os._exit(0)
                    raise KeyError("ours")
            except KeyError as error:
                print(error, seen.report is not None)
            finally:
                os.kill(child, 9)
        """)
        self.assertEqual((out, errors), ("'ours' True\n", ""))

    def test_a_forked_child_that_leaves_the_block(self):
        out, _ = run("""
            import gpuwhy, os, sys
            with gpuwhy.watch(quiet=True) as seen:
                child = os.fork()
            if child == 0:
                os._exit(0 if seen.report is None else 1)
            print(os.waitpid(child, 0)[1], seen.report is not None)
        """)
        self.assertEqual(out, "0 True\n")

    def test_nothing_stays_behind(self):
        out, _ = run("""
            import gpuwhy, os
            with gpuwhy.watch(quiet=True) as seen: pass
            try: print(os.waitpid(-1, os.WNOHANG))
            except ChildProcessError: print("no child")
        """)
        self.assertEqual(out, "no child\n")

    def test_without_the_program_the_block_runs(self):
        out, errors = run("import gpuwhy\nwith gpuwhy.watch(): print('ran')", options=("-S",), PATH="/nowhere")
        self.assertEqual(out, "ran\n")
        self.assertIn("gpuwhy: the gpuwhy program is not there", errors)


KERAS = """
import sys, types
keras = types.ModuleType(NAME)
class Callback:
    def __init__(self): self.params = None
    def set_params(self, params): self.params = params
keras.callbacks = types.SimpleNamespace(Callback=Callback)
keras.backend = types.SimpleNamespace(backend=lambda: "jax")
sys.modules[NAME] = keras
import gpuwhy, time
callback = gpuwhy.keras.GpuWhy(steps=3, seconds=0.5)
assert isinstance(callback, Callback) and callback.params is None
callback.on_train_begin()
for step in range(40):
    callback.on_train_batch_end(step)
    time.sleep(0.04)
callback.on_train_end()
print(callback.report.answer)
"""


class Callbacks(unittest.TestCase):
    def test_it_warns_once_and_tells_at_the_end(self):
        for name in ("keras", "tf_keras"):
            out, errors = run(KERAS.replace("NAME", repr(name)))
            self.assertEqual(errors.count("gpuwhy: the GPU was not used: "), 1, errors)
            self.assertRegex(out, r"(?m)^gpuwhy: the GPU was not used: .*\(H01\)")
            self.assertIn("not_used", out)

    def test_a_tuner_may_copy_it(self):
        code = KERAS.replace("NAME", "'keras'").replace("callback.on_train_begin()", "import copy; callback = copy.deepcopy(callback); callback.on_train_begin()")
        self.assertIn("not_used", run(code)[0])

    def test_a_step_costs_little(self):
        """The bound is loose, since this machine may be busy; what was measured stands in docs/how-to.md."""
        code = KERAS.replace("NAME", "'keras'").split("callback.on_train_begin()")[0] + textwrap.dedent("""
            callback.on_train_begin()
            callback._next = 1 << 40
            best = 1.0
            for _ in range(5):
                begun = time.perf_counter()
                for step in range(20000): callback.on_train_batch_end(step)
                best = min(best, (time.perf_counter() - begun) / 20000)
            callback.on_train_end()
            print(best * 1e6)
        """)
        self.assertLess(float(run(code)[0].splitlines()[-1]), 5.0)  # microseconds

    def test_no_keras(self):
        with self.assertRaisesRegex(AssertionError, "no Keras is installed"):
            run("import gpuwhy; gpuwhy.keras.GpuWhy()", options=("-S",))


class Module(unittest.TestCase):
    def test_it_judges_the_interpreter_it_was_started_with(self):
        done = subprocess.run([sys.executable, "-m", "gpuwhy", "check", "--json"], env=support.package_environment(), capture_output=True, text=True)
        self.assertEqual(json.loads(done.stdout)["verdicts"][0]["interpreter"], sys.executable)
        self.assertEqual(done.returncode, 1)
        done = subprocess.run([sys.executable, "-m", "gpuwhy", "check", "--json", "--python", "/usr/bin/python3"],
                              env=support.package_environment(), capture_output=True, text=True)
        self.assertEqual(json.loads(done.stdout)["verdicts"][0]["interpreter"], "/usr/bin/python3")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
