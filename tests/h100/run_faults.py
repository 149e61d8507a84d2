#!/usr/bin/env python3
"""JAX and PyTorch against gpuwhy on a machine with a real NVIDIA GPU, as root: one fault a cell.

    run_faults.py --gpuwhy build/release/gpuwhy [--python /opt/torch/.venv/bin/python] [--out DIR] [--jobs 10]
                  [--wheels DIR] [--only WORD] [--list]

For each cell the environment of --python is copied by hard links (a private copy of what may be broken, links to the
rest), one thing is broken, and in fresh processes the framework is asked for its devices and for a small real
computation, and `gpuwhy check --python ... --json` for its verdict and first cause. A cell is right if both agree:
`gpu` (listed and computed), `breaks` (listed, computing fails or ends the process: gpuwhy names a cause whose effect is
to break), or
`no_gpu`; and if the first cause is the one that was seeded. Device nodes and hidden directories are changed in a mount
namespace of the cell alone. With --wheels, wheels of Keras and of what it needs are unpacked for the Keras cells.
Snapshots and tapes of the cells marked `record` are left in --out. Exit status 0: every cell is right.
"""

import argparse
import collections
import concurrent.futures
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile

PRIVATE = ["jax", "jaxlib", "jax_plugins", "jax_cuda12_plugin", "jax_cuda13_plugin", "torch", "nvidia", "cusparselt", "keras"]
DRIVER_PATH = "/usr/local/nvidia/lib64:/usr/local/nvidia/lib"
NODES = {"nvidia0": 0, "nvidiactl": 255}
DEADLINE = 150  # seconds for one question

ASK = {
    "jax": """
import json, sys
answer = {"listed": 0, "computed": False, "error": ""}
try:
    import jax, jax.numpy as jnp
    answer["listed"] = sum(device.platform == "gpu" for device in jax.devices())
    print("LISTED", answer["listed"], flush=True)
    if answer["listed"]:
        a = jnp.ones((64, 64), jnp.float32)
        b = jnp.tanh(jnp.exp(-(a @ a))).sum()
        c = jax.lax.conv(jnp.ones((1, 8, 16, 16)), jnp.ones((8, 8, 3, 3)), (1, 1), "SAME").sum()
        d = jnp.linalg.eigh(jnp.eye(8))[0].sum()
        e = jnp.abs(jnp.fft.fft(jnp.ones(64))).sum()
        answer["computed"] = bool(float(b) >= 0 and float(c) > 0 and abs(float(d) - 8) < 1e-3 and float(e) > 0)
except BaseException as error:
    answer["error"] = (type(error).__name__ + ": " + str(error))[-400:]
print("ANSWER " + json.dumps(answer))
""",
    "torch": """
import json, sys
answer = {"listed": 0, "computed": False, "error": ""}
try:
    import torch
    answer["listed"] = torch.cuda.device_count() if torch.cuda.is_available() else 0
    print("LISTED", answer["listed"], flush=True)
    if answer["listed"]:
        a = torch.ones(64, 64, device="cuda")
        b = torch.tanh(torch.exp(-(a @ a))).sum()
        c = torch.nn.functional.conv2d(torch.ones(1, 8, 16, 16, device="cuda"), torch.ones(8, 8, 3, 3, device="cuda")).sum()
        d = torch.linalg.eigh(torch.eye(8, device="cuda"))[0].sum()
        e = torch.fft.fft(torch.ones(64, device="cuda")).abs().sum()
        f = torch.lcm(torch.full((4,), 6, device="cuda"), torch.full((4,), 4, device="cuda")).sum()  # compiled by NVRTC
        answer["computed"] = bool(float(b) >= 0 and float(c) > 0 and abs(float(d) - 8) < 1e-3 and float(e) > 0 and int(f) == 48)
except BaseException as error:
    answer["error"] = (type(error).__name__ + ": " + str(error))[-400:]
print("ANSWER " + json.dumps(answer))
""",
    "keras": """
import json, sys
answer = {"listed": 0, "computed": False, "error": ""}
try:
    import keras
    backend = keras.backend.backend()
    x = keras.ops.ones((8, 8))
    y = keras.ops.matmul(x, x)
    place = str(getattr(y, "device", "")) or str(y)
    if backend == "jax":
        place = " ".join(device.platform for device in y.devices())
    answer["listed"] = int("cuda" in place.lower() or "gpu" in place.lower())
    print("LISTED", answer["listed"], flush=True)
    answer["computed"] = bool(answer["listed"])
except BaseException as error:
    answer["error"] = (type(error).__name__ + ": " + str(error))[-400:]
print("ANSWER " + json.dumps(answer))
""",
}


class Cell:
    """`cause`: id of the seeded fault, several where the driver's state has two names; None: nothing is wrong.
    `spares`: it may work all the same, as a Fourier transform of 64 points did on an H200 with half a cuFFT."""

    def __init__(self, framework, name, cause=None, variables=None, edit=None, nodes=None, user=False, hide=(), record=False,
                 files=None, spares=False):
        self.framework, self.name, self.variables, self.edit = framework, name, variables or {}, edit
        self.causes = set() if cause is None else {cause} if isinstance(cause, str) else set(cause)
        self.nodes, self.user, self.hide, self.record, self.files, self.spares = nodes, user, list(hide), record, files or {}, spares


# ---- what a fault does to the copy; `site` is its site-packages

def libraries(site, name):
    return glob.glob(f"{site}/nvidia/*/lib/{name}") + glob.glob(f"{site}/cusparselt/lib/{name}")


def gone(*names):
    def edit(site):
        for name in names:
            found = libraries(site, name)
            assert found, name + " is not in the wheels"
            for path in found:
                os.unlink(path)
    return edit


def replaced(name, content):
    def edit(site):
        for path in libraries(site, name):
            os.unlink(path)
            with open(path, "wb") as file:
                file.write(content)
    return edit


def cut(name):
    """Its first half alone, as after an interrupted download."""
    def edit(site):
        for path in libraries(site, name):
            size = os.path.getsize(path)
            with open(path, "rb") as file:
                half = file.read(size // 2)
            os.unlink(path)
            with open(path, "wb") as file:
                file.write(half)
    return edit


def tools_of(toolkits):
    """What XLA compiles with, out of a toolkit that will be hidden: so that the seeded fault is the only one."""
    def edit(site):
        for toolkit in toolkits:
            target = site + "/nvidia/cu13"
            if os.path.exists(target + "/nvvm") or not glob.glob(toolkit + "/nvvm/libdevice/*.bc"):
                continue
            shutil.copytree(toolkit + "/nvvm", target + "/nvvm")
            os.makedirs(target + "/bin", exist_ok=True)
            for name in ("ptxas", "nvlink", "fatbinary"):
                if os.path.exists(f"{toolkit}/bin/{name}") and not os.path.exists(f"{target}/bin/{name}"):
                    shutil.copy(f"{toolkit}/bin/{name}", f"{target}/bin/{name}")
    return edit


def dangling(name):
    def edit(site):
        for path in libraries(site, name):
            os.unlink(path)
            os.symlink(name + ".gone", path)
    return edit


def removed(*patterns):
    def edit(site):
        for pattern in patterns:
            for path in glob.glob(site + "/" + pattern):
                if os.path.isdir(path) and not os.path.islink(path):
                    shutil.rmtree(path)
                else:
                    os.unlink(path)
    return edit


def rewritten(pattern, old, new):
    """A text file of the copy, by a new file: the original keeps its content."""
    def edit(site):
        found = glob.glob(site + "/" + pattern)
        assert found, pattern
        for path in found:
            with open(path) as file:
                text = file.read()
            text = re.sub(old, new, text, flags=re.M)
            os.unlink(path)
            with open(path, "w") as file:
                file.write(text)
    return edit


def renamed_metadata(name, version):
    """dist-info of another version."""
    def edit(site):
        for path in glob.glob(f"{site}/{name}-*.dist-info"):
            target = f"{site}/{name}-{version}.dist-info"
            if os.path.islink(path):
                original = os.path.realpath(path)
                os.unlink(path)
                shutil.copytree(original, target)
            else:
                os.rename(path, target)
            with open(target + "/METADATA") as file:
                text = re.sub(r"^Version: .*$", "Version: " + version, file.read(), flags=re.M)
            os.unlink(target + "/METADATA")
            with open(target + "/METADATA", "w") as file:
                file.write(text)
    return edit


def both(*edits):
    def edit(site):
        for each in edits:
            each(site)
    return edit


def locked(pattern):
    def edit(site):
        for path in glob.glob(site + "/" + pattern):
            # a directory of its own, so that the original's mode stays
            os.chmod(path, 0o700)
    return edit


def moved_wheels(site):
    """NVIDIA's wheels in another directory of sys.path, as after pip install --user."""
    other = os.path.dirname(site) + "/elsewhere"
    os.makedirs(other)
    os.rename(site + "/nvidia", other + "/nvidia")


# ---- the table

def common(framework, uuid, folders):
    show = lambda value: {"CUDA_VISIBLE_DEVICES": value}
    first = lambda folder: {"LD_LIBRARY_PATH": folder + ":" + DRIVER_PATH}
    all_nodes = {"nvidia0": 0o666, "nvidiactl": 0o666, "nvidia-uvm": 0o666}
    without = lambda name: {key: mode for key, mode in all_nodes.items() if key != name}
    closed = lambda name: {**all_nodes, name: 0o600}
    rows = [
        Cell(framework, "healthy", record=True),
        Cell(framework, "healthy, not root", user=True, nodes=all_nodes),
        Cell(framework, "shown 0", None, show("0")),
        Cell(framework, "shown by the UUID", None, show(uuid)),
        Cell(framework, "0 and one that is not there", None, show("0,7")),
        Cell(framework, "hidden by -1", "E01", show("-1"), record=True),
        Cell(framework, "hidden by an empty value", "E01", show("")),
        Cell(framework, "hidden by NoDevFiles", "E01", show("NoDevFiles")),
        Cell(framework, "no such index", "E02", show("7")),
        Cell(framework, "named twice", "E02", show("0,0")),
        Cell(framework, "a word for containers", {"E01", "E02"}, show("all")),
        Cell(framework, "another UUID", "E02", show("GPU-00000000-0000-0000-0000-000000000000")),
        Cell(framework, "device order unknown", "E02", {"CUDA_DEVICE_ORDER": "BY_NAME"}),
        Cell(framework, "no device nodes, not root", {"H08", "C01"}, nodes={}, user=True),
        Cell(framework, "nvidiactl closed", "H08", nodes=closed("nvidiactl"), user=True),
        Cell(framework, "the GPU's node closed", "H08", nodes=closed("nvidia0"), user=True, record=True),
        Cell(framework, "the GPU's node missing", {"H08", "C01"}, nodes=without("nvidia0"), user=True),
        Cell(framework, "nvidia-uvm missing", "H09", nodes=without("nvidia-uvm"), user=True),
        Cell(framework, "nvidia-uvm closed", {"H08", "H09"}, nodes=closed("nvidia-uvm"), user=True),
        Cell(framework, "a text file named libcuda.so.1 first", {"L07", "L08"}, first(folders["text"])),
        Cell(framework, "foreign CUDA first, which RPATH passes over", None, first(folders["junk"]), record=True),
    ]
    if folders.get("stub"):
        rows.append(Cell(framework, "the toolkit's stub first", "L08", first(folders["stub"]), record=True))
    if folders.get("compat"):
        rows.append(Cell(framework, "a compat library older than the driver", "H17", first(folders["compat"])))
    return rows


def jax_cells(uuid, folders, toolkit):
    var = lambda **values: values
    rows = common("jax", uuid, folders)
    rows += [
        Cell("jax", "JAX_PLATFORMS=cpu", "E06", var(JAX_PLATFORMS="cpu"), record=True),
        Cell("jax", "JAX_PLATFORMS=cpu,cuda", "E06", var(JAX_PLATFORMS="cpu,cuda")),
        Cell("jax", "JAX_PLATFORMS=cuda", None, var(JAX_PLATFORMS="cuda")),
        Cell("jax", "JAX_PLATFORMS=cuda,cpu", None, var(JAX_PLATFORMS="cuda,cpu")),
        Cell("jax", "JAX_PLATFORMS=rocm", "E06", var(JAX_PLATFORMS="rocm")),
        Cell("jax", "JAX_PLATFORM_NAME=cpu", "E06", var(JAX_PLATFORM_NAME="cpu")),
        Cell("jax", "JAX_CUDA_VISIBLE_DEVICES=7", None, var(JAX_CUDA_VISIBLE_DEVICES="7")),
        Cell("jax", "no plug-in at all", "F12", edit=removed("jax_cuda*", "jax_plugins"), record=True),
        Cell("jax", "no kernels package", "F12", edit=removed("jax_cuda1*_plugin", "jax_cuda1*_plugin-*")),
        Cell("jax", "no PJRT package", "F12", edit=removed("jax_plugins", "jax_cuda1*_pjrt-*")),
        Cell("jax", "jaxlib newer than jax", "F12",
             edit=both(rewritten("jaxlib/version.py", r"^(_version|__version__) = .*$", r"\1 = '99.0.0'"), renamed_metadata("jaxlib", "99.0.0"))),
        Cell("jax", "plug-in of another version", "F12",
             edit=both(rewritten("jax_cuda1*_plugin/version.py", r"^(_version|__version__) = .*$", r"\1 = '0.1.0'"),
                       renamed_metadata("jax_cuda13_plugin", "0.1.0"))),
        Cell("jax", "the PJRT library is empty", {"F10", "F12"}, edit=both(removed("jax_plugins/xla_cuda1*/xla_cuda_plugin.so"), empty("jax_plugins/xla_cuda13/xla_cuda_plugin.so"))),
        Cell("jax", "cudart gone, toolkit serves", None, edit=gone("libcudart.so.13")),
        Cell("jax", "cudart gone", "L01", edit=gone("libcudart.so.13"), hide=toolkit),
        Cell("jax", "cuBLAS gone", "L09", edit=gone("libcublas.so.13"), hide=toolkit),
        Cell("jax", "cuDNN gone", "L03", edit=gone("libcudnn.so.9"), record=True),
        Cell("jax", "cuFFT gone", "L09", edit=gone("libcufft.so.12"), hide=toolkit),
        Cell("jax", "cuFFT gone, checks skipped", "L09", var(JAX_SKIP_CUDA_CONSTRAINTS_CHECK="1"),
             edit=both(tools_of(toolkit), gone("libcufft.so.12")), hide=toolkit),
        Cell("jax", "cudart gone, checks skipped", "L01", var(JAX_SKIP_CUDA_CONSTRAINTS_CHECK="1"),
             edit=both(tools_of(toolkit), gone("libcudart.so.13")), hide=toolkit),
        Cell("jax", "cuPTI gone", "L09", edit=gone("libcupti.so.13"), hide=toolkit),
        Cell("jax", "cuSPARSE gone", "L09", edit=gone("libcusparse.so.12"), hide=toolkit),
        Cell("jax", "nvJitLink gone", "L09", edit=gone("libnvJitLink.so.13"), hide=toolkit),
        Cell("jax", "all CUDA libraries gone", "F05", edit=removed("nvidia"), hide=toolkit),
        Cell("jax", "cuDNN empty", "L07", edit=replaced("libcudnn.so.9", b"")),
        Cell("jax", "cuDNN a web page", "L07", edit=replaced("libcudnn.so.9", b"<!DOCTYPE html>" * 20)),
        Cell("jax", "cuFFT cut in half", "L07", edit=both(tools_of(toolkit), cut("libcufft.so.12")), hide=toolkit, spares=True),
        Cell("jax", "cuDNN a broken link", {"L03", "L07"}, edit=dangling("libcudnn.so.9")),
        Cell("jax", "cuDNN folder closed", "L07", edit=locked("nvidia/cudnn/lib"), user=True, nodes={"nvidia0": 0o666, "nvidiactl": 0o666, "nvidia-uvm": 0o666}),
        Cell("jax", "a part of cuDNN gone", "L03", edit=gone("libcudnn_graph.so.9")),
        Cell("jax", "no libdevice anywhere", "L10", hide=toolkit, edit=removed("nvidia/cu13/nvvm"), record=True),
        Cell("jax", "hidden and without cuDNN", "L03", var(CUDA_VISIBLE_DEVICES="-1"), edit=gone("libcudnn.so.9")),
        Cell("jax", "a jax.py beside the program", "F10", files={"jax.py": "devices = lambda: []\n"}),
    ]
    return rows


def empty(below):
    def edit(site):
        open(site + "/" + below, "w").close()
    return edit


def torch_cells(uuid, folders, toolkit):
    var = lambda **values: values
    rows = common("torch", uuid, folders)
    rows += [
        Cell("torch", "asked through NVML", None, var(PYTORCH_NVML_BASED_CUDA_CHECK="1")),
        Cell("torch", "asked through NVML, hidden", "E01", var(PYTORCH_NVML_BASED_CUDA_CHECK="1", CUDA_VISIBLE_DEVICES="-1")),
        Cell("torch", "cudart gone, toolkit serves", None, edit=gone("libcudart.so.13")),
        Cell("torch", "cudart gone", "L01", edit=gone("libcudart.so.13"), hide=toolkit),
        Cell("torch", "cuBLAS gone", "L09", edit=gone("libcublas.so.13"), hide=toolkit),
        Cell("torch", "cuBLASLt gone", "L09", edit=gone("libcublasLt.so.13"), hide=toolkit),
        Cell("torch", "cuDNN gone", "L03", edit=gone("libcudnn.so.9"), record=True),
        Cell("torch", "cuFFT gone", "L09", edit=gone("libcufft.so.12"), hide=toolkit),
        Cell("torch", "cuRAND gone", "L09", edit=gone("libcurand.so.10"), hide=toolkit),
        Cell("torch", "cuSPARSE gone", "L09", edit=gone("libcusparse.so.12"), hide=toolkit),
        Cell("torch", "cuSPARSELt gone", "L09", edit=gone("libcusparseLt.so.0")),
        Cell("torch", "NCCL gone", "L09", edit=gone("libnccl.so.2")),
        Cell("torch", "cuPTI gone", "L09", edit=gone("libcupti.so.13"), hide=toolkit),
        Cell("torch", "cuFile gone", "L09", edit=gone("libcufile.so.0"), hide=toolkit),
        Cell("torch", "NVSHMEM gone", "L09", edit=gone("libnvshmem_host.so.3")),
        Cell("torch", "nvJitLink gone", "L09", edit=gone("libnvJitLink.so.13"), hide=toolkit),
        Cell("torch", "cuSOLVER gone", "L09", edit=gone("libcusolver.so.12"), hide=toolkit),
        Cell("torch", "NVRTC gone", "L09", edit=gone("libnvrtc.so.13"), hide=toolkit),
        Cell("torch", "cuFFT cut in half", "L07", edit=cut("libcufft.so.12"), hide=toolkit, spares=True),
        Cell("torch", "all CUDA libraries gone", "F05", edit=removed("nvidia"), hide=toolkit, record=True),
        Cell("torch", "cuDNN empty", "L07", edit=replaced("libcudnn.so.9", b"")),
        Cell("torch", "NCCL a Git LFS pointer", "L07", edit=replaced("libnccl.so.2", b"version https://git-lfs.github.com/spec/v1\n" * 3)),
        Cell("torch", "cuDNN a broken link", {"L03", "L07"}, edit=dangling("libcudnn.so.9")),
        Cell("torch", "a part of cuDNN gone", "L03", edit=gone("libcudnn_graph.so.9")),
        Cell("torch", "libtorch_cuda.so gone", "F10", edit=removed("torch/lib/libtorch_cuda.so"), record=True),
        Cell("torch", "libtorch_cuda.so empty", "F10", edit=both(removed("torch/lib/libtorch_cuda.so"), empty("torch/lib/libtorch_cuda.so"))),
        Cell("torch", "libtorch_python.so gone", "F10", edit=removed("torch/lib/libtorch_python.so")),
        Cell("torch", "wheels elsewhere on sys.path", None, edit=moved_wheels, variables="PYTHONPATH elsewhere", hide=toolkit),
        Cell("torch", "cuDNN folder closed", "L07", edit=locked("nvidia/cudnn/lib"), user=True, nodes={"nvidia0": 0o666, "nvidiactl": 0o666, "nvidia-uvm": 0o666}),
        Cell("torch", "hidden and without NCCL", "L09", var(CUDA_VISIBLE_DEVICES="-1"), edit=gone("libnccl.so.2")),
        Cell("torch", "a torch.py beside the program", "F10", files={"torch.py": "class cuda: is_available = staticmethod(lambda: False)\n"}),
        Cell("torch", "a folder named torch beside the program", "F10", files={"torch/__init__.py": ""}),
        Cell("torch", "torch.py, and PYTHONSAFEPATH", None, var(PYTHONSAFEPATH="1"), files={"torch.py": ""}),
    ]
    return rows


def keras_cells():
    var = lambda **values: values
    configured = lambda name: {"keras/keras.json": json.dumps({"floatx": "float32", "backend": name})}
    return [
        Cell("keras", "on torch", None, var(KERAS_BACKEND="torch"), record=True),
        Cell("keras", "on jax", None, var(KERAS_BACKEND="jax")),
        Cell("keras", "by keras.json on torch", None, files=configured("torch"), variables="KERAS_HOME"),
        Cell("keras", "on nothing: TensorFlow is not there", "F11"),
        Cell("keras", "on numpy", "F11", var(KERAS_BACKEND="numpy"), record=True),
        Cell("keras", "on theano", "F11", var(KERAS_BACKEND="theano")),
        Cell("keras", "on openvino", "F11", var(KERAS_BACKEND="openvino")),
        Cell("keras", "a keras.py beside the program", "F10", var(KERAS_BACKEND="torch"), files={"keras.py": ""}),
        Cell("keras", "on torch, a torch.py beside the program", "F10", var(KERAS_BACKEND="torch"), files={"torch.py": ""}),
        Cell("keras", "by keras.json on numpy", "F11", files=configured("numpy"), variables="KERAS_HOME"),
        Cell("keras", "on torch, kept on the CPU", "F11", var(KERAS_BACKEND="torch", KERAS_TORCH_DEVICE="cpu")),
        Cell("keras", "on jax, JAX_PLATFORMS=cpu", "E06", var(KERAS_BACKEND="jax", JAX_PLATFORMS="cpu")),
        Cell("keras", "on jax without plug-in", {"F11", "F12"}, var(KERAS_BACKEND="jax"), edit=removed("jax_cuda*", "jax_plugins")),
        Cell("keras", "on torch, hidden", "E01", var(KERAS_BACKEND="torch", CUDA_VISIBLE_DEVICES="-1")),
        Cell("keras", "on torch without cuDNN", "L03", var(KERAS_BACKEND="torch"), edit=gone("libcudnn.so.9")),
    ]


# ---- the machine and the copies

def hard_copy(source, target):
    """Directories are made, files linked: much cheaper than copying gigabytes."""
    if not os.path.isdir(source):
        os.link(source, target)
        return
    for folder, directories, files in os.walk(source):
        here = target + folder[len(source):]
        os.makedirs(here, exist_ok=True)
        for name in files:
            path = os.path.join(folder, name)
            if os.path.islink(path):
                os.symlink(os.readlink(path), os.path.join(here, name))
            else:
                os.link(path, os.path.join(here, name))
        for name in directories:
            path = os.path.join(folder, name)
            if os.path.islink(path):
                os.symlink(os.readlink(path), os.path.join(here, name))


class Machine:
    def __init__(self, options):
        self.options = options
        self.prefix = os.path.dirname(os.path.dirname(os.path.abspath(options.python)))
        [self.site] = glob.glob(self.prefix + "/lib/python3.*/site-packages")
        self.base = os.path.realpath(options.python)
        # On the same file system, so that links can be made; readable to all.
        self.scratch = tempfile.mkdtemp(prefix=".gpuwhy-faults-", dir=os.path.dirname(self.prefix))
        os.chmod(self.scratch, 0o755)
        self.hidden = []
        self.extra = self.unpack_wheels()

    def unpack_wheels(self):
        if not self.options.wheels:
            return None
        folder = self.scratch + "/wheels"
        for path in sorted(glob.glob(self.options.wheels + "/*.whl")):
            with zipfile.ZipFile(path) as archive:
                archive.extractall(folder)
        return folder if os.path.isdir(folder) else None

    def hide_system_copies(self):
        """cuDNN and NCCL beside the system's libraries would serve where a wheel's is gone: put aside while we test."""
        for pattern in ("libcudnn*", "libnccl*"):
            for path in glob.glob("/usr/lib/x86_64-linux-gnu/" + pattern):
                aside = self.scratch + "/aside/" + os.path.basename(path)
                os.makedirs(os.path.dirname(aside), exist_ok=True)
                shutil.move(path, aside)
                self.hidden.append((aside, path))

    def close(self):
        for aside, path in self.hidden:
            shutil.move(aside, path)
        shutil.rmtree(self.scratch, ignore_errors=True)

    def folders(self):
        made = {}
        for name, files in {"text": {"libcuda.so.1": b"version https://git-lfs.github.com/spec/v1\n" * 3},
                            "junk": {n: b"" for n in ("libcudnn.so.9", "libcudart.so.13", "libcufft.so.12", "libnccl.so.2")}}.items():
            made[name] = f"{self.scratch}/{name}"
            os.makedirs(made[name])
            for file, content in files.items():
                with open(f"{made[name]}/{file}", "wb") as out:
                    out.write(content)
        stubs = glob.glob("/usr/local/cuda*/targets/x86_64-linux/lib/stubs/libcuda.so")
        if stubs:
            made["stub"] = self.scratch + "/stub"
            os.makedirs(made["stub"])
            os.symlink(stubs[0], made["stub"] + "/libcuda.so.1")
        compat = glob.glob("/usr/local/cuda*/compat/libcuda.so.1")
        if compat:
            made["compat"] = os.path.dirname(compat[0])
        return made

    def copy(self, folder, cell):
        """The environment of the cell."""
        venv = folder + "/venv"
        site = venv + "/lib/" + os.path.basename(os.path.dirname(self.site)) + "/site-packages"
        os.makedirs(site)
        os.makedirs(venv + "/bin")
        os.symlink(self.base, venv + "/bin/python")
        shutil.copy(self.prefix + "/pyvenv.cfg", venv + "/pyvenv.cfg")
        for source in [self.site] + ([self.extra] if cell.framework == "keras" and self.extra else []):
            for name in os.listdir(source):
                target = os.path.join(site, name)
                if os.path.lexists(target) or (name.startswith("keras") and cell.framework != "keras"):
                    continue
                if name in PRIVATE:
                    hard_copy(os.path.join(source, name), target)
                else:
                    os.symlink(os.path.join(source, name), target)
        if cell.edit:
            cell.edit(site)
        return venv, site

    def command(self, cell, words):
        quoted = " ".join("'" + word.replace("'", "'\\''") + "'" for word in words)
        if cell.user:
            quoted = "setpriv --reuid 65534 --regid 65534 --clear-groups " + quoted
        lines = []
        if cell.nodes is not None:
            lines += ["mount -t tmpfs none /dev", "mknod -m 666 /dev/null c 1 3", "mknod -m 666 /dev/zero c 1 5",
                      "mknod -m 666 /dev/urandom c 1 9", "mknod -m 666 /dev/random c 1 8", "mkdir -m 1777 /dev/shm"]
            for name, mode in cell.nodes.items():
                number = f"{uvm_major()} 0" if name == "nvidia-uvm" else f"195 {NODES[name]}"
                lines.append(f"mknod -m {mode:o} /dev/{name} c {number}")
        lines += [f"mount -t tmpfs none '{folder}'" for folder in cell.hide]
        if not lines:
            return ["sh", "-c", "exec " + quoted]
        return ["unshare", "-m", "sh", "-c", " && ".join(lines) + " && exec " + quoted]


def uvm_major():
    with open("/proc/devices") as file:
        for line in file:
            number, _, name = line.strip().partition(" ")
            if name == "nvidia-uvm":
                return number
    return "0"


def ask(machine, number, cell):
    folder = f"{machine.scratch}/cell-{number}"
    os.makedirs(folder + "/work")
    started = time.time()
    try:
        venv, site = machine.copy(folder, cell)
        for name, content in cell.files.items():
            path = folder + "/work/" + name
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w") as file:
                file.write(content)
        python = venv + "/bin/python"
        environment = {"PATH": venv + "/bin:/usr/local/cuda/bin:/usr/bin:/bin", "HOME": folder + "/work", "LANG": "C.UTF-8",
                       "LD_LIBRARY_PATH": DRIVER_PATH, "XLA_PYTHON_CLIENT_PREALLOCATE": "false", "PYTHONDONTWRITEBYTECODE": "1",
                       "CUDA_CACHE_DISABLE": "1"}
        if cell.variables == "PYTHONPATH elsewhere":
            environment["PYTHONPATH"] = os.path.dirname(site) + "/elsewhere"
        elif cell.variables == "KERAS_HOME":
            environment["KERAS_HOME"] = folder + "/work/keras"
        else:
            environment.update(cell.variables)
        os.chmod(folder, 0o755)
        if cell.user:
            os.chown(folder + "/work", 65534, 65534)

        def run(words):
            try:
                return subprocess.run(machine.command(cell, words), env=environment, cwd=folder + "/work", capture_output=True,
                                      text=True, errors="replace", timeout=DEADLINE)
            except subprocess.TimeoutExpired as late:
                return subprocess.CompletedProcess(words, 124, "", "deadline passed: " + str(late.stderr)[-200:])

        # -c puts the working directory first on sys.path, as a script's directory would be
        real = run([python, "-c", ASK[cell.framework]])
        ours = run([machine.options.gpuwhy, "check", "--python", python, "--json"])
        if cell.record:
            stem = re.sub(r"[^a-z0-9]+", "_", f"{cell.framework} {cell.name}".lower())
            done = run([machine.options.gpuwhy, "snapshot", "--python", python, "--tape", f"{machine.options.out}/{stem}.tape"])
            if done.stdout:
                with open(f"{machine.options.out}/{stem}.json", "w") as file:
                    file.write(done.stdout)
        return real, ours, time.time() - started
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def framework_says(real):
    found = re.search(r"^ANSWER (.*)$", real.stdout, re.M)
    if not found:
        listed = re.search(r"^LISTED [1-9]", real.stdout, re.M)
        return "breaks" if listed else "no_gpu", f"died: {real.returncode} " + real.stderr[-300:]
    answer = json.loads(found[1])
    if not answer["listed"]:
        return "no_gpu", answer["error"]
    return ("gpu" if answer["computed"] else "breaks"), answer["error"]


def gpuwhy_says(ours, framework):
    try:
        report = json.loads(ours.stdout)
        [verdict] = [each for each in report["verdicts"] if each["framework"] == framework][:1]
    except (ValueError, KeyError):
        return "broken", [], ours.stderr[-300:]
    causes = verdict["causes"]
    said = verdict["verdict"]
    if said == "gpu" and any(cause.get("effect") == "breaks" for cause in causes):
        said = "breaks"
    detail = "; ".join(f"{cause['id']} {cause['summary']}" for cause in causes) or "; ".join(verdict.get("unknown", []))
    return said, [cause["id"] for cause in causes], detail


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gpuwhy", default="build/release/gpuwhy")
    parser.add_argument("--python", default="/opt/torch/.venv/bin/python")
    parser.add_argument("--out", default=os.environ.get("OUT", "."))
    parser.add_argument("--jobs", type=int, default=10)
    parser.add_argument("--wheels", help="folder of wheels: keras and what the environment lacks for it")
    parser.add_argument("--only", default="", help="cells with this word in framework or name")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    options.gpuwhy = os.path.abspath(options.gpuwhy)
    options.out = os.path.abspath(options.out)
    told = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True) if shutil.which("nvidia-smi") else None
    uuid = re.search(r"UUID: (GPU-[0-9a-f-]+)", told.stdout if told else "")
    uuid = uuid[1] if uuid else "GPU-00000000"
    if options.list:
        for cell in jax_cells(uuid, {"text": "", "junk": "", "stub": "s", "compat": "c"}, []) + \
                torch_cells(uuid, {"text": "", "junk": "", "stub": "s", "compat": "c"}, []) + keras_cells():
            print(f"{cell.framework:6} {'/'.join(sorted(cell.causes)) or '-':8} {cell.name}")
        return 0
    os.makedirs(options.out, exist_ok=True)
    os.chmod(options.out, 0o777)  # cells of another user write there too
    machine = Machine(options)
    try:
        machine.hide_system_copies()
        folders = machine.folders()
        toolkit = sorted({os.path.realpath(path) for path in glob.glob("/usr/local/cuda*") if os.path.isdir(path)})
        cells = jax_cells(uuid, folders, toolkit) + torch_cells(uuid, folders, toolkit)
        if machine.extra:
            cells += keras_cells()
        cells = [cell for cell in cells if options.only in cell.framework + " " + cell.name]
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            results = list(pool.map(lambda pair: attempt(machine, *pair), enumerate(cells)))
    finally:
        machine.close()
    return table(cells, results)


def attempt(machine, number, cell):
    try:
        return ask(machine, number, cell)
    except Exception as error:  # a cell that could not be built is a wrong cell, not the end of the run
        failed = subprocess.CompletedProcess([], 1, "", "the cell could not be made: " + repr(error))
        return failed, failed, 0.0


def table(cells, results):
    right = collections.Counter()
    for cell, (real, ours, seconds) in zip(cells, results):
        truth, error = framework_says(real)
        said, causes, detail = gpuwhy_says(ours, cell.framework)
        named = bool(causes) and causes[0] in cell.causes if cell.causes else not causes
        seeded = truth != "gpu" if cell.causes else truth == "gpu"
        spared = cell.spares and truth == "gpu" and said == "breaks"
        good = named and (truth == said and seeded or spared)
        right[cell.framework] += good
        print(f"{'ok   ' if good else 'WRONG'} {cell.framework:6} {cell.name:44} framework {truth:7} gpuwhy {said:8} "
              f"seeded {'/'.join(sorted(cell.causes)) or '-':8} named {' '.join(causes) or '-'} ({seconds:.0f} s)")
        if not good:
            print("      framework: " + (error or "-").replace("\n", " ")[-400:])
            print("      gpuwhy:    " + (detail or "-").replace("\n", " ")[:400])
    for framework, count in collections.Counter(cell.framework for cell in cells).items():
        print(f"{framework}: {right[framework]} of {count} cells right")
    total = sum(right.values())
    print(f"{total} passed, {len(cells) - total} failed")
    return 0 if total == len(cells) else 1


if __name__ == "__main__":
    sys.exit(main())
