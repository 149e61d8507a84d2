#!/usr/bin/env python3
"""Real JAX and PyTorch wheels on a machine without a GPU: do their libraries load as gpuwhy predicts?

    loading_cells.py GPUWHY STUB_LIB PYTHON...

PYTHON are interpreters of environments with a CUDA build of torch, or with jax and its CUDA plug-in. STUB_LIB holds the
stub driver. It carries gpuwhy's own probes, but neither the CUDA runtime's calls behind torch.cuda.is_available() nor
those behind jax.devices(): so the question here is what comes before them, and all of it is real. For torch that is
`import torch`, which loads every CUDA library; for JAX the plug-in's initialize(), which opens each library and asks its
version. Each cell breaks one library of a hard-linked copy. Right: it loads, and gpuwhy sees no fault of the libraries;
or it fails, and gpuwhy's first cause is the seeded one.
"""

import glob
import json
import os
import shutil
import subprocess
import sys
from types import SimpleNamespace

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "h100"))
import run_faults as faults  # noqa: E402

ASK = {
    "torch": "import torch\nprint('LOADED')\n",
    "jax": "import jax, importlib, glob, os, jax_plugins\n"
           "[name] = [n for p in jax_plugins.__path__ for n in os.listdir(p) if n.startswith('xla_cuda')]\n"
           "importlib.import_module('jax_plugins.' + name).initialize()\nprint('LOADED')\n",
}
CAUSES = {"cudart": "L01", "cudnn": "L03"}
EITHER = "as it loads"  # cuSPARSE needs nvJitLink in CUDA 12 and 13.0, no longer in 13.5


def wheel_libraries(site):
    """Every CUDA library of the wheels that has a soname of its own: product -> file name."""
    found = {}
    for path in glob.glob(site + "/nvidia/*/lib/lib*.so.*") + glob.glob(site + "/cusparselt/lib/lib*.so.*"):
        name = os.path.basename(path)
        product = name[3:name.index(".so")]
        if "alt" not in name and product in ("cudart", "cublas", "cublasLt", "cudnn", "cufft", "curand", "cusparse", "cusparseLt", "cupti",
                                             "nccl", "nvJitLink", "nvshmem_host", "cufile", "cusolver"):
            found[product] = name
    return found


# What the plug-in's checks do not ask for, or torch loads only when it is used.
UNASKED = {"jax": {"nccl", "nvshmem_host", "cusolver", "cublasLt_alone", "curand", "cufile", "cusparseLt"}, "torch": {"cusolver"}}


def cells_of(framework, site):
    rows = [("healthy", None, lambda copy: None)]
    for product, name in sorted(wheel_libraries(site).items()):
        cause = EITHER if product == "nvJitLink" else CAUSES.get(product, "L09")
        rows.append((product + " gone", None if product in UNASKED[framework] else cause, faults.gone(name)))
    rows.append(("cudnn empty", "L07", faults.replaced("libcudnn.so.9", b"")))
    rows.append(("cudnn a web page", "L07", faults.replaced("libcudnn.so.9", b"<!DOCTYPE html>" * 20)))
    rows.append(("cudnn a broken link", "L03 L07", faults.dangling("libcudnn.so.9")))
    rows.append(("all wheels gone", "F05", faults.removed("nvidia", "cusparselt")))
    if framework == "torch":
        rows.append(("libtorch_cuda gone", "F10", faults.removed("torch/lib/libtorch_cuda.so")))
    return rows


def main():
    gpuwhy, stub = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    right = total = 0
    for python in sys.argv[3:]:
        machine = faults.Machine(SimpleNamespace(python=os.path.abspath(python), wheels=None))
        framework = "torch" if os.path.isdir(machine.site + "/torch") else "jax"
        try:
            for number, (name, cause, edit) in enumerate(cells_of(framework, machine.site)):
                folder = f"{machine.scratch}/{number}"
                os.makedirs(folder)
                venv, _ = machine.copy(folder, faults.Cell(framework, name, edit=edit))
                environment = {"PATH": venv + "/bin:/usr/bin:/bin", "HOME": folder, "LD_LIBRARY_PATH": stub, "LANG": "C.UTF-8"}
                run = lambda words: subprocess.run(words, env=environment, cwd=folder, capture_output=True, text=True)
                real = run([venv + "/bin/python", "-c", ASK[framework]])
                loads = "LOADED" in real.stdout
                report = json.loads(run([gpuwhy, "check", "--python", venv + "/bin/python", "--json"]).stdout)
                [verdict] = [each for each in report["verdicts"] if each["framework"] == framework]
                causes = [each["id"] for each in verdict["causes"] if each["gate"] in ("build", "libraries") and each["effect"] == "hides"]
                if cause == EITHER:
                    cause = None if loads else "L09"
                named = not causes if cause is None else bool(causes) and causes[0] in cause
                good = named and loads == (not causes) and loads == (cause is None)
                right, total = right + good, total + 1
                print(f"{'ok   ' if good else 'WRONG'} {os.path.basename(machine.prefix):9} {name:22} "
                      f"{'loads' if loads else 'fails'}  seeded {cause or '-':8} named {' '.join(causes) or '-'}", flush=True)
                if not good:
                    print("      " + real.stderr.strip().replace("\n", " ")[-300:])
                    print("      " + "; ".join(each["summary"] for each in verdict["causes"])[:300] + " | " + "; ".join(verdict["unknown"])[:200])
                shutil.rmtree(folder)
        finally:
            machine.close()
    print(f"{right} passed, {total - right} failed")
    return 0 if right == total else 1


if __name__ == "__main__":
    sys.exit(main())
