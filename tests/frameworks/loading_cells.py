#!/usr/bin/env python3
"""Real JAX and PyTorch wheels on a machine without a GPU: do their libraries load as gpuwhy predicts?

    loading_cells.py GPUWHY STUB_LIB PYTHON... [--cudart12_0 FILE] [--only WORD]

PYTHON are interpreters of environments with a CUDA build of torch, or with jax and its CUDA plug-in. STUB_LIB holds the
stub driver. It carries gpuwhy's own probes, but neither the CUDA runtime's calls behind torch.cuda.is_available() nor
those behind jax.devices(): so the question here is what comes before them, and all of it is real. For torch that is
`import torch`, which loads every CUDA library; for JAX the plug-in's initialize(), which opens each library and asks its
version. Each cell breaks one library of a hard-linked copy. Right: it loads, and gpuwhy sees no fault that hides the GPU, and
of those that show in use the seeded one; or it fails, and gpuwhy's first cause is the seeded one. With --cudart12_0, the
libcudart.so.12 of the wheel of CUDA 12.0, which JAX refuses, stands in for the wheel's own.
"""

import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile
from types import SimpleNamespace

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "h100"))
import run_faults as faults  # noqa: E402

ASK = {
    "torch": "import torch\ntorch.cuda.is_available()\nprint('LOADED')\n",
    "jax": "import jax, importlib, glob, os, jax_plugins\n"
           "[name] = [n for p in jax_plugins.__path__ for n in os.listdir(p) if n.startswith('xla_cuda')]\n"
           "importlib.import_module('jax_plugins.' + name).initialize()\nprint('LOADED')\n",
}
CAUSES = {"cudart": "L01", "cudnn": "L03"}
EITHER = "as it loads"  # cuSPARSE needs nvJitLink in CUDA 12 and 13.0, no longer in 13.5


class Row:
    """`cause`: why it does not load; `in_use`: what gpuwhy names although it loads; `files` stand beside the program."""

    def __init__(self, name, cause=None, edit=lambda copy: None, in_use=None, files=None, variables=None):
        self.name, self.cause, self.edit, self.in_use = name, cause, edit, in_use
        self.files, self.variables = files or {}, variables or {}


def wheel_libraries(site):
    """Every CUDA library of the wheels that has a soname of its own: product -> file name."""
    found = {}
    for path in glob.glob(site + "/nvidia/*/lib/lib*.so.*") + glob.glob(site + "/cusparselt/lib/lib*.so.*"):
        name = os.path.basename(path)
        product = name[3:name.index(".so")]
        if "alt" not in name and product in ("cudart", "cublas", "cublasLt", "cudnn", "cufft", "curand", "cusparse", "cusparseLt", "cupti",
                                             "nccl", "nvJitLink", "nvshmem_host", "cufile", "cusolver", "nvrtc"):
            found[product] = name
    return found


# What the plug-in's checks do not ask for, or torch loads only when it is used; and what of it gpuwhy looks at.
UNASKED = {"jax": {"nccl", "nvshmem_host", "cusolver", "curand", "cufile", "cusparseLt", "nvrtc"}, "torch": {"cusolver", "nvrtc"}}
IN_USE = {"jax": {"cusolver"}, "torch": {"cusolver", "nvrtc"}}


def rows_of(framework, site, old_runtime):
    rows = [Row("healthy")]
    names = wheel_libraries(site)
    for product, name in sorted(names.items()):
        cause = EITHER if product == "nvJitLink" else CAUSES.get(product, "L09")
        unasked = product in UNASKED[framework]
        rows.append(Row(product + " gone", None if unasked else cause, faults.gone(name),
                        "L09" if product in IN_USE[framework] else None))
    rows.append(Row("cudnn empty", "L07", faults.replaced("libcudnn.so.9", b"")))
    rows.append(Row("cudnn a web page", "L07", faults.replaced("libcudnn.so.9", b"<!DOCTYPE html>" * 20)))
    rows.append(Row("cudnn a broken link", "L03 L07", faults.dangling("libcudnn.so.9")))
    rows.append(Row("cufft cut in half", EITHER, faults.cut(names["cufft"]), "L07"))
    rows.append(Row("all wheels gone", "F05", faults.removed("nvidia", "cusparselt")))
    rows.append(Row("a module beside the program", "F10", files={framework + ".py": ""}))
    rows.append(Row("a folder beside the program", "F10", files={framework + "/__init__.py": ""}))
    rows.append(Row("the folder, and PYTHONSAFEPATH", files={framework + "/__init__.py": ""}, variables={"PYTHONSAFEPATH": "1"}))
    if framework == "torch":
        rows.append(Row("libtorch_cuda gone", "F10", faults.removed("torch/lib/libtorch_cuda.so")))
        return rows
    skip = {"JAX_SKIP_CUDA_CONSTRAINTS_CHECK": "1"}
    rows.append(Row("cufft gone, checks skipped", None, faults.gone(names["cufft"]), "L09", variables=skip))
    rows.append(Row("cufft gone, the variable empty", "L09", faults.gone(names["cufft"]), variables={**skip, "JAX_SKIP_CUDA_CONSTRAINTS_CHECK": ""}))
    rows.append(Row("JAX_CUDA_VISIBLE_DEVICES=7", variables={"JAX_CUDA_VISIBLE_DEVICES": "7"}))
    if old_runtime and "libcudart.so.12" in names.values():
        rows.append(Row("cudart of CUDA 12.0", "L02", faults.gone("libcudart.so.12"), variables={"LD_LIBRARY_PATH": old_runtime}))
        rows.append(Row("cudart of CUDA 12.0, checks skipped", None, faults.gone("libcudart.so.12"),
                        variables={**skip, "LD_LIBRARY_PATH": old_runtime}))
    return rows


def ask(machine, framework, row, gpuwhy, stub, folder):
    os.makedirs(folder + "/work")
    venv, _ = machine.copy(folder, faults.Cell(framework, row.name, edit=row.edit))
    for name, content in row.files.items():
        os.makedirs(os.path.dirname(f"{folder}/work/{name}"), exist_ok=True)
        with open(f"{folder}/work/{name}", "w") as file:
            file.write(content)
    environment = {"PATH": venv + "/bin:/usr/bin:/bin", "HOME": folder, "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1", **row.variables}
    environment["LD_LIBRARY_PATH"] = ":".join(filter(None, [row.variables.get("LD_LIBRARY_PATH"), stub]))
    run = lambda words: subprocess.run(words, env=environment, cwd=folder + "/work", capture_output=True, text=True)
    real = run([venv + "/bin/python", "-c", ASK[framework]])
    report = json.loads(run([gpuwhy, "check", "--python", venv + "/bin/python", "--json"]).stdout)
    [verdict] = [each for each in report["verdicts"] if each["framework"] == framework]
    return real, verdict


def judge(row, real, verdict):
    loads = "LOADED" in real.stdout
    of = lambda effect: [each["id"] for each in verdict["causes"] if each["gate"] in ("build", "libraries") and each["effect"] == effect]
    hides, breaks = of("hides"), of("breaks")
    cause, in_use = row.cause, row.in_use
    if cause == EITHER:
        cause = None if loads else row.in_use or "L09"
    if not loads:
        in_use = None
    named = not hides if cause is None else bool(hides) and hides[0] in cause
    shown = in_use in breaks if in_use else True
    return named and shown and loads == (not hides) and loads == (cause is None), loads, cause, in_use, hides + breaks


def main():
    words = sys.argv[1:]
    only = words.pop(words.index("--only") + 1) if "--only" in words else ""
    words = [word for word in words if word != "--only"]
    old_runtime = None
    if "--cudart12_0" in words:
        at = words.index("--cudart12_0")
        old_file = os.path.abspath(words[at + 1])
        del words[at:at + 2]
        scratch = tempfile.mkdtemp()  # under the names of a toolkit, which tell the version
        shutil.copy(old_file, scratch + "/libcudart.so.12.0.146")
        os.symlink("libcudart.so.12.0.146", scratch + "/libcudart.so.12")
        old_runtime = scratch
    gpuwhy, stub = os.path.abspath(words[0]), os.path.abspath(words[1])
    right = total = 0
    for python in words[2:]:
        machine = faults.Machine(SimpleNamespace(python=os.path.abspath(python), wheels=None))
        framework = "torch" if os.path.isdir(machine.site + "/torch") else "jax"
        try:
            for number, row in enumerate(rows_of(framework, machine.site, old_runtime)):
                if only not in row.name:
                    continue
                folder = f"{machine.scratch}/{number}"
                real, verdict = ask(machine, framework, row, gpuwhy, stub, folder)
                good, loads, cause, in_use, causes = judge(row, real, verdict)
                right, total = right + good, total + 1
                print(f"{'ok   ' if good else 'WRONG'} {os.path.basename(machine.prefix):9} {row.name:34} "
                      f"{'loads' if loads else 'fails'}  seeded {cause or in_use or '-':8} named {' '.join(causes) or '-'}", flush=True)
                if not good:
                    print("      " + real.stderr.strip().replace("\n", " ")[-300:])
                    print("      " + "; ".join(each["summary"] for each in verdict["causes"])[:300] + " | " + "; ".join(verdict["unknown"])[:200])
                shutil.rmtree(folder)
        finally:
            machine.close()
    if old_runtime:
        shutil.rmtree(old_runtime)
    print(f"{right} passed, {total - right} failed")
    return 0 if right == total else 1


if __name__ == "__main__":
    sys.exit(main())
