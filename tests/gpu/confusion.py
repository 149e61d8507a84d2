"""Runs the workloads under 'gpuwhy run' and compares what it says with what is true.

    python confusion.py GPUWHY FOLDER [SECONDS [NAME ...]]    runs them, keeps the recordings in FOLDER
    python confusion.py GPUWHY --replay FOLDER                judges kept recordings (NAME.jsonl or .jsonl.gz) again
"""

import gzip
import json
import os
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from workload import BESIDE, GPUS  # noqa: E402
from workloads import WORKLOADS  # noqa: E402


ENDS = ("R01", "R08", "R12")  # a program that has these fails; another one that does was not well made


def answer_of(report):
    """The one word for a report: its first cause, or how the GPU was used."""
    causes = [cause["id"] for cause in report.get("causes", [])]
    return causes[0] if causes else report["verdict"]


def start_beside(name):
    program = subprocess.Popen([sys.executable, os.path.join(HERE, "workloads_two.py"), name, "120"], stdout=subprocess.PIPE, text=True)
    program.stdout.readline()  # "ready"
    return program


def run(gpuwhy, folder, name, seconds):
    expected, environment, _ = WORKLOADS[name]
    recording = os.path.join(folder, name + ".jsonl")
    beside = start_beside(BESIDE[name]) if name in BESIDE else None
    command = [gpuwhy, "run", "--json", "--save", recording, "--", sys.executable, os.path.join(HERE, "workloads.py"), name, str(seconds)]
    with open(os.path.join(folder, name + ".log"), "w") as log:
        began = time.monotonic()
        try:
            program = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env={**os.environ, **environment}, start_new_session=True)
            output, _ = program.communicate(timeout=90)
        except subprocess.TimeoutExpired:
            os.killpg(program.pid, signal.SIGKILL)  # what would be left holds memory that the next workload needs
            program.wait()
            return {}, 90.0, -1
        finally:
            if beside:
                beside.kill()
                beside.wait()
    try:
        report = json.loads(output)
    except ValueError:
        report = {}
    return report, time.monotonic() - began, program.returncode


def replay(gpuwhy, path):
    text = gzip.open(path).read() if path.endswith(".gz") else open(path, "rb").read()
    done = subprocess.run([gpuwhy, "run", "--json", "--from", "-"], input=text, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def show(name, expected, report, extra=""):
    said = answer_of(report) if report else "no report"
    mark = "  " if said == expected else "X "
    first = report["causes"][0]["summary"] if report.get("causes") else ""
    print(f"{mark}{name:24} true {expected:9} said {said:12} {extra} {first}", flush=True)
    return said == expected


def main():
    gpuwhy = os.path.abspath(sys.argv[1])
    right = total = 0
    if sys.argv[2] == "--replay":
        for file in sorted(os.listdir(sys.argv[3])):
            name = file.split(".")[0]
            if ".jsonl" not in file or name not in WORKLOADS:
                continue
            right += show(name, WORKLOADS[name][0], replay(gpuwhy, os.path.join(sys.argv[3], file)))
            total += 1
    else:
        folder = sys.argv[2]
        os.makedirs(folder, exist_ok=True)
        seconds = float(sys.argv[3]) if len(sys.argv) > 3 else 10
        for name in sys.argv[4:] or [name for name in WORKLOADS if GPUS[name] == 1]:
            report, took, status = run(gpuwhy, folder, name, seconds)
            failed = status != 0 and WORKLOADS[name][0] not in ENDS
            right += show(name, WORKLOADS[name][0], report, f"exit {status:3} {took:5.1f} s") and not failed
            total += 1
    print(f"{right} of {total} right")
    return right != total


if __name__ == "__main__":
    sys.exit(main())
