#!/usr/bin/env python3
"""Speed and memory of `gpuwhy explain`, as ratios in one run against ripgrep and grep -E that search the same log
for one alternation of the same patterns.

    explain.py GPUWHY [--megabytes N] [--start N] [--limit SECONDS] [--folder DIR]

Three logs: `quiet` and `training` are long runs with a message every few thousand lines; in `quiet` no other line
matches, in `training` each tells the time of its step, which a pattern reads. `busy` has a message in every tenth
line, all of them in turn. Time stamps and numbers change from line to line.

Seconds are the processor's, so that a busy machine does not count, and hold each program's start. A rival reads the
start of a log first, then ever more of it, as long as its pace lets it end within the limit; what it read stands in
its line, and gpuwhy is timed on the same bytes. The alternation holds all patterns, those too that gpuwhy tries in
the head of a text only.

First the alternations are held against the patterns they are made of, on the sample of every message: where a rival
selects other lines than the patterns do, it would search for something else, and nothing is measured.
"""

import argparse
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import tempfile

import dialects

ROOT = pathlib.Path(__file__).resolve().parent.parent
STEP = "Epoch {e}/100 [{i:6d}/60000] loss: {l:.6f} accuracy: {a:.4f} lr: 0.001000 "
TIMED = STEP + "time: {t:.3f}s/step data: 0.004s"
LOGS = {"quiet": (5000, STEP + "seen: {i} queue: {t:.2f}"), "training": (5000, TIMED), "busy": (10, TIMED)}
WHOLE = 1024  # megabytes that memory is measured with
RUNS = 3


def rows(path, column):
    lines = [l for l in path.read_text(encoding="utf-8").splitlines() if l and not l.startswith("#")]
    index = lines[0].split("\t").index(column)
    return [line.split("\t")[index] for line in lines[1:]]


def all_samples():
    return [s.replace("<TAB>", "\t") for s in rows(ROOT / "tests/unit/explain/message_samples.tsv", "sample")]


def log_blocks(megabytes, every, step):
    """A log of so many megabytes, some thousand lines at a time, with a message in every so-manieth."""
    samples = all_samples()
    left = megabytes * 1000000
    line = 0
    while left > 0:
        block = []
        for line in range(line + 1, line + 5001):
            if line % every == 0:
                stamp = f"2024-01-01 10:{line // 60 % 60:02d}:{line % 60:02d}.{line % 1000000:06d}"
                block.append(f"{stamp}: W tensorflow/core/x.cc:{line % 900}] {samples[line // every % len(samples)]}")
            else:
                block.append(step.format(e=line // 60000 % 100, i=line % 60000, l=1 / (line % 977 + 1),
                                         a=line % 1000 / 1000, t=line % 13 / 100))
        text = ("\n".join(block) + "\n").encode()[:left]
        left -= len(text)
        yield text


class Run:
    """One run of a program that reads a log; `finished` is false where it passed the limit."""

    def __init__(self, command, log, limit, blocks=()):
        # Into a file: with nothing to print, or into /dev/null, grep and ripgrep stop at the first match.
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
            child = subprocess.Popen(command, stdin=log, stdout=out, stderr=errors,
                                     preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 5)))
            for block in blocks:
                child.stdin.write(block)
            if blocks:
                child.stdin.close()
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0)
            errors.seek(0)
            self.printed = out.read().decode(errors="replace")
            complaint = errors.read().decode(errors="replace")[-500:]
        self.finished = child.returncode != -signal.SIGXCPU
        self.seconds = usage.ru_utime + usage.ru_stime
        self.peak = usage.ru_maxrss / 1024
        if self.finished and (child.returncode not in (0, 1, 3) or complaint):
            raise SystemExit(f"{command[0]}: exit code {child.returncode} {complaint}")


def timed(command, path, limit):
    """The run of median seconds; one that takes long is not repeated."""
    runs = []
    while len(runs) < RUNS:
        with path.open("rb") as log:
            runs.append(Run(command, log, limit))
        if runs[-1].seconds > 5:
            break
    return sorted(runs, key=lambda run: run.seconds)[len(runs) // 2]


def hold_against_patterns(rivals, patterns, folder, limit):
    samples = all_samples()
    compiled = [re.compile(p, re.ASCII) for p in patterns]
    meant = {i for i, sample in enumerate(samples, 1) if any(c.search(sample) for c in compiled)}
    path = folder / "samples.log"
    path.write_text("\n".join(samples) + "\n", encoding="utf-8")
    for rival, command in rivals.items():
        with path.open("rb") as log:
            run = Run([*command, "-n"], log, limit)
        selected = {int(line.split(":")[0]) for line in run.printed.splitlines()}
        for line in sorted(selected ^ meant):
            print(f"{rival} {'selects' if line in selected else 'passes over'}: {samples[line - 1]}")
        if selected != meant or not run.finished:
            raise SystemExit(f"{rival} searches for something else than the patterns")
    print(f"{len(patterns)} patterns; of {len(samples)} samples {len(meant)} match, the same for {', '.join(rivals)}", flush=True)


def report(log, program, megabytes, limit, run, note):
    head = f"{log:9} {program:8} {megabytes:5} MB "
    if not run.finished:
        print(f"{head} not finished in {limit} s", flush=True)
        return
    print(f"{head} {run.seconds:7.2f} s {megabytes / run.seconds:6.1f} MB/s  peak {run.peak:6.1f} MiB  {note}", flush=True)


def cut(path, megabytes):
    """The start of a log as a file of its own."""
    start = path.with_name("start.log")
    with path.open("rb") as log, start.open("wb") as out:
        for _ in range(megabytes):
            out.write(log.read(1000000))
    return start


def race(name, options, gpuwhy, rivals):
    path = options.folder / f"{name}.log"
    with path.open("wb") as out:
        out.writelines(log_blocks(options.megabytes, *LOGS[name]))
    own = timed(gpuwhy, path, options.limit)
    report(name, "gpuwhy", options.megabytes, options.limit, own, "")
    for rival, command in rivals.items():
        megabytes = min(options.start, options.megabytes)
        run = timed([*command, "-c"], cut(path, megabytes), options.limit)
        while run.finished and megabytes < options.megabytes:
            more = min(4 * megabytes, options.megabytes)
            if run.seconds * more / megabytes > options.limit:
                break
            megabytes = more
            run = timed([*command, "-c"], cut(path, megabytes), options.limit)
        same = own if megabytes == options.megabytes else timed(gpuwhy, cut(path, megabytes), options.limit)
        report(name, rival, megabytes, options.limit, run,
               f"{run.printed.strip()} lines match; gpuwhy has {run.seconds / same.seconds:.2f} times its speed")
    cut(path, 0).unlink()
    path.unlink()


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("gpuwhy")
    arguments.add_argument("--megabytes", type=int, default=256)
    arguments.add_argument("--start", type=int, default=4, help="megabytes that a rival reads first")
    arguments.add_argument("--limit", type=int, default=60, help="processor seconds of one run")
    arguments.add_argument("--folder", type=pathlib.Path, default=ROOT / "build/bench")
    options = arguments.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    gpuwhy = [options.gpuwhy, "explain", "--json", "-"]
    patterns = rows(ROOT / "src/knowledge/messages.tsv", "pattern")
    rivals = {}
    # One thread; what RE2 calls a word is ASCII; room enough that ripgrep keeps to its fastest machine.
    ripgrep = ["rg", "-j1", "-a", "--no-unicode", "--regex-size-limit", "1G", "--dfa-size-limit", "1G", "-f"]
    grep = ["env", "LC_ALL=C", "grep", "-a", "-E", "-f"]
    for rival, program, command, dialect in (("ripgrep", "rg", ripgrep, dialects.Rust()),
                                             ("grep -E", "grep", grep, dialects.Grep())):
        if shutil.which(program) is None:
            print(f"{rival} is not installed: left out")
            continue
        file = options.folder / f"patterns_{program}.txt"
        file.write_text(dialects.alternation(patterns, dialect), encoding="utf-8")
        rivals[rival] = [*command, str(file)]
    hold_against_patterns(rivals, patterns, options.folder, options.limit)
    for name in LOGS:
        race(name, options, gpuwhy, rivals)
    run = Run(gpuwhy, subprocess.PIPE, 10 * options.limit, log_blocks(WHOLE, *LOGS["busy"]))
    report("busy", "gpuwhy", WHOLE, 10 * options.limit, run, "from a pipe")


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
