#!/usr/bin/env python3
"""Recorded machines give the verdict that was right there: run.py GPUWHY

A snapshot replays the judging, a tape the collecting too. `h100.tape.gz` is what a machine with an NVIDIA H100 said
(driver 580.159.04, Ubuntu 24.04, a container with the CUDA 13 toolkit) about its /usr/bin/python3, which has no
framework; one name of a local configuration file was changed. `examples/` are described there. The snapshots
`*.json.gz` are cells of tests/h100/run_faults.py on an H200: the framework there was broken as the file's name says, and
answered as expected here; the place of the environment was renamed.
"""

import gzip
import json
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
EXAMPLES = HERE.parent.parent / "examples"
MACHINES = {
    EXAMPLES / "healthy.json": ("tensorflow", "2.18.1", "gpu", []),
    EXAMPLES / "broken.json": ("tensorflow", "2.18.1", "no_gpu", ["F15"]),
    HERE / "h100.tape.gz": ("tensorflow", None, "no_gpu", ["F01"]),
    HERE / "jax_no_plugin.json.gz": ("jax", "0.11.2", "no_gpu", ["F12"]),
    HERE / "torch_libtorch_cuda_gone.json.gz": ("torch", "2.11.0+cu130", "no_gpu", ["F10"]),
    HERE / "torch_stub_first.json.gz": ("torch", "2.11.0+cu130", "no_gpu", ["L08"]),
    HERE / "torch_libraries_gone.json.gz": ("torch", "2.11.0+cu130", "no_gpu", ["F05", "L09"]),
    HERE / "keras_on_numpy.json.gz": ("keras", "3.15.1", "no_gpu", ["F11"]),
}
GPUS = {"NVIDIA H100 80GB HBM3", "NVIDIA H200"}


def main():
    wrong = 0
    for path, expected in MACHINES.items():
        text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        done = subprocess.run([sys.argv[1], "check", "--json", "--from", "-"], input=text, capture_output=True)
        report = json.loads(done.stdout)
        verdict = next((each for each in report["verdicts"] if each["framework"] == expected[0]), report["verdicts"][0])
        said = (verdict["framework"], verdict["version"], verdict["verdict"], [cause["id"] for cause in verdict["causes"]])
        gpu = report["gpus"][0]
        seen = (gpu["name"], gpu["compute_capability"], gpu["driver"])
        if said != expected or seen[0] not in GPUS or seen[1:] != ("9.0", "580.159.04"):
            print(f"{path.name}: expected {expected}, got {said} on {seen}: {done.stderr.decode()}")
            wrong += 1
    print(f"{len(MACHINES)} recorded machines, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
