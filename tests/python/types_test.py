"""mypy --strict and ruff have nothing to say of the package, and a program that uses it is checked against its types. Fetches both.

    python3 types_test.py
"""

import os
import subprocess
import tempfile
import unittest

import support

USER = """
import gpuwhy

report = gpuwhy.check()
reveal_type(report.usable)
reveal_type(report.verdicts[0].causes[0].fix)
with gpuwhy.watch() as seen:
    reveal_type(seen.report)
gpuwhy.chekc()
"""


def tool(*words, **variables):
    done = subprocess.run([support.environment("lint"), "-m", *words], cwd=support.SOURCE, capture_output=True, text=True, env={**os.environ, **variables})
    return done.returncode, done.stdout + done.stderr


class Types(unittest.TestCase):
    def test_mypy(self):
        """The package and the program in one run, since mypy's start is what takes time."""
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "user.py")
            with open(path, "w") as file:
                file.write(USER)
            _, said = tool("mypy", "--no-incremental", path, "python/gpuwhy", MYPYPATH=str(support.PACKAGE))
        for part in ("bool | None", "gpuwhy._report.Fix | None", "gpuwhy._use.RunReport | None", 'no attribute "chekc"', "Found 1 error in 1 file"):
            self.assertIn(part, said.replace("builtins.", ""))

    def test_ruff(self):
        status, said = tool("ruff", "check", "--no-cache", "--quiet", "python")
        self.assertEqual(status, 0, said)


if __name__ == "__main__":
    unittest.main(argv=["types_test.py"], verbosity=2)
