#!/usr/bin/env python3
"""TensorFlow against gpuwhy on a machine with a real NVIDIA driver, as root: what the stub driver stands for.

    tensorflow_cells.py GPUWHY SITE OUT

SITE holds TensorFlow 2.18 for this python3 (pip install --target), with NVIDIA's real libcudart.so.12 and libcudnn.so.9. The other
CUDA libraries are stand-ins, made here: TensorFlow only opens them while it lists devices. Each cell breaks one
thing, asks `len(tf.config.list_physical_devices("GPU"))` in a fresh process, and compares. Device nodes are changed
in a mount namespace of the cell alone. Snapshots and tapes of telling cells are left in OUT.
"""

import concurrent.futures
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

QUESTION = """
import tensorflow as tf
print("RESULT", len(tf.config.list_physical_devices("GPU")))
"""
STAND_INS = {"cublas": ["libcublas.so.12", "libcublasLt.so.12"], "cufft": ["libcufft.so.11"],
             "cusolver": ["libcusolver.so.11"], "cusparse": ["libcusparse.so.12"],
             "cudnn": [f"libcudnn_{part}.so.9" for part in ("adv", "cnn", "engines_precompiled", "engines_runtime_compiled",
                                                            "graph", "heuristic", "ops")]}
NODES = {"nvidiactl": 255, "nvidia0": 0}


def build(venv, site):
    """An environment whose packages are those of SITE, and the stand-ins."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    [packages] = glob.glob(venv + "/lib/python3.*/site-packages")
    for name in os.listdir(site):
        if name != "nvidia":
            os.symlink(os.path.join(site, name), os.path.join(packages, name))
    shutil.copytree(os.path.join(site, "nvidia"), packages + "/nvidia")
    # Its RUNPATH starts at its real place, which a link would give away: TensorFlow itself is copied.
    os.unlink(packages + "/tensorflow")
    shutil.copytree(os.path.join(site, "tensorflow"), packages + "/tensorflow", symlinks=True, copy_function=link)
    for folder, names in STAND_INS.items():
        os.makedirs(f"{packages}/nvidia/{folder}/lib", exist_ok=True)
        for name in names:
            library(f"{packages}/nvidia/{folder}/lib/{name}")
    return packages


def link(source, target):
    os.link(source, target)


def library(path):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    subprocess.run(["gcc", "-shared", "-x", "c", "/dev/null", "-o", path, "-Wl,-soname," + os.path.basename(path)], check=True)


class Cell:
    def __init__(self, name, cause=None, variables=None, edit=None, nodes=None, user=False, record=False):
        self.name, self.cause, self.variables, self.edit = name, cause, variables or {}, edit
        self.nodes, self.user, self.record = nodes, user, record


def cells(uuid, scratch):
    show = lambda value: {"CUDA_VISIBLE_DEVICES": value}
    remove = lambda name: lambda packages: os.unlink(glob.glob(f"{packages}/nvidia/*/lib/{name}")[0])
    stub = next(iter(glob.glob("/usr/local/cuda*/targets/x86_64-linux/lib/stubs") + glob.glob("/usr/local/cuda*/lib64/stubs")), None)

    def stub_folder():
        folder = scratch + "/stub"
        os.makedirs(folder, exist_ok=True)
        if not os.path.lexists(folder + "/libcuda.so.1"):
            os.symlink(stub + "/libcuda.so", folder + "/libcuda.so.1")
        return folder

    def text_folder():
        folder = scratch + "/text"
        os.makedirs(folder, exist_ok=True)
        with open(folder + "/libcuda.so.1", "w") as file:
            file.write("version https://git-lfs.github.com/spec/v1\n")
        return folder

    def older_cudnn(packages):
        os.rename(f"{packages}/nvidia/cudnn/lib/libcudnn.so.9", f"{packages}/nvidia/cudnn/lib/libcudnn.so.8")

    rows = [
        Cell("healthy", record=True),
        Cell("healthy, not root", user=True),
        Cell("shown 0", None, show("0")),
        Cell("shown by UUID", None, show(uuid)),
        Cell("shown by a beginning of the UUID", None, show(uuid[:12])),
        Cell("0 and then one that is not there", None, show("0,7")),
        Cell("0 with a blank", None, show(" 0")),
        Cell("0 and a word", None, show("0,abc")),
        Cell("device order by bus", None, {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}),
        Cell("hidden by -1", "E01", show("-1"), record=True),
        Cell("hidden by an empty value", "E01", show("")),
        Cell("hidden by NoDevFiles", "E01", show("NoDevFiles")),
        Cell("hidden by blanks", {"E01", "E02"}, show("  ")),
        Cell("no such index", "E02", show("7")),
        Cell("named twice", "E02", show("0,0")),
        Cell("one that is not there first", "E02", show("7,0")),
        Cell("another UUID", "E02", show("GPU-00000000-0000-0000-0000-000000000000")),
        Cell("a MIG instance that is not there", "E02", show("MIG-00000000-0000-0000-0000-000000000000")),
        Cell("a word", {"E01", "E02"}, show("all")),
        Cell("brackets", {"E01", "E02"}, show("[0]")),
        Cell("no device nodes", {"H08", "C01"}, nodes={}, user=True),
        Cell("nodes of another user", "H08", nodes={"nvidiactl": 0o600, "nvidia0": 0o600, "nvidia-uvm": 0o666}, user=True, record=True),
        Cell("the GPU's own node is missing", {"H08", "C01"}, nodes={"nvidiactl": 0o666, "nvidia-uvm": 0o666}, user=True),
        Cell("nvidia-uvm is missing", "H09", nodes={"nvidiactl": 0o666, "nvidia0": 0o666}, user=True),
        Cell("a text file named libcuda.so.1 first", {"L07", "L08"}, {"LD_LIBRARY_PATH": text_folder()}),
        Cell("cuDNN gone", "L03", edit=remove("libcudnn.so.9")),
        Cell("cuDNN of another major version", {"L03", "L04"}, edit=older_cudnn),
        Cell("cuFFT gone", "L09", edit=remove("libcufft.so.11")),
        Cell("cuSOLVER gone", "L09", edit=remove("libcusolver.so.11")),
        Cell("cudart gone", "L01", edit=remove("libcudart.so.12")),
        Cell("all CUDA libraries gone", {"F05", "F15"}, edit=lambda packages: shutil.rmtree(packages + "/nvidia"), record=True),
        Cell("all CUDA libraries gone, and hidden", {"F05", "F15"}, show("-1"), edit=lambda packages: shutil.rmtree(packages + "/nvidia")),
        Cell("cuBLAS shadowed by an empty file", "L07", {"LD_LIBRARY_PATH": scratch + "/void"}),
    ]
    os.makedirs(scratch + "/void")
    open(scratch + "/void/libcublas.so.12", "w").close()
    if stub:
        rows.append(Cell("the toolkit's stub first", "L08", {"LD_LIBRARY_PATH": stub_folder()}, record=True))
    return rows


def shell_of(cell, command):
    """The command in a mount namespace with the cell's device nodes, as the cell's user."""
    words = " ".join("'" + word.replace("'", "'\\''") + "'" for word in command)
    if cell.user:
        words = "setpriv --reuid 65534 --regid 65534 --clear-groups " + words
    if cell.nodes is None:
        return ["sh", "-c", "exec " + words]
    major = {}
    with open("/proc/devices") as file:
        for line in file:
            number, _, name = line.strip().partition(" ")
            major[name] = number
    lines = ["mount -t tmpfs none /dev", "mknod -m 666 /dev/null c 1 3", "mknod -m 666 /dev/zero c 1 5",
             "mknod -m 666 /dev/urandom c 1 9", "mknod -m 666 /dev/random c 1 8", "mkdir -m 1777 /dev/shm"]
    for name, mode in cell.nodes.items():
        number = f"{major.get('nvidia-uvm', '0')} 0" if name == "nvidia-uvm" else f"195 {NODES[name]}"
        lines.append(f"mknod -m {mode:o} /dev/{name} c {number}")
    return ["unshare", "-m", "sh", "-c", " && ".join(lines) + " && exec " + words]


def answer(cell, gpuwhy, original, out):
    with tempfile.TemporaryDirectory(prefix="cell-") as folder:
        os.chmod(folder, 0o755)
        venv = folder + "/venv"
        subprocess.run(["cp", "-al", original, venv], check=True)
        [packages] = glob.glob(venv + "/lib/python3.*/site-packages")
        if cell.edit:
            cell.edit(packages)
        python = venv + "/bin/python"
        environment = {"PATH": venv + "/bin:/usr/bin:/bin", "HOME": "/tmp", "LANG": "C.UTF-8", **cell.variables}
        run = lambda command: subprocess.run(shell_of(cell, command), env=environment, cwd="/tmp", capture_output=True, text=True, timeout=200)
        real = run([python, "-B", "-c", QUESTION])
        found = re.search(r"^RESULT (\d+)", real.stdout, re.M)
        ours = run([gpuwhy, "check", "--python", python, "--json"])
        if cell.record:
            name = re.sub(r"[^a-z0-9]+", "_", cell.name.lower())
            with open(f"{out}/{name}.json", "w") as file:
                file.write(run([gpuwhy, "snapshot", "--python", python]).stdout)
        try:
            verdict = json.loads(ours.stdout)["verdicts"][0]
            said, causes = verdict["verdict"], [cause["id"] for cause in verdict["causes"]]
        except (ValueError, KeyError, IndexError):
            said, causes = "broken: " + ours.stderr[-200:], []
        return int(found[1]) if found else -1, said, causes, real.stderr[-300:], ours.stdout


def main():
    gpuwhy, site, out = (os.path.abspath(path) for path in sys.argv[1:4])
    os.makedirs(out, exist_ok=True)
    uuid = re.search(r"UUID: (GPU-[0-9a-f-]+)", subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True).stdout)[1]
    with tempfile.TemporaryDirectory(prefix="gpuwhy-tf-", dir=os.path.dirname(site)) as scratch:
        os.chmod(scratch, 0o755)
        tempfile.tempdir = scratch
        original = scratch + "/original"
        build(original, site)
        rows = cells(uuid, scratch)
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(lambda cell: answer(cell, gpuwhy, original, out), rows))
    right = 0
    for cell, (count, said, causes, log, report) in zip(rows, answers):
        wanted = cell.cause if isinstance(cell.cause, set) or cell.cause is None else {cell.cause}
        agrees = said == ("gpu" if count > 0 else "no_gpu") and count >= 0
        named = not causes if wanted is None else bool(causes) and causes[0] in wanted
        right += agrees and named
        print(f"{'ok   ' if agrees and named else 'WRONG'} {cell.name:45} TensorFlow {count:2}  gpuwhy {said:8} "
              f"seeded {'-' if wanted is None else '/'.join(sorted(wanted)):8} named {' '.join(causes) or '-'}")
        if not (agrees and named):
            print("      " + log.replace("\n", "\n      "))
            print("      " + report[:1500].replace("\n", "\n      "))
    print(f"{right} of {len(rows)} cells right")
    return 0 if right == len(rows) else 1


if __name__ == "__main__":
    sys.exit(main())
