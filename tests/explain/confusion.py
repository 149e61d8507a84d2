#!/usr/bin/env python3
"""How often `gpuwhy explain` names the right root cause: the project's own logs, and a labelled corpus where one is.

    confusion.py GPUWHY

Prints for each log that went wrong what was named, then: right first, in the first three, cannot tell, wrong. Own logs
(tests/fixtures/logs) must all be right. $GPUWHY_CORPUS names a file of labelled cases, one JSON object a line (log, cause,
also, facts); of those at least 95 % must be right first and at most 2 % wrong.
"""

import collections
import json
import os
import pathlib
import subprocess
import sys

LOGS = pathlib.Path(__file__).resolve().parent.parent / "fixtures/logs"


def explain(gpuwhy, text):
    done = subprocess.run([gpuwhy, "explain", "--json", "-"], input=text, capture_output=True, timeout=60, check=False)
    report = json.loads(done.stdout)
    named = [cause["id"] for part in report.get("sections") or [report] for cause in part["causes"]]
    return report["verdict"], named


def own_logs(gpuwhy):
    failures = 0
    for line in (LOGS / "expected.tsv").read_text(encoding="utf-8").splitlines():
        if line.startswith(("#", "log\t")):
            continue
        name, verdict, accepted = line.split("\t")
        said, named = explain(gpuwhy, (LOGS / name).read_bytes())
        right = said == verdict and (named[:1] == [] if accepted == "-" else named[:1] != [] and named[0] in accepted.split())
        if not right:
            failures += 1
            print(f"{name}: {verdict} {accepted} expected, {said} {' '.join(named) or '-'} said")
    print(f"own logs: {failures} wrong")
    return failures == 0


def corpus(gpuwhy, path):
    counts = collections.Counter()
    confusion = collections.Counter()
    for line in path.read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        if not case.get("usable_for_log_eval", True) or not case["log"].strip():
            continue
        stated = "".join(f"- {key.replace('_', ' ')}: {value}\n" for key, value in (case.get("facts") or {}).items())
        _, named = explain(gpuwhy, (stated + "\n" + case["log"]).encode())
        accepted = {case["cause"], *case.get("also", [])}
        counts["all"] += 1
        if case["cause"] == "OK":
            kind = "wrong" if named else "right"
        elif not named:
            kind = "cannot tell"
        else:
            kind = "right" if named[0] in accepted else "wrong"
        counts[kind] += 1
        counts["in three"] += kind == "right" or bool(accepted & set(named[:3]))
        if kind != "right":
            confusion[case["cause"], named[0] if named else "-"] += 1
    for (cause, named), times in sorted(confusion.items()):
        print(f"{cause} taken for {named}: {times}")
    share = {key: counts[key] / max(counts["all"], 1) for key in ("right", "in three", "cannot tell", "wrong")}
    print(f"corpus of {counts['all']}: " + ", ".join(f"{key} {value:.1%}" for key, value in share.items()))
    return share["right"] >= 0.95 and share["wrong"] <= 0.02


def main():
    gpuwhy = sys.argv[1]
    passed = own_logs(gpuwhy)
    path = os.environ.get("GPUWHY_CORPUS")
    if path:
        passed = corpus(gpuwhy, pathlib.Path(path)) and passed
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
