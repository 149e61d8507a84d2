"""gpuwhy prove on the stub driver: its answer, its exit status, and that it always comes back."""

import json
import os
import subprocess
import time

from stub import GPUWHY, STUB, StubTest, main


class Prove(StubTest):
    def prove(self, *words, **variables):
        if "--deadline" not in words:
            words = ("--deadline", "100s", *words)  # a busy machine is no fault
        status, out, errors = self.run_command("prove", "--json", *words, **variables)
        return status, json.loads(out) if out else None, errors

    def state(self, report, layer):
        return next(each["state"] for each in report["layers"] if each["layer"] == layer)

    def test_works(self):
        for effort in ([], ["--quick"]):
            status, report, _ = self.prove(*effort, STUB_CUDA_DEVICES="2")
            self.assertEqual(status, 0)
            self.assertTrue(report["passed"])
            for layer in ("driver", "device", "context", "memory", "kernel", "peer", "training"):
                self.assertEqual(self.state(report, layer), "passed", layer)
            self.assertEqual(self.state(report, "cublas"), "skipped")

    def test_no_driver_is_said_at_once(self):
        start = time.monotonic()
        status, report, _ = self.prove(LD_LIBRARY_PATH="/nonexistent")
        self.assertEqual((status, report["failed_layer"]), (1, "driver"))
        self.assertLess(time.monotonic() - start, 60)  # milliseconds on an idle machine; no deadline is waited for

    def test_driver_that_hangs_is_not_waited_for_twice(self):
        start = time.monotonic()
        status, report, _ = self.prove(STUB_CUDA_HANG="1")
        self.assertEqual((status, report["failed_layer"]), (1, "driver"))
        self.assertIn("did not answer cuInit", report["layers"][0]["summary"])
        self.assertLess(time.monotonic() - start, 90)  # not the layer's 100

    def test_hang_in_the_middle(self):
        status, report, _ = self.prove("--deadline", "3s", STUB_CUDA_FAULT="cuMemcpyDtoH:hang")
        self.assertEqual((status, report["failed_layer"]), (1, "memory"))
        self.assertIn("within 3 s", report["layers"][3]["summary"])
        self.assertEqual(self.state(report, "kernel"), "not_reached")

    def test_gpu_lost_in_the_middle(self):
        status, report, _ = self.prove(STUB_CUDA_FAULT="cuLaunchKernel:719")
        self.assertEqual((status, report["failed_layer"]), (1, "kernel"))
        self.assertEqual(report["layers"][4]["failure"]["name"], "CUDA_ERROR_LAUNCH_FAILED")

    def test_hidden(self):
        status, report, _ = self.prove(CUDA_VISIBLE_DEVICES="")
        self.assertEqual((status, report["failed_layer"], report["explanation"]["id"]), (1, "driver", "E01"))

    def test_exclusive_and_busy_are_left_alone(self):
        status, report, errors = self.prove(STUB_NVML_MODE="3", STUB_NVML_PROCESSES="1")
        self.assertEqual((status, report), (3, None))
        self.assertIn("exclusive mode", errors)
        busy = {"STUB_NVML_USED": "8000"}
        status, report, errors = self.prove("--memory", "4GiB", **busy)
        self.assertEqual((status, report), (3, None))
        self.assertIn("--yes", errors)
        self.assertEqual(self.prove("--quick", "--memory", "4GiB", "--yes", **busy)[0], 0)
        self.assertEqual(self.prove("--quick", **busy)[0], 0)  # little is taken

    def test_no_thread_to_be_had(self):
        os.chmod(self.folder.name, 0o755)
        for most in range(1, 5):  # processes and threads; root is not held to it
            done = subprocess.run(["prlimit", f"--nproc={most}", GPUWHY, "prove", "--quick"], env=self.environment(ASAN_OPTIONS="detect_leaks=0"),
                                  capture_output=True, cwd=self.folder.name, user=65534 if os.geteuid() == 0 else None)
            self.assertIn(done.returncode, (0, 1, 3), done.stderr)

    def test_leaves_nothing_behind(self):
        self.prove("--quick")
        found = subprocess.run(["find", self.folder.name, "-mindepth", "1"], capture_output=True, text=True, check=True)
        self.assertEqual(found.stdout, "")

    def test_wrong_words(self):
        for words in (["--quick", "--full"], ["--memory", "1"], ["--memory", "x"], ["--gpu", "7"], ["--gpu", "GPU-nope"],
                      ["--deadline", "0"], ["--framework", "caffe"], ["operand"]):
            status, out, _ = self.run_command("prove", *words)
            self.assertEqual((status, out), (2, ""), words)

    def test_text(self):
        status, out, _ = self.run_command("prove", "--quick", STUB_CUDA_INIT="803")
        self.assertEqual(status, 1)
        self.assertIn("✗ driver    cuInit: CUDA_ERROR_SYSTEM_DRIVER_MISMATCH (803)", out)
        self.assertNotIn("\x1b", out)


assert STUB
main()
