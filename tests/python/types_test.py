"""mypy --strict and ruff have nothing to say of the package. Fetches both.

    python3 types_test.py
"""

import subprocess
import sys

import support

python = support.environment("lint")
failed = False
for words in (["mypy", "--no-incremental"], ["ruff", "check", "--no-cache", "--quiet", "python"]):
    done = subprocess.run([python, "-m", *words], cwd=support.SOURCE, capture_output=True, text=True)
    print(" ".join(words), "->", done.returncode, done.stdout, done.stderr)
    failed = failed or done.returncode != 0
sys.exit(failed)
