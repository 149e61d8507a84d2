"""How the gpuwhy program is asked about this interpreter, as it runs."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from typing import Mapping

from ._find import GpuwhyError, find_program

# The dynamic loader reads these once, when a process starts: ld.so(8).
_READ_AT_START = ("LD_LIBRARY_PATH", "LD_PRELOAD")
# The driver reads these once, when the GPU is opened.
_READ_WHEN_OPENED = ("CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER")


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
