"""What the tests of whole commands share: gpuwhy on the stub driver, in an environment of its own.

    python3 pick_test.py GPUWHY STUB_LIB
"""

import os
import subprocess
import sys
import tempfile
import unittest

GPUWHY, STUB = (os.path.abspath(path) for path in sys.argv[1:3])


def uuid(number):
    return f"GPU-57ab0000-0000-4000-8000-0000000000{number:02x}"


class StubTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def environment(self, **variables):
        return {"LD_LIBRARY_PATH": STUB, "PATH": os.environ["PATH"], "HOME": self.folder.name, "LANG": "C.UTF-8",
                "XDG_RUNTIME_DIR": self.folder.name, **variables}

    def start(self, *words, **variables):
        return subprocess.Popen([GPUWHY, *words], env=self.environment(**variables), text=True, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=self.folder.name)

    def run_command(self, *words, timeout=120, **variables):
        """The exit status, standard output and standard error."""
        process = self.start(*words, **variables)
        out, errors = process.communicate(timeout=timeout)
        return process.returncode, out, errors


def main():
    unittest.main(argv=sys.argv[:1], verbosity=2)
