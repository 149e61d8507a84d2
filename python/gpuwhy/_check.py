"""check(): the verdict for this interpreter."""

from __future__ import annotations

import json
import os
import sys

from ._find import GpuwhyError
from ._program import interpreter_words, process_environment, run
from ._report import Report

_FRAMEWORKS = ("tensorflow", "jax", "torch")


def framework_in_use() -> str | None:
    """The framework that this process has imported: Keras's backend, where there is Keras."""
    keras = sys.modules.get("keras")
    try:
        backend = keras.backend.backend() if keras else None
    except Exception:  # half imported, or something else of that name
        backend = None
    if backend in _FRAMEWORKS:
        return str(backend)
    return next((name for name in _FRAMEWORKS if name in sys.modules), None)


def check(program: str | None = None, *, python: str | None = None, probes: bool = True, timeout: float = 120) -> Report:
    """Will the GPU be used here, and if not, why?

    Judges this interpreter, with its sys.path and os.environ as they are now; with `python` another interpreter or
    environment; with `program` what that file or folder needs. `probes=False` does not ask the driver.
    """
    words: list[str] = ["check", "--json"]
    remarks: list[str] = []
    environment = dict(os.environ)
    if python is not None:
        words += ["--python", python]
    else:
        words += interpreter_words()
        environment, remarks = process_environment()
    if not probes:
        words.append("--no-probes")
    if program is not None:
        words += ["--", program]
    status, output, errors = run(words, environment, timeout)
    try:
        document = json.loads(output)
    except ValueError:
        raise GpuwhyError(errors.strip() or f"gpuwhy ended with status {status} and no report") from None
    return Report.read(document, tuple(remarks), framework_in_use() if python is None else None)
