#!/usr/bin/env python3
"""Speed of `gpuwhy lint` as a ratio to `ruff check --select ALL`, in one run on the same code.

    lint.py GPUWHY RUFF FOLDER... [--rounds N]

Both run quietly on one processor and on all that this process may use; the best of N rounds counts.
Prints seconds and the ratio (below 1: gpuwhy is faster); exit status 1 if it is not.
"""
import argparse
import os
import subprocess
import sys
import time


def best(command, processors, rounds):
    """Wall seconds and processor seconds of the fastest round."""
    results = []
    for _ in range(rounds):
        before = os.times()
        start = time.monotonic()
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              preexec_fn=lambda: os.sched_setaffinity(0, processors))
        if done.returncode not in (0, 1):  # both: 0 nothing found, 1 findings
            sys.exit(f"{command[0]}: failed with status {done.returncode}")
        wall = time.monotonic() - start
        after = os.times()
        busy = (after.children_user - before.children_user) + (after.children_system - before.children_system)
        results.append((wall, busy))
    return min(results)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("gpuwhy")
    parser.add_argument("ruff")
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    everything = sorted(os.sched_getaffinity(0))
    slower = False
    for processors in ([everything[0]], everything):
        ours = best([options.gpuwhy, "lint", "--no-settings", *options.folders], processors, options.rounds)
        theirs = best([options.ruff, "check", "--isolated", "--no-cache", "--quiet", "--select", "ALL", *options.folders],
                      processors, options.rounds)
        ratio = ours[1] / theirs[1]
        slower = slower or ratio > 1
        print(f"{len(processors)} processor(s): gpuwhy {ours[0]:.2f} s ({ours[1]:.2f} s busy), "
              f"ruff {theirs[0]:.2f} s ({theirs[1]:.2f} s busy), busy ratio {ratio:.2f}")
    sys.exit(1 if slower else 0)


if __name__ == "__main__":
    main()
