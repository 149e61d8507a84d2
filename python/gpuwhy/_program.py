"""Where the gpuwhy program is, and how it is started for this interpreter.

The wheel carries the program itself among its scripts; this module only finds it again, whichever way pip laid
the installation out: an environment, the user's own folder, or `pip install --target`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from typing import Iterator, Mapping

# The dynamic loader reads these once, when a process starts: ld.so(8).
_READ_AT_START = ("LD_LIBRARY_PATH", "LD_PRELOAD")
# The driver reads these once, when the GPU is opened.
_READ_WHEN_OPENED = ("CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER")


class GpuwhyError(RuntimeError):
    """gpuwhy is not installed rightly, or could not answer."""


def _folders() -> Iterator[str]:
    here = os.path.dirname(os.path.abspath(__file__))
    yield sysconfig.get_path("scripts")
    user = "posix_user" if os.name == "posix" else ""
    if user in sysconfig.get_scheme_names():
        yield sysconfig.get_path("scripts", user)
    yield os.path.join(os.path.dirname(here), "bin")  # pip install --target
    above = here
    for _ in range(4):  # PREFIX/lib/python3.x/site-packages/gpuwhy: pip install --prefix
        above = os.path.dirname(above)
    yield os.path.join(above, "bin")


def find_program() -> str:
    """The path of the program that came with this package, else of one on PATH."""
    for folder in _folders():
        path = os.path.join(folder, "gpuwhy")
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    found = shutil.which("gpuwhy")
    if found is None:
        raise GpuwhyError("the gpuwhy program is not there: reinstall the package with 'pip install --force-reinstall gpuwhy'")
    return found


def run(words: list[str], environment: Mapping[str, str], timeout: float) -> tuple[int, str, str]:
    """Exit status, output and errors of gpuwhy."""
    try:
        done = subprocess.run([find_program(), *words], stdin=subprocess.DEVNULL, capture_output=True,
                              env=dict(environment), timeout=timeout, check=False)
    except subprocess.TimeoutExpired:
        raise GpuwhyError(f"gpuwhy did not answer within {timeout:g} s") from None
    except OSError as error:
        raise GpuwhyError(f"gpuwhy could not be started: {error}") from error
    return done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")


def _at_start() -> dict[str, str]:
    """The environment with which this process was started; empty where the kernel does not say."""
    try:
        with open("/proc/self/environ", "rb") as file:
            entries = file.read().split(b"\0")
    except OSError:
        return {}
    pairs = (entry.partition(b"=") for entry in entries)
    return {os.fsdecode(name): os.fsdecode(value) for name, equals, value in pairs if equals}


def _has_opened_cuda() -> bool:
    try:
        with open("/proc/self/maps", encoding="utf-8", errors="replace") as file:
            return any("/libcuda.so" in line for line in file)
    except OSError:
        return False


def process_environment() -> tuple[dict[str, str], list[str]]:
    """The environment that counts for this running process, and remarks on variables that were set too late."""
    now, start = dict(os.environ), _at_start()
    remarks: list[str] = []
    if not start:
        return now, remarks
    for name in _READ_AT_START:
        if now.get(name) == start.get(name):
            continue
        now.pop(name, None)
        if name in start:
            now[name] = start[name]
        remarks.append(f"{name} was changed after this Python started; the loader read it at the start, so that value was "
                       "judged. Set it before Python starts")
    if _has_opened_cuda():
        remarks.extend(f"{name} was changed after this Python started, and CUDA is open already: what was set after that "
                       "takes effect in a new process only" for name in _READ_WHEN_OPENED if now.get(name) != start.get(name))
    return now, remarks


def interpreter_words() -> list[str]:
    """Options that make gpuwhy judge this interpreter with its sys.path as it is now."""
    words = ["--python", sys.executable] if sys.executable else []
    paths = sysconfig.get_paths()
    standard = {os.path.realpath(paths[name]) for name in ("stdlib", "platstdlib")}
    standard |= {os.path.join(path, "lib-dynload") for path in standard}
    for path in sys.path:
        if path and os.path.isdir(path) and os.path.realpath(path) not in standard:
            words += ["--sys-path", os.path.abspath(path)]
    return words if sys.executable else []
