#!/usr/bin/env python3
"""Our search against the real loader: each case of cases*.py pins one rule.

    run.py PREDICT [WORD]     PREDICT: the program built from predict.cpp; WORD: only cases with it in their name

The path found, everything loaded with it in order, or the text of dlerror() must agree; so must the order in
which the real loader tried files (LD_DEBUG=libs). Exit status 77: this machine cannot run the comparison.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

import cases
import cases_system
from workshop import HERE, Tree, run


def canonical(line, tree):
    """Paths without "..": where no links are in the way that is the same file, and the cases have none."""
    words = []
    for word in line.split(" "):
        colon = ":" if word.endswith(":") else ""
        bare = word[: len(word) - len(colon)]
        if "/" in bare:
            bare = os.path.normpath(os.path.join(tree.cwd, bare))
        elif colon == "" and words == ["found"] or words and words[0] == "found":
            bare = os.path.normpath(os.path.join(tree.cwd, bare))
        words.append(bare + colon)
    return " ".join(words)


def tried(debug, name, tree):
    """Files that the real loader tried for `name` in its last search, without subdirectories for the CPU."""
    attempts = []
    for line in debug.splitlines():
        if f"find library={name} " in line:
            attempts = []
        match = re.search(r"trying file=(.*)$", line)
        if match and os.path.basename(match[1]) == os.path.basename(name):
            attempts.append(match[1])
    cpu = re.compile(r"(^|/)(glibc-hwcaps/[^/]+|(tls/?|haswell/?|avx512_1/?|x86_64/?)+)/[^/]+$")
    return [os.path.normpath(os.path.join(tree.cwd, path)) for path in attempts if not cpu.search(path)]


def is_subsequence(part, whole):
    rest = iter(whole)
    return all(any(item == other for other in rest) for item in part)


def check(case, predict, folder, driver_object):
    tree = Tree(folder, driver_object)
    operations = case(tree)
    real, debug = tree.real(operations)
    ours, trace = tree.predicted(predict, operations)
    real = [canonical(line, tree) for line in real]
    ours = [canonical(line, tree) for line in ours]
    if real != ours:
        return f"real: {real}\n    ours: {ours}\n    {debug[-1500:]}"
    if real and real[-1].startswith("error") and operations[-1] not in real[-1]:
        return None  # the failing search was for a dependency
    attempts = tried(debug, operations[-1], tree)
    asked = [os.path.normpath(place) for place, _ in trace]
    if "/" not in operations[-1] and not is_subsequence(attempts, asked):
        return f"tried: {attempts}\n    asked: {asked}"
    return None


def can_mount():
    probe = subprocess.run(["unshare", "-m", "true"], capture_output=True)
    return os.geteuid() == 0 and probe.returncode == 0


def main():
    for tool in ("gcc", "ldconfig"):
        if not shutil.which(tool, path=os.environ["PATH"] + ":/sbin:/usr/sbin"):
            print(f"skipped: no {tool}")
            return 77
    if os.uname().machine != "x86_64" or os.confstr("CS_GNU_LIBC_VERSION") is None:
        print("skipped: the cases are for glibc on x86-64")
        return 77
    predict = os.path.abspath(sys.argv[1])
    word = sys.argv[2] if len(sys.argv) > 2 else ""
    agreed, failed, skipped = 0, [], []
    with tempfile.TemporaryDirectory(prefix="gpuwhy-loader-") as scratch:
        scratch = os.path.realpath(scratch)
        driver_object = os.path.join(scratch, "driver.o")
        run(["gcc", "-c", os.path.join(HERE, "driver.c"), "-o", driver_object])
        for module in (cases, cases_system):
            for name, case in list(vars(module).items()):
                if not name.startswith("case_") or word not in name:
                    continue
                if getattr(case, "needs", None) and not case.needs(can_mount):
                    skipped.append(name)
                    continue
                problem = check(case, predict, os.path.join(scratch, name), driver_object)
                if problem:
                    failed.append(name)
                    print(f"{name}: {(case.__doc__ or '').strip()}\n    {problem}")
                else:
                    agreed += 1
    for name in skipped:
        print(f"skipped: {name}")
    print(f"agreement with the real loader: {agreed}/{agreed + len(failed)}, skipped {len(skipped)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
