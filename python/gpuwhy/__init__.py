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

from importlib import import_module

TYPE_CHECKING = False  # as type checkers know it; importing typing would take longer than all the rest
if TYPE_CHECKING:
    from typing import Any

    from . import keras
    from ._check import check
    from ._find import GpuwhyError
    from ._report import Cause, Evidence, Fix, Gate, Gpu, Report, Verdict
    from ._use import GpuUse, RunReport
    from ._watch import Watch, watch

__all__ = ["Cause", "Evidence", "Fix", "Gate", "Gpu", "GpuUse", "GpuwhyError", "Report", "RunReport", "Verdict", "Watch",
           "check", "keras", "watch"]

# Imported when they are first asked for: 'python -m gpuwhy' needs none of them.
_PLACES = {"check": "_check", "GpuwhyError": "_find", "GpuUse": "_use", "RunReport": "_use", "Watch": "_watch", "watch": "_watch"}

if not TYPE_CHECKING:  # to a type checker it would be a promise that every name is there

    def __getattr__(name: str) -> Any:
        if name == "keras":
            return import_module(".keras", __name__)
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module("." + _PLACES.get(name, "_report"), __name__), name)

    def __dir__() -> list[str]:
        return sorted([*globals(), *__all__])


def load_ipython_extension(shell: Any) -> None:
    """%load_ext gpuwhy"""
    from ._magic import register

    register(shell)
