#!/usr/bin/env python3
"""gpuwhy against the real TensorFlow: broken environments, one question, two answers.

    run.py [--gpuwhy FILE] [--cache DIR] [--only WORD]... [--quick] [--list] [--logs DIR] [--show]

For each cell of cells.py a real TensorFlow is asked, in a fresh process on a machine made of a stub
driver and a private root, whether tf.config.list_physical_devices("GPU") has anything in it; gpuwhy is
asked what it will answer, and why. Right: the verdicts are equal, and the cause named first is the one
that was seeded. Status 0: all right; 1: some wrong; 77: this machine cannot run the comparison.

--only    cells with the word in name, text, cause or peer; --quick: the few that need small downloads
--logs    keep what TensorFlow wrote, as DIR/<version>_<fault>.log
--show    for each wrong cell, gpuwhy's causes in words
"""

import argparse
import os
import re
import sys
import time

import ask
import cells
import environments
from workspace import Workspace


def options_of(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gpuwhy", default=os.path.join(environments.SOURCE, "build/release/gpuwhy"))
    parser.add_argument("--cache", default=os.environ.get("GPUWHY_CACHE") or
                        os.path.join(environments.SOURCE, "build/differential"))
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--logs")
    parser.add_argument("--show", action="store_true")
    return parser.parse_args(arguments)


def selected(options):
    for cell in cells.CELLS:
        words = " ".join([cell.name, cell.text, cell.cause or "", cell.peer]).lower()
        if options.quick and not cell.quick:
            continue
        if all(word.lower() in words for word in options.only):
            yield cell


class Suite:
    def __init__(self, options):
        self.options = options
        self.cache = os.path.abspath(options.cache)
        self.environments = environments.Environments(self.cache)
        self.stub, made_from = environments.build_stub(self.cache)
        self.asker = ask.Asker(self.cache, os.path.abspath(options.gpuwhy), made_from, self.environments.visible())

    def workspace(self, cell):
        """Only one exists at a time: they are copies by hard links, and quickly made."""
        workspace = Workspace(os.path.join(self.cache, "cell"), cell.environment, self.stub,
                              self.environments.get, self.environments.wheel)
        for fault in cell.seeded:
            fault.apply(workspace)
        return workspace

    def judge(self, cell):
        workspace = self.workspace(cell)
        requirements = os.path.join(environments.HERE, "requirements", cell.environment + ".txt")
        truth = self.asker.tensorflow(environments.digest(requirements), workspace)
        said = self.asker.gpuwhy(workspace)
        self.keep_log(cell, truth)
        return truth, said

    def keep_log(self, cell, truth):
        if not self.options.logs:
            return
        os.makedirs(self.options.logs, exist_ok=True)
        requirements = os.path.join(environments.HERE, "requirements", cell.environment + ".txt")
        with open(requirements) as file:
            version = re.search(r"^tensorflow(?:[-_]cpu)?==(\S+)", file.read(), re.M)[1]
        fault = "+".join(each.name for each in cell.seeded) or "healthy"
        name = re.sub(r"[^A-Za-z0-9.=_+-]+", "_", f"{version}_{fault}")[:150]
        with open(os.path.join(self.options.logs, name + ".log"), "w") as file:
            file.write(truth["log"])


def problem_of(cell, truth, said):
    """What is wrong with gpuwhy's answer; empty: nothing."""
    if "problem" in said:
        return said["problem"]
    real = "gpu" if truth["gpus"] else "no_gpu"
    if said["verdict"] != real:
        return f"verdict {said['verdict']}"
    first = said["causes"][0] if said["causes"] else None
    if first != cell.cause:
        return f"cause {first}"
    missing = [cause for cause in cell.others if cause not in said["causes"]]
    return f"not named: {' '.join(missing)}" if missing else ""


def words_of(said):
    lines = []
    for verdict in said.get("report", {}).get("verdicts", []):
        for cause in verdict["causes"]:
            lines.append(f"      {cause['id']} {cause.get('summary') or cause.get('title')}")
        lines += [f"      ? {missing}" for missing in verdict.get("unknown", [])]
    return lines


def row(*columns):
    return "  ".join(str(column).ljust(width) for column, width in zip(columns, (9, 6, 8, 6, 12, 0)))


def main():
    options = options_of(sys.argv[1:])
    chosen = list(selected(options))
    if options.list:
        for cell in chosen:
            print(f"{cell.environment:<11}{cell.cause or '-':<5}{cell.text}{f'  [{cell.peer}]' if cell.peer else ''}")
        print(f"{len(chosen)} cells")
        return 0
    if os.geteuid() != 0:
        print("skipped: a private root needs root")
        return ask.machine.SKIP
    begin = time.time()
    suite = Suite(options)
    right, wrong, skipped = 0, [], []
    print(row("cell", "real", "gpuwhy", "seeded", "named", "fault"), flush=True)
    for cell in chosen:
        try:
            truth, said = suite.judge(cell)
        except ask.Skipped as reason:
            skipped.append(cell)
            print(f"skipped: {cell.environment}: {cell.text}: {reason}", flush=True)
            continue
        problem = problem_of(cell, truth, said)
        real = "gpu" if truth["gpus"] else "no_gpu" if truth["status"] == 0 else f"dies {truth['status']}"
        print(row(cell.environment, real, said.get("verdict", "-"), cell.cause or "-",
                  " ".join(said.get("causes", []))[:12] or "-",
                  cell.text + (f" [{cell.peer}]" if cell.peer else "") + (f"   WRONG: {problem}" if problem else "")),
              flush=True)
        if problem:
            wrong.append(cell)
            if options.show:
                print("\n".join(words_of(said)), flush=True)
        else:
            right += 1
    print(f"agreement with the real TensorFlow: {right}/{right + len(wrong)} cells, "
          f"{len(skipped)} skipped, {time.time() - begin:.0f} s")
    if skipped and not right and not wrong:
        return ask.machine.SKIP
    return 1 if wrong or skipped else 0


if __name__ == "__main__":
    sys.exit(main())
