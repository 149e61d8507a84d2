"""Why does this Keras, TensorFlow, JAX or PyTorch program not use the GPU, and what exactly makes it do so?

    import gpuwhy
    gpuwhy.check()              # the verdict for this interpreter; HTML in a notebook, text elsewhere

    with gpuwhy.watch():        # was the GPU used here, how well, and what held it back?
        train()

    %load_ext gpuwhy            # in a notebook: %gpuwhy, and %%gpuwhy above a cell
    model.fit(x, y, callbacks=[gpuwhy.keras.GpuWhy()])

The answers come from the gpuwhy program, which runs beside this process; no framework is imported.
"""

from __future__ import annotations

from typing import Any

from . import keras
from ._check import check
from ._program import GpuwhyError
from ._report import Cause, Evidence, Fix, Gate, Gpu, Report, Verdict
from ._use import GpuUse, RunReport
from ._watch import Watch, watch

__all__ = ["Cause", "Evidence", "Fix", "Gate", "Gpu", "GpuUse", "GpuwhyError", "Report", "RunReport", "Verdict", "Watch",
           "check", "keras", "watch"]


def load_ipython_extension(shell: Any) -> None:
    """%load_ext gpuwhy"""
    from ._magic import register

    register(shell)
