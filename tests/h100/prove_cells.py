"""Seeded faults on a real GPU: does `gpuwhy prove` fail at the layer where the fault was put?

    prove_cells.py GPUWHY OUT [--site DIR] [--toolkit DIR] [--old-cudnn DIR] [CELL...]

Root on a machine that may be thrown away: copies of libraries are renamed for a while and device nodes
are hidden in mount namespaces. A stand-in for TensorFlow (its search path and build info) is made with
the C compiler; the libraries are the real ones of NVIDIA's wheels for CUDA 13. OUT gets cells.json.
"""
import argparse
import json
import os
import shutil
import subprocess
import sysconfig
import time

parser = argparse.ArgumentParser()
parser.add_argument("gpuwhy")
parser.add_argument("out")
parser.add_argument("cells", nargs="*")
parser.add_argument("--site", default=sysconfig.get_paths()["purelib"], help="site-packages with nvidia/cu13, cudnn and nccl")
parser.add_argument("--toolkit", default="/usr/local/cuda/lib64", help="libraries of a CUDA toolkit, with stubs/ and a compat folder")
parser.add_argument("--old-cudnn", default="/usr/lib/x86_64-linux-gnu", help="a folder with parts of another cuDNN 9")
options = parser.parse_args()
SITE, TOOLKIT, SYSTEM, OUT, ONLY = options.site, options.toolkit, options.old_cudnn, options.out, options.cells
STUBS = f"{TOOLKIT}/stubs"
PYTHON = sysconfig.get_python_version()
DRIVER = next((folder for folder in ("/usr/local/nvidia/lib64", "/usr/lib/x86_64-linux-gnu", "/usr/lib64")
               if os.path.exists(f"{folder}/libnvidia-ptxjitcompiler.so.1")), "")
COMPAT = os.path.realpath(TOOLKIT)
while not os.path.isdir(f"{COMPAT}/compat") and COMPAT != "/":
    COMPAT = os.path.dirname(COMPAT)
COMPAT += "/compat"
ROOT = "/tmp/cells"
shutil.rmtree(ROOT, ignore_errors=True)
os.makedirs(ROOT, mode=0o755)
GPUWHY = f"{ROOT}/gpuwhy"
shutil.copy(options.gpuwhy, GPUWHY)


def stand_in(package):
    """What the dynamic loader sees of TensorFlow: an object with its RUNPATH, and one that needs it."""
    source = f"{ROOT}/standin.c"
    with open(source, "w") as file:
        file.write("int standin;\n")
    opener = f"{package}/libtensorflow_framework.so.2"
    search = ":".join(f"$ORIGIN/../nvidia/{folder}/lib" for folder in ("cu13", "cudnn", "nccl"))
    common = ["gcc", "-shared", "-fPIC", source, "-Wl,--enable-new-dtags", "-Wl,--no-as-needed"]
    subprocess.run([*common, "-o", opener, "-Wl,-soname,libtensorflow_framework.so.2", f"-Wl,-rpath,{search}"], check=True)
    subprocess.run([*common, "-o", f"{package}/python/_pywrap_tensorflow_internal.so", opener, "-Wl,-rpath,$ORIGIN/.."], check=True)


def environment(name):
    """A venv with a stand-in for TensorFlow (its search path and build info) and links to the real CUDA wheels."""
    prefix = f"{ROOT}/{name}"
    site = f"{prefix}/lib/python{PYTHON}/site-packages"
    os.makedirs(f"{site}/tensorflow/python/platform")
    os.makedirs(f"{prefix}/bin")
    os.symlink("/usr/bin/python3", f"{prefix}/bin/python3")
    os.symlink("python3", f"{prefix}/bin/python")
    open(f"{prefix}/pyvenv.cfg", "w").write("home = /usr/bin\ninclude-system-site-packages = false\n" f"version = {PYTHON}.0\n")
    open(f"{site}/tensorflow/__init__.py", "w").close()
    stand_in(f"{site}/tensorflow")
    open(f"{site}/tensorflow/python/platform/build_info.py", "w").write(
        "import collections\n"
        "build_info = collections.OrderedDict([('cpu_compiler', 'clang'), ('cuda_compute_capabilities', ['sm_90', 'compute_90']), "
        "('cuda_version', '13.0.1'), ('cudnn_version', '9'), ('is_cuda_build', True), ('is_rocm_build', False), ('is_tensorrt_build', False)])\n")
    os.makedirs(f"{site}/tensorflow-2.21.0.dist-info")
    open(f"{site}/tensorflow-2.21.0.dist-info/METADATA", "w").write("Metadata-Version: 2.1\nName: tensorflow\nVersion: 2.21.0\n\n")
    open(f"{site}/tensorflow-2.21.0.dist-info/INSTALLER", "w").write("pip\n")
    for package in ("cu13", "cudnn", "nccl"):
        lib = f"{site}/nvidia/{package}/lib"
        os.makedirs(lib)
        for file in os.listdir(f"{SITE}/nvidia/{package}/lib"):
            if ".so" in file:
                os.symlink(f"{SITE}/nvidia/{package}/lib/{file}", f"{lib}/{file}")
    return prefix, f"{site}/nvidia"


def hog(leave):
    """Takes all memory of GPU 0 but `leave` bytes; gives the process."""
    code = f"""
import ctypes, sys
cu = ctypes.CDLL('libcuda.so.1')
cu.cuInit(0)
ctx = ctypes.c_void_p()
cu.cuDevicePrimaryCtxRetain(ctypes.byref(ctx), 0)
cu.cuCtxSetCurrent(ctx)
free, total = ctypes.c_size_t(), ctypes.c_size_t()
cu.cuMemGetInfo_v2(ctypes.byref(free), ctypes.byref(total))
p = ctypes.c_uint64()
r = cu.cuMemAlloc_v2(ctypes.byref(p), ctypes.c_size_t(free.value - {leave}))
cu.cuMemGetInfo_v2(ctypes.byref(free), ctypes.byref(total))
print(r, free.value, flush=True)
sys.stdin.read()
"""
    process = subprocess.Popen(["python3", "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    print("   hog:", process.stdout.readline().strip(), flush=True)
    return process


ROWS, RECORDS = [], {}


def prove(name, expected, arguments=(), prefix=None, extra=None, wrap=(), limit=60, as_json=True):
    if ONLY and name not in ONLY:
        return None
    variables = dict(os.environ, **(extra or {}))
    variables = {k: v for k, v in variables.items() if v is not None}
    command = [*wrap, GPUWHY, "prove", *(["--json"] if as_json else []), *(["--python", prefix + "/bin/python"] if prefix else []), *arguments]
    start = time.monotonic()
    try:
        done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=limit)
        taken = time.monotonic() - start
        try:
            report = json.loads(done.stdout)
        except ValueError:
            report = None
        rc = done.returncode
        errors = done.stderr
        out = done.stdout
    except subprocess.TimeoutExpired:
        report, rc, errors, taken, out = None, "HANG", "", limit, ""
    layer = report["failed_layer"] if report else f"rc {rc}"
    wanted = expected if isinstance(expected, (list, tuple)) else [expected]
    good = layer in wanted
    failed = next((l for l in report["layers"] if l["layer"] == layer), {}) if report else {}
    why = failed.get("summary") or (report["conclusion"] if report else (errors or out).strip()[:160])
    explained = report and report["explanation"] and (report["explanation"]["id"] + ("" if report["explanation"]["found_by_check"] else " by code"))
    ROWS.append((name, wanted[0], layer, good, f"{taken:.2f} s", explained, why))
    print(("ok  " if good else "BAD ") + f"{name:34} want {str(wanted[0]):10} got {str(layer):10} {taken:5.2f} s  {explained}  {str(why)[:150]}", flush=True)
    RECORDS[name] = report if report else {"rc": rc, "stderr": errors, "stdout": out}
    return report


def nodes(setup):
    """A mount namespace with only some device nodes, as an ordinary user."""
    script = ("mount -t tmpfs none /dev && mknod -m 666 /dev/null c 1 3 && mknod -m 666 /dev/zero c 1 5 && mknod -m 666 /dev/random c 1 8 && "
              "mknod -m 666 /dev/urandom c 1 9 && mkdir -m 1777 /dev/shm && " + setup + ' exec setpriv --reuid=65534 --regid=65534 --clear-groups "$0" "$@"')
    return ("unshare", "-m", "sh", "-c", script)


def uvm_major():
    for line in open("/proc/devices"):
        if line.split()[1:] == ["nvidia-uvm"]:
            return line.split()[0]
    return "238"


subprocess.run(["chmod", "-R", "a+rX", ROOT])
libs = os.environ.get("LD_LIBRARY_PATH", "")
print("== healthy", flush=True)
base, nvidia = environment("healthy")
prove("healthy", None, prefix=base)
prove("healthy quick", None, ["--quick"], prefix=base)
prove("healthy quick again", None, ["--quick"], prefix=base)
prove("healthy full", None, ["--full", "--memory", "8GiB"], prefix=base, limit=120)
for framework in ("torch", "jax"):
    prove(f"healthy {framework}", None, ["--framework", framework])
for extra in ((), ("--quick",), ("-v",)):
    done = subprocess.run([GPUWHY, "prove", "--python", base + "/bin/python", *extra], capture_output=True, text=True)
    print(done.stdout, done.stderr, flush=True)

print(subprocess.run("ls -laR ~/.nv 2>&1 | head", shell=True, capture_output=True, text=True).stdout)
start = time.monotonic(); subprocess.run([GPUWHY, "check", "--python", base + "/bin/python"], capture_output=True); print("check takes", round(time.monotonic() - start, 3))
start = time.monotonic(); subprocess.run([GPUWHY, "check", "--no-probes", "--python", base + "/bin/python"], capture_output=True); print("check without probes takes", round(time.monotonic() - start, 3))
print("== seeded", flush=True)


def broken(name, expected, change, **more):
    prefix, folder = environment(name.replace(" ", "_"))
    change(folder)
    subprocess.run(["chmod", "-R", "a+rX", prefix])
    if name not in ("cublas removed", "cudnn ops of 9.14"):
        more.setdefault("arguments", ["--quick"])
    return prove(name, expected, prefix=prefix, **more)


def link(path, target):
    if os.path.lexists(path):
        os.remove(path)
    os.symlink(target, path)


class Hidden:
    """The system's own copies, out of the way for a while: the loader would find them."""
    def __init__(self, *paths): self.paths = [p for p in paths if os.path.lexists(p)]
    def __enter__(self):
        os.makedirs(f"{ROOT}/hidden", exist_ok=True)
        for number, path in enumerate(self.paths):
            shutil.move(path, f"{ROOT}/hidden/{number}")

    def __exit__(self, *_):
        for number, path in enumerate(self.paths):
            shutil.move(f"{ROOT}/hidden/{number}", path)


with Hidden(f"{TOOLKIT}/libcublas.so.13"):
    broken("cublas removed", "cublas", lambda n: os.remove(f"{n}/cu13/lib/libcublas.so.13"))
with Hidden(f"{SYSTEM}/libcudnn.so.9"):
    broken("cudnn removed", "cudnn", lambda n: os.remove(f"{n}/cudnn/lib/libcudnn.so.9"))
with Hidden(f"{TOOLKIT}/libcusparse.so.12"):
    broken("cusparse removed", "cusolver", lambda n: os.remove(f"{n}/cu13/lib/libcusparse.so.12"))
with Hidden(f"{TOOLKIT}/libcudart.so.13"):
    broken("cudart removed", "cudart", lambda n: os.remove(f"{n}/cu13/lib/libcudart.so.13"))


def swapped(path, target):
    """The file of the real environment becomes a link to another for one cell."""
    os.rename(path, path + ".kept")
    os.symlink(target, path)


def restored(path):
    os.remove(path)
    os.rename(path + ".kept", path)


with Hidden(f"{SITE}/nvidia/cu13/lib/libcublas.so.13", f"{TOOLKIT}/libcublas.so.13"):
    prove("torch: cublas removed", "cublas", ["--framework", "torch", "--quick"])
with Hidden(f"{SITE}/nvidia/cudnn/lib/libcudnn.so.9", f"{SYSTEM}/libcudnn.so.9"):
    for framework in ("torch", "jax"):
        prove(f"{framework}: cudnn removed", "cudnn", ["--framework", framework, "--quick"])
part = f"{SITE}/nvidia/cudnn/lib/libcudnn_graph.so.9"
swapped(part, f"{SYSTEM}/libcudnn_graph.so.9.14.0")
for framework in ("torch", "jax"):
    prove(f"{framework}: cudnn graph of 9.14", "cudnn", ["--framework", framework, "--quick"])
restored(part)

broken("cudnn engines removed", "cudnn", lambda n: os.remove(f"{n}/cudnn/lib/libcudnn_engines_precompiled.so.9"))
broken("cudnn cnn part removed", "cudnn", lambda n: os.remove(f"{n}/cudnn/lib/libcudnn_cnn.so.9"))
broken("cudnn ops of 9.14", "cudnn", lambda n: link(f"{n}/cudnn/lib/libcudnn_ops.so.9", f"{SYSTEM}/libcudnn_ops.so.9.14.0"))
broken("cudnn graph of 9.14", "cudnn", lambda n: link(f"{n}/cudnn/lib/libcudnn_graph.so.9", f"{SYSTEM}/libcudnn_graph.so.9.14.0"))


def truncate(n, file):
    path = f"{n}/cu13/lib/{file}"
    data = open(path, "rb").read(1 << 20)
    os.remove(path)
    open(path, "wb").write(data)


def pointer(n, file):
    path = f"{n}/cu13/lib/{file}"
    os.remove(path)
    open(path, "w").write("version https://git-lfs.github.com/spec/v1\noid sha256:0000000000000000\nsize 541595600\n")


broken("cufft truncated", "cufft", lambda n: truncate(n, "libcufft.so.12"))
broken("cublas is a git-lfs pointer", "cublas", lambda n: pointer(n, "libcublas.so.13"))
broken("cublas of the stubs", "cublas", lambda n: link(f"{n}/cu13/lib/libcublas.so.13", f"{STUBS}/libcublas.so"))
broken("cufft of the stubs", "cufft", lambda n: link(f"{n}/cu13/lib/libcufft.so.12", f"{STUBS}/libcufft.so"))
broken("cudart is another library", "cudart", lambda n: link(f"{n}/cu13/lib/libcudart.so.13", f"{SITE}/nvidia/cu13/lib/libcufft.so.12"))

os.makedirs(f"{ROOT}/stub")
os.symlink(f"{STUBS}/libcuda.so", f"{ROOT}/stub/libcuda.so.1")
prove("stub libcuda first", "driver", prefix=base, extra={"LD_LIBRARY_PATH": f"{ROOT}/stub:{libs}"})
prove("compat libcuda first", "driver", prefix=base, extra={"LD_LIBRARY_PATH": f"{COMPAT}:{libs}"})
for value in ("", "-1", "7"):
    prove(f"CUDA_VISIBLE_DEVICES={value!r}", "driver", prefix=base, extra={"CUDA_VISIBLE_DEVICES": value})
prove("address space limited", "driver", prefix=base, wrap=("sh", "-c", 'ulimit -v 8000000; exec "$0" "$@"'))
prove("jit compiler hidden", "kernel", prefix=base, wrap=("unshare", "-m", "sh", "-c",
      f'for f in {DRIVER}/libnvidia-ptxjitcompiler.so.*; do mount --bind /dev/null "$(readlink -f $f)"; done; exec "$0" "$@"'))
all_nodes = (f"mknod -m 666 /dev/nvidiactl c 195 255 && mknod -m 666 /dev/nvidia0 c 195 0 && mknod -m 666 /dev/nvidia-uvm c {uvm_major()} 0 && "
             f"mknod -m 666 /dev/nvidia-uvm-tools c {uvm_major()} 1 && ")
prove("ordinary user, all nodes", None, ["--quick"], prefix=base, wrap=nodes(all_nodes))
prove("no device nodes", "driver", prefix=base, wrap=nodes(""))
prove("no uvm node", "driver", prefix=base, wrap=nodes(all_nodes + "rm /dev/nvidia-uvm && "))
prove("nvidiactl not permitted", "driver", prefix=base, wrap=nodes(all_nodes + "chmod 000 /dev/nvidiactl && "))
prove("nvidia0 not permitted", "driver", prefix=base, wrap=nodes(all_nodes + "chmod 600 /dev/nvidia0 && "))

print("== memory", flush=True)
first = hog(64 << 20)
prove("memory full", ["context", "memory"], prefix=base)
prove("busy, much memory wanted", "rc 3", ["--full", "--memory", "4GiB"], prefix=base)
print(subprocess.run([GPUWHY, "pick", "-m", "8GiB", "-v"], capture_output=True, text=True), flush=True)
first.communicate("")
second = hog(700 << 20)
prove("memory nearly full", ["memory", "context", "cublas", "cudnn"], prefix=base)
second.communicate("")
prove("healthy after all", None, ["--quick"], prefix=base)
print(subprocess.run([GPUWHY, "pick", "-v", "--json"], capture_output=True, text=True).stdout, flush=True)
print(subprocess.run("ls -la ~/.nv 2>&1; ls -la /tmp | head -30; ps -eo pid,ppid,stat,comm | grep -i 'gpuwhy\\| Z' ", shell=True, capture_output=True, text=True).stdout)
json.dump({"rows": ROWS, "records": RECORDS}, open(f"{OUT}/cells.json", "w"), indent=1)
print(f"{sum(r[3] for r in ROWS)} of {len(ROWS)} cells as expected")
