#!/usr/bin/env python3
"""Does a plan keep its promise? `gpuwhy fix --apply` on broken environments, and the real TensorFlow asked again.

    promises.py [--gpuwhy FILE] [--cache DIR] [--only WORD]... [--quick] [--list]

For each cell a real TensorFlow is asked before, `gpuwhy fix --apply` is run as the cell's user, TensorFlow is
asked again as a new shell would start it, then `gpuwhy fix --undo` is run and what it touched is compared with
what was there. Held: no usable GPU before, one after, and the undo exact. Nothing is downloaded: the wheels that
pip installs are packed again from the files of the environments (environments.py). Status 0: all held.
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
import zipfile

import ask
import environments
import faults as f
import machine
from workspace import CELL, SITE, VENV, Workspace

HOME = machine.HOME
WHEELS = CELL + "/wheels"
T18, T16, T21, PLAIN = "cuda-2.18", "cuda-2.16", "cuda-2.21", "plain-2.12"

# Counts the GPUs, and asks the cuDNN that is loaded for its version: a wrong one is listed and fails later.
QUESTION = """
import ctypes, re
import {module} as asked
import tensorflow as tf
gpus = len(tf.config.list_physical_devices("GPU"))
found = re.search(r"(/\\S+/libcudnn\\.so\\.\\d+)", open("/proc/self/maps").read())
cudnn = ctypes.CDLL(found[1]).cudnnGetVersion() if found and {cudnn} else 0
backend = asked.backend.backend() if {keras} else "tensorflow"
print("RESULT", gpus, cudnn, backend)
"""


class Promise:
    """`arguments` go to gpuwhy fix; `cudnn` is the least that must be loaded. `wheels` are what pip may find:
    distributions of the environment, and with "=" wheels of requirements/wheel-NAME.txt (the undo needs them)."""

    def __init__(self, environment, *seeded, wheels=(), arguments=(), prepare=None, cudnn=0, keras=False, rc="",
                 quick=False):
        self.environment, self.seeded, self.wheels, self.arguments = environment, seeded, wheels, arguments
        self.prepare, self.cudnn, self.keras, self.rc, self.quick = prepare, cudnn, keras, rc, quick

    @property
    def text(self):
        return "; ".join([*(each.text for each in self.seeded), *([self.prepare.__doc__] if self.prepare else [])])


def keras_numpy(cell):
    """keras.json names the backend numpy"""
    cell.write(HOME + "/.keras/keras.json", '{\n    "floatx": "float32",\n    "backend": "numpy"\n}')


PROMISES = [
    Promise(T18, f.hidden_by_minus_one, rc="export CUDA_VISIBLE_DEVICES=-1\n"),
    Promise(T18, f.no_such_index, rc="export CUDA_VISIBLE_DEVICES=7"),
    Promise(T18, f.unknown_order),
    Promise(T18, f.stub_first),
    Promise(T18, f.cusolver_shadowed),
    Promise(T18, f.cudnn_shadowed_by_empty),
    Promise(T18, f.cudnn_shadowed_by_older, cudnn=90300),
    Promise(T16, f.short_runpath),
    Promise(T21, f.short_runpath),
    Promise(PLAIN, f.toolkit_not_cached, quick=True),
    Promise(T18, f.removed("libcudart.so.12", "L01"), wheels=("nvidia-cuda-runtime-cu12",)),
    Promise(T18, f.without("L09", "the nvJitLink wheel is missing", "nvidia-nvjitlink-cu12"),
            wheels=("nvidia-nvjitlink-cu12",)),
    Promise(T18, f.without("L01", "the wheel of the CUDA runtime is missing", "nvidia-cuda-runtime-cu12"),
            wheels=("nvidia-cuda-runtime-cu12",)),
    Promise(T18, f.nvjitlink_older, wheels=("nvidia-nvjitlink-cu12", "=nvjitlink-12.1")),
    Promise(T18, f.cudnn_older_minor, wheels=("nvidia-cudnn-cu12", "=cudnn-9.1"), cudnn=90300),
    Promise(T18, f.removed("libcudart.so.12", "L01"), f.hidden_by_empty, wheels=("nvidia-cuda-runtime-cu12",)),
    Promise(T18, prepare=keras_numpy, keras=True),
    Promise(T18, prepare=keras_numpy, keras=True, arguments=("--plan", "2")),
]


def pack(site, distribution, target):
    """A wheel from the installed files of a distribution, as RECORD lists them; "": of the only one there."""
    start = distribution.replace("-", "_") + "-" if distribution else ""
    [folder] = [name for name in os.listdir(site) if name.lower().startswith(start) and name.endswith(".dist-info")]
    with open(os.path.join(site, folder, "WHEEL")) as file:
        tag = re.search(r"^Tag: (\S+)", file.read(), re.M)[1]
    path = os.path.join(target, f"{folder[:-len('.dist-info')]}-{tag}.whl")
    if os.path.exists(path):
        return path
    with open(os.path.join(site, folder, "RECORD")) as file:
        names = [line.rsplit(",", 2)[0].strip('"') for line in file]
    with zipfile.ZipFile(path + ".new", "w", zipfile.ZIP_STORED) as archive:
        for name in names:
            inside = not name.startswith("..") and not name.endswith(".pyc")
            if inside and os.path.basename(name) not in ("INSTALLER", "REQUESTED", "direct_url.json"):
                archive.write(os.path.join(site, name), name)
    os.replace(path + ".new", path)
    return path


class Suite:
    def __init__(self, options):
        self.cache = os.path.abspath(options.cache)
        self.environments = environments.Environments(self.cache)
        self.stub, made_from = environments.build_stub(self.cache)
        self.program = os.path.abspath(options.gpuwhy)
        self.asker = ask.Asker(self.cache, self.program, made_from, self.environments.visible())

    def workspace(self, promise):
        cell = Workspace(os.path.join(self.cache, "promise"), promise.environment, self.stub,
                         self.environments.get, self.environments.wheel)
        for fault in promise.seeded:
            fault.apply(cell)
        cell.host(VENV + "/bin")  # the copy, which this cell's user may change
        if promise.prepare:
            promise.prepare(cell)
        cell.write(HOME + "/.bashrc", "# mine\n" + promise.rc)
        cell.set(SHELL="/bin/bash", PIP_NO_INDEX="1", PIP_FIND_LINKS=WHEELS, PIP_DISABLE_PIP_VERSION_CHECK="1")
        os.makedirs(cell.host(WHEELS))
        packed = os.path.join(self.cache, "packed")
        os.makedirs(packed, exist_ok=True)
        for name in promise.wheels:
            if name.startswith("="):
                wheel = pack(self.environments.wheel(name[1:]), "", packed)
            else:
                site = os.path.join(self.environments.get(promise.environment), SITE[len(VENV) + 1:])
                wheel = pack(site, name, packed)
            os.link(wheel, os.path.join(cell.host(WHEELS), os.path.basename(wheel)))
        shutil.copy(self.program, cell.host("/usr/local/bin/gpuwhy") if os.path.isdir(cell.host("/usr/local/bin"))
                    else os.path.join(_made(cell.host("/usr/local/bin")), "gpuwhy"))
        self.give(cell)
        return cell

    @staticmethod
    def give(cell):
        """Folders, and what is new, to the cell's user. The other files are hard links to the originals."""
        for folder, _, names in os.walk(cell.folder + "/venv"):
            os.chown(folder, machine.USER, machine.USER)
        for folder, _, names in os.walk(cell.host(HOME)):
            for path in [folder, *(os.path.join(folder, name) for name in names)]:
                os.lchown(path, machine.USER, machine.USER)

    def run(self, cell, *command, limit=600):
        done = self.asker.run(cell, list(command), limit)
        assert done is not None, f"{command[0]}: no end within {limit} s"
        return done

    def tensorflow(self, cell, promise):
        """As a new interactive shell would start it; (gpus, cudnn, backend)."""
        question = QUESTION.format(module="keras" if promise.keras else "tensorflow", cudnn=bool(promise.cudnn),
                                   keras=promise.keras)
        with open(cell.host(CELL + "/ask.py"), "w") as file:
            file.write(question)
        done = self.run(cell, "/bin/bash", "-i", "-c", f"{VENV}/bin/python -B {CELL}/ask.py")
        found = re.search(rb"^RESULT (\d+) (\d+) (\S+)", done.stdout, re.M)
        return (int(found[1]), int(found[2]), found[3].decode()) if found else (0, 0, "")

    def judge(self, promise):
        cell = self.workspace(promise)
        if promise.wheels:
            done = self.run(cell, VENV + "/bin/python", "-m", "ensurepip")
            assert done.returncode == 0, done.stderr.decode()[-500:]
        was = self.tensorflow(cell, promise)
        before = state(cell)  # Keras has made its own file by now
        arguments = ["--python", VENV + "/bin/python", *promise.arguments]
        applied = self.run(cell, "/usr/local/bin/gpuwhy", "fix", *arguments, "--apply")
        now = self.tensorflow(cell, promise)
        touched = state(cell)
        undone = self.run(cell, "/usr/local/bin/gpuwhy", "fix", "--undo")
        after = state(cell)
        problems = []
        if good(promise, was):
            problems.append(f"TensorFlow had it before: {was}")
        if not good(promise, now):
            problems.append(f"TensorFlow does not have it after: {now}")
        if applied.returncode != 0 or b"the promise held" not in applied.stdout:
            problems.append("gpuwhy's own word: " + applied.stdout.decode()[-400:] + applied.stderr.decode()[-400:])
        if touched == before and not promise.wheels:
            problems.append("nothing was changed")
        if undone.returncode != 0 or before != after:
            changed = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
            problems.append(f"undo: {undone.stderr.decode()[-300:]} {changed[:5]}")
        return was, now, problems


def _made(folder):
    os.makedirs(folder, exist_ok=True)
    return folder


def good(promise, answer):
    gpus, cudnn, backend = answer
    return gpus > 0 and cudnn >= promise.cudnn and (not promise.keras or backend == "tensorflow")


def state(cell):
    """The user's files byte for byte, and the versions that are installed."""
    files = {}
    top = cell.host(HOME)
    for folder, folders, names in os.walk(top):
        if ".local" in folders:
            folders.remove(".local")  # gpuwhy's backups
        if ".cache" in folders:
            folders.remove(".cache")
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "rb") as file:
                status = os.lstat(path)
                files[path] = (hashlib.sha256(file.read()).hexdigest(), status.st_mode, status.st_uid)
    for name in os.listdir(cell.host(SITE)):
        if name.endswith(".dist-info"):
            files[name] = ""
    return files


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gpuwhy", default=os.path.join(environments.SOURCE, "build/release/gpuwhy"))
    parser.add_argument("--cache", default=os.environ.get("GPUWHY_CACHE") or
                        os.path.join(environments.SOURCE, "build/differential"))
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--quick", action="store_true", help="the one that needs a small download")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    chosen = [each for each in PROMISES
              if (each.quick or not options.quick) and all(word.lower() in (each.environment + " " + each.text).lower() for word in options.only)]
    if options.list:
        for each in chosen:
            print(f"{each.environment:<11}{each.text}")
        return 0
    if os.geteuid() != 0:
        print("skipped: a private root needs root")
        return machine.SKIP
    begin = time.time()
    suite = Suite(options)
    held = 0
    for promise in chosen:
        try:
            was, now, problems = suite.judge(promise)
        except ask.Skipped as reason:
            print(f"skipped: {reason}")
            return machine.SKIP
        held += not problems
        print(f"{promise.environment:<11}{'held' if not problems else 'BROKEN':<8}{json.dumps(was)} -> "
              f"{json.dumps(now)}  {promise.text}", flush=True)
        for problem in problems:
            print("    " + problem.replace("\n", "\n    "), flush=True)
    shutil.rmtree(os.path.join(suite.cache, "promise"), ignore_errors=True)
    print(f"promises held: {held}/{len(chosen)}, {time.time() - begin:.0f} s")
    return 0 if held == len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main())
