"""What was cross-built for aarch64, run under qemu: the program on recorded machines, each probe on a machine without a driver.

    python3 aarch64_test.py BUILD
"""

import json
import pathlib
import subprocess
import sys
import unittest

BUILD = pathlib.Path(sys.argv[1]).resolve()
SOURCE = pathlib.Path(__file__).resolve().parents[2]
QEMU = ["qemu-aarch64-static", "-L", "/usr/aarch64-linux-gnu"]
PROBES = ("probe_cuda_init", "probe_nvml")


def run(*words):
    return subprocess.run([*QEMU, *[str(word) for word in words]], capture_output=True, text=True, timeout=300)


class Aarch64(unittest.TestCase):
    def test_machine(self):
        for path in (BUILD / "gpuwhy", *(BUILD / "probes" / probe for probe in PROBES)):
            header = subprocess.run(["readelf", "-h", path], capture_output=True, text=True, check=True).stdout
            self.assertIn("AArch64", header)

    def test_recorded_machines_are_judged_alike(self):
        for name, status in (("healthy", 0), ("broken", 1)):
            done = run(BUILD / "gpuwhy", "check", "--json", "--from", SOURCE / f"examples/{name}.json")
            self.assertEqual(done.returncode, status, done.stderr)
            self.assertEqual(json.loads(done.stdout)["command"], "check")

    def test_this_machine(self):
        done = run(BUILD / "gpuwhy", "check", "--json", "--no-probes")
        self.assertIn(done.returncode, (0, 1, 3), done.stderr)
        json.loads(done.stdout)

    def test_code_and_logs(self):
        self.assertEqual(run(BUILD / "gpuwhy", "lint", "--json", SOURCE / "bench").returncode, 0)
        log = SOURCE / "tests/fixtures/logs"
        done = run(BUILD / "gpuwhy", "explain", "--json", sorted(path for path in log.iterdir() if path.is_file())[0])
        json.loads(done.stdout)

    def test_probes(self):
        """No driver answers here; each says so in its one line of JSON."""
        for probe in PROBES:
            done = run(BUILD / "probes" / probe)
            self.assertEqual(done.returncode, 0, done.stderr)
            json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
