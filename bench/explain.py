#!/usr/bin/env python3
"""Speed and memory of `gpuwhy explain`, as ratios in one run against ripgrep and grep -E that search the same log
for one alternation of the same patterns.

    explain.py GPUWHY [--megabytes N] [--folder DIR]

Two logs: `busy` repeats the samples of all messages between lines of training, each time with other time stamps and
numbers; `training` is what a long run looks like, a message every few thousand lines.
"""

import argparse
import os
import pathlib
import re
import resource
import shutil
import statistics
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
NOISE = "Epoch {e}/100 [{i:6d}/60000] loss: {l:.6f} accuracy: {a:.4f} lr: 0.001000 time: {t:.3f}s/step data: 0.004s"


def rows(path, column):
    lines = [l for l in path.read_text(encoding="utf-8").splitlines() if l and not l.startswith("#")]
    index = lines[0].split("\t").index(column)
    return [line.split("\t")[index] for line in lines[1:]]


def make_log(path, megabytes, every):
    samples = [s.replace("<TAB>", "\t") for s in rows(ROOT / "tests/unit/explain/message_samples.tsv", "sample")]
    size = megabytes << 20
    written = line = 0
    with path.open("w", encoding="utf-8") as out:
        while written < size:
            block = []
            for _ in range(20000):
                line += 1
                if line % every == 0:
                    stamp = f"2024-01-01 10:{line // 60 % 60:02d}:{line % 60:02d}.{line % 1000000:06d}"
                    block.append(f"{stamp}: W tensorflow/core/x.cc:{line % 900}] {samples[line // every % len(samples)]}")
                else:
                    block.append(NOISE.format(e=line % 100, i=line % 60000, l=1 / (line % 977 + 1), a=line % 1000 / 1000, t=line % 13 / 100))
            text = "\n".join(block) + "\n"
            written += len(text)
            out.write(text)
    return path.stat().st_size


def measure(command, path):
    """Processor seconds (a busy machine does not count) and peak MiB of one run."""
    with path.open("rb") as log:
        child = subprocess.Popen(command, stdin=log, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        child.stdout.read()
        errors = child.stderr.read()
        _, status, usage = os.wait4(child.pid, 0)
    if os.waitstatus_to_exitcode(status) not in (0, 1, 3) or errors:
        raise SystemExit(f"{command[0]}: {errors.decode(errors='replace')[:500]}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("gpuwhy")
    arguments.add_argument("--megabytes", type=int, default=1024)
    arguments.add_argument("--folder", type=pathlib.Path, default=ROOT / "build/bench")
    options = arguments.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    patterns = rows(ROOT / "src/knowledge/messages.tsv", "pattern")
    pattern_file = options.folder / "patterns.txt"
    pattern_file.write_text("|".join("(?:" + re.sub(r"\(\?P<\w+>", "(?:", p) + ")" for p in patterns), encoding="utf-8")
    # -c, into a pipe: with nothing to print, or into /dev/null, grep and ripgrep stop at the first match.
    # grep knows neither named groups nor \d.
    extended = [re.sub(r"\(\?P<\w+>|\(\?i?:", "(", p).replace(r"[^\n]", ".").replace(r"\d", "[0-9]") for p in patterns]
    extended = [p.replace("[[0-9]", "[0-9") for p in extended]
    grep_file = options.folder / "patterns_grep.txt"
    grep_file.write_text("|".join(f"({p})" for p in extended), encoding="utf-8")
    rivals = {"gpuwhy": [options.gpuwhy, "explain", "--json", "-"]}
    if shutil.which("rg"):
        rivals["ripgrep"] = ["rg", "-c", "-j1", "-a", "-f", str(pattern_file), "--regex-size-limit", "1G", "--dfa-size-limit", "1G", "-"]
    rivals["grep -E"] = ["env", "LC_ALL=C", "grep", "-c", "-a", "-E", "-f", str(grep_file)]
    for name, every in (("training", 5000), ("busy", 10)):
        path = options.folder / f"{name}.log"
        size = make_log(path, options.megabytes, every)
        seconds = {}
        for rival, command in rivals.items():
            if rival == "grep -E" and options.megabytes > 64:
                continue  # minutes; its ratio shows on a smaller log
            runs = [measure(command, path) for _ in range(3)]
            seconds[rival] = statistics.median(run[0] for run in runs)
            peak = max(run[1] for run in runs)
            speed = size / seconds[rival] / 1e6
            print(f"{name:9} {rival:8} {seconds[rival]:8.2f} s {speed:8.0f} MB/s  peak {peak:6.1f} MiB"
                  + (f"  gpuwhy has {seconds[rival] / seconds['gpuwhy']:.2f} times its speed" if rival != "gpuwhy" else ""))
        path.unlink()


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
