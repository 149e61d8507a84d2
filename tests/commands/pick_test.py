"""gpuwhy pick on the stub driver: what it prints, what it runs, and that two never get the same GPU."""

import json
import os
import signal
import time

from stub import StubTest, main, uuid

SHOW = ("--", "sh", "-c", "echo $CUDA_VISIBLE_DEVICES; exec sleep 60")


class Pick(StubTest):
    def begin(self, *words, **variables):
        """A program started by pick, and the GPUs it was given."""
        process = self.start("pick", *words, *SHOW, **variables)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process, process.stdout.readline().strip()

    def test_prints_the_freest(self):
        status, out, errors = self.run_command("pick", STUB_CUDA_DEVICES="3", STUB_NVML_USED="20000,100,9000")
        self.assertEqual((status, out, errors), (0, uuid(1) + "\n", ""))

    def test_number_in_pci_order(self):
        two = {"STUB_CUDA_DEVICES": "3", "STUB_NVML_USED": "20000,100,100", "STUB_CUDA_SMS": "5,128,128"}
        status, out, _ = self.run_command("pick", "-i", "-e", "-n", "2", **two)
        self.assertEqual((status, out), (0, "export CUDA_DEVICE_ORDER=PCI_BUS_ID\nexport CUDA_VISIBLE_DEVICES=1,2\n"))

    def test_report(self):
        status, out, _ = self.run_command("pick", "--json", "-m", "20GiB", STUB_CUDA_DEVICES="2", STUB_NVML_USED="9000,0")
        report = json.loads(out)
        self.assertEqual((status, report["command"]), (0, "pick"))
        self.assertEqual(report["environment"], {"CUDA_VISIBLE_DEVICES": uuid(1)})
        self.assertEqual(report["refused"], ["GPU 0: 14.7 GiB free, 20.0 GiB wanted"])

    def test_links(self):
        groups = {"STUB_CUDA_DEVICES": "4", "STUB_NVML_NVLINKS": "1,2,1,2", "STUB_NVML_USED": "2000,0,2000,0", "STUB_NVML_NODE": "0,1,0,1"}
        status, out, _ = self.run_command("pick", "-n", "2", "--same-node", "--hold", "0", **groups)
        self.assertEqual((status, out), (0, f"{uuid(1)},{uuid(3)}\n"))
        status, _, errors = self.run_command("pick", "-n", "3", "--same-node", "--hold", "0", **groups)
        self.assertEqual(status, 1)
        self.assertIn("NUMA node", errors)

    def test_instance(self):
        status, out, _ = self.run_command("pick", STUB_NVML_INSTANCES="2")
        self.assertEqual((status, out), (0, "MIG-57ab0000-0000-4000-8000-000000000000\n"))

    def test_stays_within_what_is_set(self):
        two = {"STUB_CUDA_DEVICES": "4", "STUB_NVML_USED": "0,9000,0,0"}
        self.assertEqual(self.run_command("pick", CUDA_VISIBLE_DEVICES="1", CUDA_DEVICE_ORDER="PCI_BUS_ID", **two)[:2], (0, uuid(1) + "\n"))
        status, _, errors = self.run_command("pick", CUDA_VISIBLE_DEVICES="", **two)
        self.assertEqual(status, 1)
        self.assertIn("hides every GPU", errors)
        self.assertEqual(self.run_command("pick", SLURM_JOB_ID="7", SLURM_JOB_GPUS="2,3", **two)[:2], (0, uuid(2) + "\n"))
        status, _, errors = self.run_command("pick", SLURM_JOB_ID="7", **two)
        self.assertEqual(status, 1)
        self.assertIn("was given no GPU", errors)

    def test_program_has_the_last_word(self):
        self.assertEqual(self.run_command("pick", "--", "sh", "-c", "exit 7")[0], 7)
        process, given = self.begin()
        self.assertEqual(given, uuid(0))
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(timeout=20), -signal.SIGTERM)
        status, _, errors = self.run_command("pick", "--", "no-such-program-here")
        self.assertEqual(status, 2)
        self.assertIn("cannot run no-such-program-here", errors)

    def test_claim_lasts_as_long_as_the_program(self):
        two = {"STUB_CUDA_DEVICES": "2"}
        first, a = self.begin(**two)
        _, b = self.begin(**two)
        self.assertEqual({a, b}, {uuid(0), uuid(1)})
        status, _, errors = self.run_command("pick", **two)
        self.assertEqual(status, 1)
        self.assertIn("a program started by 'gpuwhy pick' has it", errors)
        first.kill()
        first.wait()
        self.assertEqual(self.run_command("pick", **two)[:2], (0, a + "\n"))

    def test_printed_choice_is_kept_for_a_while(self):
        two = {"STUB_CUDA_DEVICES": "2"}
        self.assertEqual(self.run_command("pick", "--hold", "0", **two)[1], uuid(0) + "\n")
        self.assertEqual(self.run_command("pick", "--hold", "3s", **two)[1], uuid(0) + "\n")
        self.assertEqual(self.run_command("pick", **two)[1], uuid(1) + "\n")
        status, _, errors = self.run_command("pick", **two)
        self.assertEqual(status, 1)
        self.assertIn("has just chosen it", errors)
        time.sleep(4)
        self.assertEqual(self.run_command("pick", **two)[1], uuid(0) + "\n")

    def test_waits(self):
        process, _ = self.begin()
        status, _, _ = self.run_command("pick", "--timeout", "1s")
        self.assertEqual(status, 1)
        waiting = [self.start("pick", "--hold", "0", *words) for words in (["--wait"], ["--timeout", "60s"])]
        time.sleep(1)
        self.assertEqual([each.poll() for each in waiting], [None, None])
        process.kill()
        for each in waiting:
            out, _ = each.communicate(timeout=60)
            self.assertEqual((each.returncode, out), (0, uuid(0) + "\n"))

    def test_many_at_once_get_different_gpus(self):
        six = {"STUB_CUDA_DEVICES": "6"}
        picks = [self.start("pick", **six) for _ in range(8)]
        outs = [pick.communicate(timeout=120)[0].strip() for pick in picks]
        given = [out for out in outs if out]
        self.assertEqual(len(given), 6)
        self.assertEqual(len(set(given)), 6)
        self.assertEqual(sorted(pick.returncode for pick in picks), [0] * 6 + [1] * 2)

    def test_driver_that_hangs_or_crashes(self):
        for fault, words in (("STUB_NVML_HANG", "did not answer"), ("STUB_NVML_CRASH", "SIGABRT")):
            status, out, errors = self.run_command("pick", **{fault: "1"})
            self.assertEqual((status, out), (3, ""))
            self.assertIn(words, errors)

    def test_no_driver(self):
        status, _, errors = self.run_command("pick", LD_LIBRARY_PATH="/nonexistent")
        self.assertEqual(status, 1)
        self.assertIn("no NVIDIA driver", errors)

    def test_wrong_words(self):
        for words in (["-n", "0"], ["-n", "x"], ["-m", "lots"], ["--exclude", "9"], ["--timeout", "soon"], ["--json", "--", "true"]):
            self.assertEqual(self.run_command("pick", *words)[0], 2, words)

    def test_directory_of_somebody_else(self):
        os.symlink("/tmp", os.path.join(self.folder.name, "gpuwhy"))
        status, _, errors = self.run_command("pick")
        self.assertEqual(status, 2)
        self.assertIn("only this user can write to", errors)


main()
