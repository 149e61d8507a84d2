#!/usr/bin/env python3
"""The check of the layers finds what it is there to find: each breach, made on purpose in a copy."""
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BREACHES = [
    ("src/rules/a.cpp", '#include "system/system.h"\n', "rules must not see system"),
    ("src/render/a.cpp", '#include "rules/rule.h"\n', "render must not see rules"),
    ("src/collect/a.cpp", '#include "judge/judge.h"\n', "collect must not see judge"),
    ("src/rules/H_hardware/a.cpp", "#include <fstream>\n", "opens a door"),
    ("src/judge/a.cpp", "#include <sys/stat.h>\n", "opens a door"),
    ("src/rules/a.cpp", "#include <nlohmann/json.hpp>\n", "must not see JSON"),
    ("src/base/a.cpp", '#include "text.h"\n', "does not name its room"),
    ("src/cellar/a.cpp", "", "is not in the table"),
    ("src/judge/b.cpp", 'int a = printf("x");\n', "printf() opens a door"),
    ("src/base/long.cpp", "\n" * 999, "999 lines"),
]


def check(root):
    done = subprocess.run([sys.executable, root / "tools/check_layers.py", root], capture_output=True, text=True)
    return done.returncode, done.stdout


def main():
    failures = 0
    for name, text, wanted in BREACHES:
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder)
            for part in ("src", "tools"):
                shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
            shutil.copy(ROOT / "ARCHITECTURE.md", copy)
            (copy / name).parent.mkdir(exist_ok=True)
            (copy / name).write_text(text)
            code, out = check(copy)
            if code != 1 or wanted not in out or name.rsplit("/", 1)[0] not in out:
                print(f"{name}: expected '{wanted}', got {code}: {out}")
                failures += 1
    print(f"{len(BREACHES)} breaches, {failures} not found")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
