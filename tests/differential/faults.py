"""The faults: each breaks a cell's workspace in one way and names the cause that gpuwhy must find.

    @fault("L03", "cuDNN removed")
    def cudnn_removed(cell): ...

A cause of None: this is no fault, and a tool that names one is wrong.
"""

import os

from machine import HOME
from workspace import CELL, DRIVER, DRIVER_VERSION, GPU, SITE, VENV

NVIDIA = SITE + "/nvidia"
TENSORFLOW = SITE + "/tensorflow"
UUID = "GPU-57ab0000-0000-4000-8000-000000000000"  # of the stub driver's first GPU
OLD_DRIVER = "470.256.02"


class Fault:
    def __init__(self, cause, text, apply):
        self.cause, self.text, self.apply = cause, text, apply
        self.name = apply.__name__


def fault(cause, text):
    return lambda apply: Fault(cause, text, apply)


# ---- Environment variables ----

def variable(cause, text, **variables):
    def apply(cell):
        cell.set(**variables)
    apply.__name__ = "_".join(f"{name}={value}" for name, value in variables.items())
    return Fault(cause, text, apply)


def visible(value, cause, text):
    return variable(cause, f"CUDA_VISIBLE_DEVICES={value!r}: {text}", CUDA_VISIBLE_DEVICES=value)


hidden_by_minus_one = visible("-1", "E01", "hides all")
hidden_by_empty = visible("", "E01", "hides all")
hidden_by_blanks = visible("  ", "E01", "hides all")
hidden_by_name = visible("NoDevFiles", "E01", "hides all")
named_twice = visible("0,0", "E02", "twice the same")
no_such_index = visible("7", "E02", "there is only 0")
no_such_uuid = visible("GPU-00000000-0000-0000-0000-000000000000", "E02", "no such GPU")
no_such_mig = visible("MIG-57ab0000-0000-4000-8000-000000000000", "E02", "the GPU is not divided")
docker_word = visible("all", "E02", "a word of NVIDIA_VISIBLE_DEVICES")
bracketed = visible("[0]", "E02", "not a number")
second_first = visible("1,0", "E02", "cut before the GPU that exists")
shown_first = visible("0,7", None, "the list is cut behind the GPU")
shown_by_uuid = visible(UUID, None, "the GPU by its UUID")
shown_with_blank = visible(" 0", None, "a blank before the number")
unknown_order = variable("E02", "CUDA_DEVICE_ORDER of another word", CUDA_DEVICE_ORDER="PCI")
jax_variable = variable(None, "JAX_PLATFORMS=cpu: not TensorFlow's", JAX_PLATFORMS="cpu")
cuda_home_wrong = variable(None, "CUDA_HOME of a directory that is not there: not read", CUDA_HOME="/usr/local/cuda-9.0")
void_in_container_variable = variable(None, "NVIDIA_VISIBLE_DEVICES=void outside a container: not read",
                                      NVIDIA_VISIBLE_DEVICES="void")


# ---- Libraries, removed ----

def removed(soname, cause, text=None):
    def apply(cell):
        cell.remove(cell.find(soname))
    apply.__name__ = "removed_" + soname
    return Fault(cause, text or f"{soname} removed", apply)


def without(cause, text, *distributions):
    def apply(cell):
        for distribution in distributions:
            cell.uninstall(distribution)
    apply.__name__ = "without_" + "_".join(distributions)
    return Fault(cause, text, apply)


@fault("F05", "the CUDA extra is not installed")
def extras_absent(cell):
    for distribution in cell.nvidia_wheels():
        cell.uninstall(distribution)


@fault("F05", "the CUDA extra is half removed")
def extras_half_removed(cell):
    for distribution in cell.nvidia_wheels():
        if any(word in distribution for word in ("cudnn", "cublas", "cufft", "cusolver", "cusparse", "runtime")):
            cell.uninstall(distribution)


@fault("L05", "the NVIDIA wheels are in the user's site-packages, not beside TensorFlow")
def wheels_in_user_site(cell):
    user = "/srv/cell/user/lib/python3.11/site-packages"
    cell.rename(NVIDIA, user + "/nvidia")
    for name in sorted(os.listdir(cell.host(SITE))):
        if name.startswith("nvidia_"):
            cell.rename(f"{SITE}/{name}", f"{user}/{name}")
    cell.set(PYTHONPATH=user)


# ---- Libraries, broken ----

def cut(soname, size, text, cause="L07"):
    def apply(cell):
        cell.cut(cell.find(soname), size)
    apply.__name__ = f"cut_{soname}_{size}"
    return Fault(cause, text, apply)


@fault("L07", "libcublas.so.12 is a Git LFS pointer")
def cublas_is_text(cell):
    cell.write(cell.find("libcublas.so.12"), "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 9\n")


@fault("L07", "libcudart.so.12 is built for another processor (the aarch64 wheel)")
def cudart_of_aarch64(cell):
    cell.install_wheel("cudart-aarch64")


@fault("L07", "libcufft.so.11 is a 32-bit file")
def cufft_of_32_bits(cell):
    cell.patch(cell.find("libcufft.so.11"), 4, b"\x01")


@fault("L07", "libcusparse.so.12 is a link to a file that is gone")
def cusparse_dangles(cell):
    path = cell.find("libcusparse.so.12")
    cell.link(path, "libcusparse.so.12.9.9")


@fault("L07", "libcufft.so.11 may not be read by this user")
def cufft_unreadable(cell):
    cell.mode(cell.find("libcufft.so.11"), 0o600)


@fault("L07", "the directory of the cuDNN wheel may not be read by this user")
def cudnn_directory_unreadable(cell):
    cell.mode(os.path.dirname(cell.find("libcudnn.so.9")), 0o700)


@fault("L07", "libcusolver.so.11 is a directory")
def cusolver_is_directory(cell):
    path = cell.find("libcusolver.so.11")
    cell.remove(path)
    cell.write(path + "/README", "unpacked here\n")


# ---- Libraries, of other versions ----

@fault("L04", "the cuDNN wheel is an older minor version, 9.1 for 9.3")
def cudnn_older_minor(cell):
    cell.uninstall("nvidia-cudnn-cu12")
    cell.install_wheel("cudnn-9.1")


@fault("L11", "the cuDNN wheel is of another major version, 8.9 for 9.3")
def cudnn_other_major(cell):
    cell.uninstall("nvidia-cudnn-cu12")
    cell.install_from("cuda-2.15", "nvidia/cudnn", "nvidia_cudnn_cu12-8.9.4.25.dist-info")


@fault("L11", "the nvJitLink wheel is older than cuSPARSE needs, 12.1 for 12.5")
def nvjitlink_older(cell):
    cell.uninstall("nvidia-nvjitlink-cu12")
    cell.install_wheel("nvjitlink-12.1")


@fault("L01", "only the runtime of CUDA 13 is installed, where TensorFlow does not look for one")
def cudart_of_cuda_13(cell):
    cell.uninstall("nvidia-cuda-runtime-cu12")
    cell.install_wheel("cudart-13")


@fault("L04", "an older cuDNN is met first, through LD_LIBRARY_PATH")
def cudnn_shadowed_by_older(cell):
    cell.install_wheel("cudnn-9.1", CELL + "/old")
    cell.library_path(CELL + "/old/nvidia/cudnn/lib")


@fault("L06", "a cuSOLVER that lacks what it needs is met first, through LD_LIBRARY_PATH")
def cusolver_shadowed(cell):
    path = cell.find("libcusolver.so.11")
    cell.duplicate(path, "/opt/solver/lib/libcusolver.so.11")
    cell.library_path("/opt/solver/lib")


@fault("L07", "an empty libcudnn.so.9 is met first, through LD_LIBRARY_PATH")
def cudnn_shadowed_by_empty(cell):
    cell.write("/opt/download/libcudnn.so.9", "")
    cell.library_path("/opt/download")


@fault(None, "a 32-bit libcudnn.so.9 stands first on LD_LIBRARY_PATH: it is passed over")
def cudnn_shadowed_by_other_class(cell):
    cell.write("/opt/old/libcudnn.so.9", b"\x7fELF\x01\x01\x01" + b"\0" * 9 + b"\x03\0\x03\0" + b"\0" * 100)
    cell.library_path("/opt/old")


@fault(None, "LD_LIBRARY_PATH leads to directories without CUDA, one of them gone")
def library_path_harmless(cell):
    cell.write("/opt/other/lib/libother.so.1", "not a library")
    cell.library_path("/opt/other/lib", "/opt/gone")


# ---- CUDA of the system, for a TensorFlow that brings none (2.12) ----
# Empty libraries under the right names: TensorFlow 2.12 only opens them.

CUDA_11 = ("libcudart.so.11.0", "libcublas.so.11", "libcublasLt.so.11", "libcufft.so.10", "libcurand.so.10",
           "libcusolver.so.11", "libcusparse.so.11")
TOOLKIT_11 = "/usr/local/cuda-11.8/lib64"


def _toolkit_11(cell, folder=TOOLKIT_11, without=()):
    for name in CUDA_11:
        if name not in without:
            cell.copy_stub("cuda11/" + name, f"{folder}/{name}")
    if "libcudnn.so.8" not in without:
        cell.copy_stub("cudnn8/libcudnn.so.8", f"{folder}/libcudnn.so.8.9.4")
        cell.link(f"{folder}/libcudnn.so.8", "libcudnn.so.8.9.4")


def toolkit_11(cause, text, name, cached=True, configured=True, without=(), folder=TOOLKIT_11):
    def apply(cell):
        _toolkit_11(cell, folder, without)
        cell.configure(folder, cached=cached, configured=configured)
    apply.__name__ = name
    return Fault(cause, text, apply)


toolkit = toolkit_11(None, "CUDA 11.8 of the system, in the loader's cache", "toolkit")
toolkit_not_cached = toolkit_11("L05", "libtree (a): configured in ld.so.conf.d, ldconfig not run", "toolkit_not_cached", cached=False)
toolkit_not_configured = toolkit_11(None, "libtree (b): in the cache, the line in ld.so.conf.d is gone", "toolkit_not_configured",
                                    configured=False)
toolkit_nowhere = toolkit_11("L05", "CUDA 11.8 is unpacked, and neither configured nor cached", "toolkit_nowhere",
                             cached=False, configured=False)
toolkit_without_curand = toolkit_11("L09", "CUDA 11.8 without cuRAND, which only this release opens", "toolkit_without_curand",
                                    without=("libcurand.so.10",))
toolkit_without_cudnn = toolkit_11("L03", "CUDA 11.8 without cuDNN", "toolkit_without_cudnn", without=("libcudnn.so.8",))


@fault(None, "libtree (c): the libraries only in glibc-hwcaps/x86-64-v2")
def toolkit_in_hwcaps(cell):
    _toolkit_11(cell, TOOLKIT_11 + "/glibc-hwcaps/x86-64-v2")
    cell.configure(TOOLKIT_11)


@fault(None, "CUDA 11.8 through LD_LIBRARY_PATH alone")
def toolkit_by_library_path(cell):
    _toolkit_11(cell)
    cell.library_path(TOOLKIT_11)


@fault("L05", "CUDA 11.8 in the configured directories, and no loader cache at all")
def no_loader_cache(cell):
    _toolkit_11(cell)
    cell.configure(TOOLKIT_11)
    cell.machine["cached"] = None
    cell.library_path(DRIVER)


@fault("F15", "CUDA 12 of the system, for a TensorFlow built with CUDA 11")
def toolkit_of_cuda_12(cell):
    folder = "/usr/local/cuda-12.5/lib64"
    for name in ("cuda_runtime/lib/libcudart.so.12", "cublas/lib/libcublas.so.12", "cublas/lib/libcublasLt.so.12",
                 "cufft/lib/libcufft.so.11", "curand/lib/libcurand.so.10", "cusolver/lib/libcusolver.so.11",
                 "cusparse/lib/libcusparse.so.12", "cudnn/lib/libcudnn.so.9", "nvjitlink/lib/libnvJitLink.so.12"):
        cell.copy_real("cuda-2.18", "nvidia/" + name, f"{folder}/{os.path.basename(name)}")
    cell.configure(folder)


# ---- TensorFlow itself ----

def packages_on_path(*folders):
    def apply(cell):
        cell.library_path(*(f"{NVIDIA}/{folder}/lib" for folder in folders))
    apply.__name__ = "path_" + "_".join(folders)
    return Fault(None, f"LD_LIBRARY_PATH leads to {', '.join(folders)}", apply)


EVERY_WHEEL = ("cublas", "cuda_runtime", "cudnn", "cufft", "cusolver", "cusparse", "nvjitlink")
every_wheel_on_path = packages_on_path(*EVERY_WHEEL)
cusolver_on_path = packages_on_path("cusolver")


@fault("L05", "this release does not look into all of its wheels")
def short_runpath(cell):
    del cell


@fault("F06", "tensorflow-cpu installed over tensorflow")
def cpu_over_gpu(cell):
    cell.uninstall("tensorflow")
    cell.install_from("cpu-2.18", "tensorflow", "tensorflow_cpu-2.18.1.dist-info")
    cell.write(SITE + "/tensorflow-2.18.1.dist-info/METADATA", "Metadata-Version: 2.1\nName: tensorflow\nVersion: 2.18.1\n")
    cell.write(SITE + "/tensorflow-2.18.1.dist-info/RECORD", "tensorflow/__init__.py,,\n")


@fault(None, "tensorflow installed over tensorflow-cpu: the GPU build won, and works")
def gpu_over_cpu(cell):
    cell.install_from("cpu-2.18", "tensorflow_cpu-2.18.1.dist-info")


@fault("F10", "a tensorflow.py in the working directory")
def module_shadows(cell):
    cell.write(HOME + "/tensorflow.py", "print('my first network')\n")


@fault("F02", "the build is for the CPU")
def cpu_build(cell):
    del cell


@fault("F11", "TensorFlow is not installed; the Keras that came with it is")
def not_installed(cell):
    cell.uninstall("tensorflow-cpu")


@fault("F10", "libtensorflow_framework.so.2 is gone")
def framework_library_gone(cell):
    cell.remove(TENSORFLOW + "/libtensorflow_framework.so.2")


@fault("F10", "the download of libtensorflow_cc.so.2 broke off")
def framework_cut(cell):
    cell.cut(TENSORFLOW + "/libtensorflow_cc.so.2", 4096)


@fault(None, "TensorFlow is found through PYTHONPATH, not in the environment")
def by_python_path(cell):
    cell.rename(SITE, CELL + "/modules/site-packages")
    cell.make_directory(SITE)
    cell.set(PYTHONPATH=CELL + "/modules/site-packages")


# ---- The driver and the way to it ----

@fault("H01", "no GPU in the machine")
def no_gpu(cell):
    cell.machine.update(gpus=[], nodes={}, module=None, uvm=False)
    _drop_driver(cell)


def _drop_driver(cell):
    cell.remove(DRIVER)


@fault("H02", "only an AMD GPU in the machine")
def amd_gpu(cell):
    cell.machine.update(gpus=[{"vendor": "1002", "device": "744c", "driver": "amdgpu"}], nodes={}, module=None, uvm=False)
    _drop_driver(cell)


@fault("H03", "no driver installed")
def no_driver(cell):
    cell.machine.update(gpus=[{**GPU, "driver": None}], nodes={}, module=None, uvm=False)
    _drop_driver(cell)


@fault("H03", "the module runs, libcuda.so.1 is not installed")
def no_libcuda(cell):
    for name in (f"libcuda.so.{DRIVER_VERSION}", "libcuda.so.1"):
        cell.remove(f"{DRIVER}/{name}")


@fault("H03", "libcuda.so.1 is a link to a driver that was removed")
def libcuda_dangles(cell):
    cell.link(DRIVER + "/libcuda.so.1", "libcuda.so.560.35.03")
    cell.remove(f"{DRIVER}/libcuda.so.{DRIVER_VERSION}")


@fault("H04", "nouveau holds the GPU")
def nouveau(cell):
    cell.machine.update(gpus=[{**GPU, "driver": "nouveau"}], nodes={}, module=None, uvm=False, nouveau=True)
    _drop_driver(cell)


@fault("H05", "the module is of another driver than the libraries")
def driver_mismatch(cell):
    cell.machine.update(module="550.163.01")
    cell.set(STUB_CUDA_INIT="803", STUB_NVML_INIT="18")


@fault("H08", "the device nodes are missing, and this user may not make them")
def nodes_missing(cell):
    cell.machine.update(nodes={"nvidia-uvm": 0o666})


@fault("H08", "this user may not open the device nodes")
def nodes_forbidden(cell):
    cell.machine.update(nodes={"nvidia0": 0o660, "nvidiactl": 0o660, "nvidia-uvm": 0o660})


@fault("H09", "nvidia-uvm is not loaded")
def uvm_missing(cell):
    cell.machine.update(uvm=False, nodes={"nvidia0": 0o666, "nvidiactl": 0o666})


@fault("H10", "the driver is older than CUDA 12 needs")
def driver_too_old(cell):
    _replace_driver(cell, OLD_DRIVER)
    cell.set(STUB_CUDA_VERSION="11040")


@fault(None, "driver 535 (CUDA 12.2) under a build of CUDA 12.5: minor version compatibility")
def driver_of_older_minor(cell):
    _replace_driver(cell, "535.183.01")
    cell.set(STUB_CUDA_VERSION="12020")


def _replace_driver(cell, version):
    _drop_driver(cell)
    cell.install_driver(version)
    cell.machine["module"] = version


@fault("L08", "the toolkit's stub is met first, through LD_LIBRARY_PATH")
def stub_first(cell):
    folder = "/usr/local/cuda-12.5/lib64/stubs"
    cell.copy_stub("stubs/libcuda.so.1", folder + "/libcuda.so")
    cell.link(folder + "/libcuda.so.1", "libcuda.so")
    cell.library_path(folder)


@fault("L08", "the toolkit's stub is in the loader's cache, and the driver is not")
def stub_cached(cell):
    folder = "/usr/local/cuda-12.5/lib64/stubs"
    cell.copy_stub("stubs/libcuda.so.1", folder + "/libcuda.so")
    cell.link(folder + "/libcuda.so.1", "libcuda.so")
    cell.machine.update(configured=[folder, DRIVER], cached=[folder, DRIVER])


@fault("C01", "a container without the GPU")
def container_without_gpu(cell):
    cell.machine.update(container=True, nodes={})
    _drop_driver(cell)


@fault("C02", "a container with the device nodes, but not the driver's libraries")
def container_without_libraries(cell):
    cell.machine.update(container=True)
    _drop_driver(cell)


@fault("C02", "a container with NVIDIA_DRIVER_CAPABILITIES=utility")
def container_without_compute(cell):
    cell.machine.update(container=True)
    for name in (f"libcuda.so.{DRIVER_VERSION}", "libcuda.so.1"):
        cell.remove(f"{DRIVER}/{name}")
    cell.set(NVIDIA_DRIVER_CAPABILITIES="utility", NVIDIA_VISIBLE_DEVICES="all")


@fault(None, "a container with the GPU")
def container_with_gpu(cell):
    cell.machine.update(container=True)


@fault(None, "root in place of an ordinary user")
def as_root(cell):
    cell.machine.update(root=True)


driver_not_ready = variable("H14", "the driver answers 802: the fabric manager does not run", STUB_CUDA_INIT="802")
nvml_not_ready = variable("H18", "NVML does not start, and nothing shows why", STUB_NVML_INIT="999")


@fault("L05", "the driver's directory is configured, ldconfig not run since")
def driver_not_cached(cell):
    cell.machine["cached"].remove(DRIVER)


def nvml_gone(cause, container=False):
    def apply(cell):
        for name in (f"libnvidia-ml.so.{DRIVER_VERSION}", "libnvidia-ml.so.1"):
            cell.remove(f"{DRIVER}/{name}")
        if container:
            cell.machine.update(container=True)
            cell.set(NVIDIA_DRIVER_CAPABILITIES="compute", NVIDIA_VISIBLE_DEVICES="all")
    apply.__name__ = "nvml_gone" + ("_in_container" if container else "")
    text = "the driver's libnvidia-ml.so.1 is missing" + (", NVIDIA_DRIVER_CAPABILITIES=compute" if container else "")
    return Fault(cause, text, apply)


gpu_too_old = variable("H11", "a GPU of compute capability 3.0", STUB_CUDA_CC="3.0")
gpu_from_ptx = variable(None, "a GPU of compute capability 12.0: no machine code for it, but PTX that this driver compiles",
                        STUB_CUDA_CC="12.0")
@fault("H12", "a GPU of compute capability 12.0, and a driver that does not read the build's PTX")
def gpu_too_new(cell):
    _replace_driver(cell, "525.60.13")
    cell.set(STUB_CUDA_CC="12.0", STUB_CUDA_VERSION="12000")


gpu_same_major = variable(None, "a GPU of 8.9 under a build without code for it: 8.x serves", STUB_CUDA_CC="8.9")

@fault("H16", "two GPUs, one with 5 multiprocessors")
def second_gpu_small(cell):
    cell.machine["gpus"].append(dict(GPU))
    cell.machine["nodes"]["nvidia1"] = 0o666
    cell.set(STUB_CUDA_DEVICES="2", STUB_CUDA_SMS="128,5")


limit_above_all = variable("H16", "TF_MIN_GPU_MULTIPROCESSOR_COUNT above what the GPU has", TF_MIN_GPU_MULTIPROCESSOR_COUNT="200")
only_gpu_small = variable(None, "one GPU with 5 multiprocessors: the best is never refused", STUB_CUDA_SMS="5")
