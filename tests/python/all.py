"""The larger tests of the Python package: every Python from 3.8 that is at hand, and the callback in real Keras: 3 on JAX,
3 and 2 on TensorFlow (the environments of tests/differential). Downloads a gigabyte, once.

    python3 all.py GPUWHY [STUB_LIB]
"""

import glob
import os
import pathlib
import shutil
import subprocess
import sys

import support

sys.path.insert(0, str(support.SOURCE / "tests/differential"))
import environments  # noqa: E402

OLDEST, NEWEST = 8, 14


def interpreters():
    """One for each version: on PATH, or where pyenv and uv keep theirs."""
    found = {}
    for minor in range(OLDEST, NEWEST + 1):
        name = f"python3.{minor}"
        places = [shutil.which(name), *glob.glob(os.path.expanduser(f"~/.pyenv/versions/3.{minor}.*/bin/{name}")),
                  *glob.glob(os.path.expanduser(f"~/.local/share/uv/python/*3.{minor}.*/bin/{name}"))]
        for place in filter(None, places):
            if subprocess.run([place, "-c", "import venv"], capture_output=True).returncode == 0:
                found.setdefault(minor, place)
    return found


def step(title, *words, **variables):
    print(f"== {title}", flush=True)
    return subprocess.run([str(word) for word in words], env={**os.environ, **variables}).returncode


def main():
    failed = []
    found = interpreters()
    print("Pythons at hand:", ", ".join(f"3.{minor}" for minor in found))
    stub = support.STUB
    if stub is None:
        stub, _ = environments.build_stub(str(support.CACHE / "stub-build"))
        stub = pathlib.Path(stub) / "lib"
    for minor, interpreter in found.items():
        if step(f"the package on Python 3.{minor}", interpreter, support.HERE / "package_test.py", support.GPUWHY, stub) != 0:
            failed.append(f"package on 3.{minor}")
    if step("the wheel on all of them", sys.executable, support.HERE / "wheel_test.py", support.GPUWHY, stub, *found.values()) != 0:
        failed.append("wheel")
    cache = os.environ.get("GPUWHY_CACHE") or os.path.join(environments.SOURCE, "build/differential")
    frameworks = environments.Environments(cache)
    for title, python, backend in (
            ("Keras 3 on JAX", lambda: support.environment("keras"), "jax"),
            ("Keras 3 on TensorFlow 2.18", lambda: os.path.join(frameworks.get("cpu-2.18"), "bin/python"), "tensorflow"),
            ("Keras 2 on TensorFlow 2.12", lambda: os.path.join(frameworks.get("plain-2.12"), "bin/python"), "tensorflow")):
        if step(title, python(), support.HERE / "keras_train.py", **support.package_environment(KERAS_BACKEND=backend, CUDA_VISIBLE_DEVICES="")) != 0:
            failed.append(title)
    print("failed: " + ", ".join(failed) if failed else "all passed")
    return len(failed) > 0


if __name__ == "__main__":
    sys.exit(main())
