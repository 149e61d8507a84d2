#!/usr/bin/env python3
"""Several frameworks in one process, on a machine without a GPU: which file serves each CUDA library?

    mixed_cells.py GPUWHY PREDICT STUB_LIB --venvs NAME=PYTHON... [--only WORD]

The venvs are called tf (TensorFlow with its and-cuda wheels), torch (a PyTorch for the same CUDA major version), jax (JAX with
the plug-in for it), torch13 (a PyTorch for the next CUDA). Each cell joins some of them in one environment by hard links, in
the order of precedence that pip would leave behind, and runs a program that imports them in one order and then lets TensorFlow
list its GPUs and JAX initialise its plug-in, against the stub driver. What /proc/self/maps shows afterwards is held against what
gpuwhy predicts for the same program (gpuwhy snapshot PROGRAM | PREDICT). Right: every library that the process has comes from the
file that was predicted for every framework which was predicted to get it, and at least one was compared.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "h100"))
from run_faults import hard_copy  # noqa: E402

HARD = {"nvidia", "cusparselt", "tensorflow", "torch", "jax", "jaxlib", "jax_plugins", "jax_cuda12_plugin", "jax_cuda13_plugin"}
USE = {
    "torch": "import torch",
    "tf": "import tensorflow",
    "jax": "import jax",
}
LIST = {
    "torch": "print('torch', torch.version.cuda)",
    "tf": "print('tf', tensorflow.config.list_physical_devices('GPU'))",
    "jax": "import importlib, os, jax_plugins\n"
           "for name in sorted(os.listdir(list(jax_plugins.__path__)[0])):\n"
           "    if name.startswith('xla_cuda'):\n"
           "        try:\n"
           "            importlib.import_module('jax_plugins.' + name).initialize()\n"
           "        except Exception as error:\n"
           "            print('jax', error)",
}
TAIL = """
import re
for line in open('/proc/self/maps'):
    path = line.split()[-1]
    if '.so' in path and path.startswith('/'):
        print('MAPPED', path)
"""


class Cell:
    """`venvs`: first wins where two have one package; `order`: of importing; `first`: directories of LD_LIBRARY_PATH,
    each (name, venv, folder of nvidia/, files)."""

    def __init__(self, name, venvs, order, first=()):
        self.name, self.venvs, self.order, self.first = name, venvs, order, first


def cells():
    old_cudnn = [("cudnn-of-torch", "torch", "cudnn", r"libcudnn.*")]
    old_runtime = [("cudart-of-torch", "torch", "cuda_runtime", r"libcudart.*")]
    toolkit = [("cublas-of-jax", "jax", "cublas", r"libcublas.*"), ("cufft-of-jax", "jax", "cufft", r"libcufft\.so.*")]
    return [
        Cell("TensorFlow then PyTorch", ["tf", "torch"], ["tf", "torch"]),
        Cell("PyTorch then TensorFlow", ["tf", "torch"], ["torch", "tf"]),
        Cell("TensorFlow then PyTorch, another cuDNN first", ["tf", "torch"], ["tf", "torch"], old_cudnn),
        Cell("PyTorch then TensorFlow, another cuDNN first", ["tf", "torch"], ["torch", "tf"], old_cudnn),
        Cell("TensorFlow alone, another cuDNN first", ["tf", "torch"], ["tf"], old_cudnn),
        Cell("TensorFlow then PyTorch, another runtime first", ["tf", "torch"], ["tf", "torch"], old_runtime),
        Cell("PyTorch then TensorFlow, another runtime first", ["tf", "torch"], ["torch", "tf"], old_runtime),
        Cell("PyTorch then TensorFlow, wheels of PyTorch", ["torch", "tf"], ["torch", "tf"]),
        Cell("PyTorch then JAX", ["jax", "torch"], ["torch", "jax"]),
        Cell("PyTorch then JAX, another cuBLAS and cuFFT first", ["torch", "jax"], ["torch", "jax"], toolkit),
        Cell("JAX alone, another cuDNN first", ["jax"], ["jax"], old_cudnn),
        Cell("PyTorch, TensorFlow and JAX", ["jax", "tf", "torch"], ["torch", "tf", "jax"]),
        # NCCL and cuDNN of both CUDAs lie in the same folders: PyTorch 2.11 needs the newer NCCL.
        Cell("PyTorch of CUDA 13 beside TensorFlow of CUDA 12", ["torch13", "tf"], ["torch", "tf"]),
    ]


def site_of(python):
    prefix = os.path.dirname(os.path.dirname(os.path.abspath(python)))
    [version] = os.listdir(prefix + "/lib")
    return f"{prefix}/lib/{version}/site-packages"




def build(folder, pythons, cell):
    version = os.path.basename(os.path.dirname(site_of(pythons[cell.venvs[0]])))
    site = f"{folder}/venv/lib/{version}/site-packages"
    os.makedirs(site)
    os.makedirs(folder + "/venv/bin")
    python = pythons[cell.venvs[0]]
    os.symlink(os.path.realpath(python), folder + "/venv/bin/python")
    shutil.copy(os.path.dirname(os.path.dirname(python)) + "/pyvenv.cfg", folder + "/venv/pyvenv.cfg")
    taken = set()
    for venv in cell.venvs:
        source = site_of(pythons[venv])
        for name in sorted(os.listdir(source)):
            target = os.path.join(site, name)
            # pip keeps one version of a distribution: the metadata of the one that loses go with it
            distribution = re.sub(r"-[0-9].*\.dist-info$", "", name).lower()
            if name.endswith(".dist-info") and distribution in taken:
                continue
            if name.endswith(".dist-info"):
                taken.add(distribution)
            if name == "nvidia":
                os.makedirs(target, exist_ok=True)
                for product in os.listdir(os.path.join(source, name)):
                    if not os.path.lexists(os.path.join(target, product)):
                        hard_copy(os.path.join(source, name, product), os.path.join(target, product))
            elif os.path.lexists(target):
                continue
            elif name in HARD:
                hard_copy(os.path.join(source, name), target)
            else:
                os.symlink(os.path.join(source, name), target)
    directories = []
    for name, venv, product, files in cell.first:
        directory = f"{folder}/{name}"
        os.makedirs(directory)
        source = f"{site_of(pythons[venv])}/nvidia/{product}/lib"
        for file in os.listdir(source):
            if re.fullmatch(files, file):
                shutil.copy(os.path.join(source, file), directory)  # another file, as the loader compares them
        directories.append(directory)
    return folder + "/venv/bin/python", directories


def soname(path):
    return re.match(r"lib[A-Za-z_]+\.so\.\d+", os.path.basename(path))


def judge(options, pythons, cell, folder):
    python, directories = build(folder, pythons, cell)
    os.makedirs(folder + "/work")
    os.makedirs(folder + "/home")  # a name that a snapshot leaves as it is
    program = folder + "/work/train.py"
    with open(program, "w") as file:
        lines = [USE[name] for name in cell.order] + [LIST[name] for name in cell.order]
        file.write("\n".join(lines) + "\n" + TAIL)
    environment = {"PATH": folder + "/venv/bin:/usr/bin:/bin", "HOME": folder + "/home", "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1",
                   "LD_LIBRARY_PATH": ":".join(directories + [options.stub]), "TF_CPP_MIN_LOG_LEVEL": "1"}
    run = lambda words, text=None: subprocess.run(words, env=environment, cwd=folder + "/work", capture_output=True, text=True, input=text)
    real = run([python, program])
    mapped = {}
    for path in re.findall(r"^MAPPED (.*)$", real.stdout, re.M):
        if soname(path):
            mapped.setdefault(soname(path)[0], set()).add(os.path.realpath(path))
    snapshot = run([options.gpuwhy, "snapshot", program, "--python", python])
    predicted = [line.split("\t") for line in run([options.predict], snapshot.stdout).stdout.splitlines()]
    frameworks = {"torch": "torch", "tf": "tensorflow", "jax": "jax"}
    wanted = {frameworks[name] for name in cell.order}
    right, wrong = 0, []
    for framework, name, need, path in predicted:
        if framework not in wanted or need != "required":
            continue
        have = mapped.get(name, set())
        if path == "-":
            if have:
                wrong.append(f"{framework}: {name} is predicted to fail, {' '.join(have)} is there")
        elif os.path.realpath(path) not in have:
            wrong.append(f"{framework}: {name} is predicted from {path}, there is {' '.join(sorted(have)) or 'none'}")
        elif len(have) > 1 and framework != "torch":
            pass  # two copies are in the process; the one for this framework is among them
        else:
            right += 1
    if right == 0:
        wrong.append("nothing was compared: " + (real.stderr.strip() or snapshot.stderr).replace("\n", " ")[-400:])
    return right, wrong, sorted(set(re.findall(r"^(?:tf|torch|jax) .*$", real.stdout, re.M)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gpuwhy", type=os.path.abspath)
    parser.add_argument("predict", type=os.path.abspath)
    parser.add_argument("stub", type=os.path.abspath)
    parser.add_argument("--venvs", nargs="+", required=True)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    pythons = {name: os.path.abspath(path) for name, path in (pair.split("=", 1) for pair in options.venvs)}
    failed = done = 0
    for cell in cells():
        needed = set(cell.venvs) | {each[1] for each in cell.first}
        if options.only not in cell.name or not needed <= set(pythons):
            continue
        scratch = tempfile.mkdtemp(prefix=".gpuwhy-mixed-", dir=os.path.dirname(os.path.dirname(os.path.dirname(pythons[cell.venvs[0]]))))
        try:
            right, wrong, said = judge(options, pythons, cell, scratch)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        done += 1
        failed += bool(wrong)
        print(f"{'WRONG' if wrong else 'ok   '} {cell.name:50} {right} libraries as predicted; {'; '.join(said)}", flush=True)
        for line in wrong:
            print("      " + line)
    print(f"{done - failed} passed, {failed} failed")
    return 1 if failed or not done else 0


if __name__ == "__main__":
    sys.exit(main())
