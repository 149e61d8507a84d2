"""A callback for Keras 2 and 3, whatever the backend:

    model.fit(x, y, callbacks=[gpuwhy.keras.GpuWhy()])

After the first steps it says in one line if the GPU is not used or is starved, and when training ends how busy the
GPU was, its peak memory and the largest obstacle. A process beside this one does the watching; a step costs a
comparison. Importing this module imports no Keras; making a callback takes the Keras that the program has imported.
"""

from __future__ import annotations

import os
import sys
import time
from typing import Any, ClassVar

from ._find import GpuwhyError
from ._use import RunReport
from ._watch import Observer, explained, is_worth_a_warning

_NEVER = 1 << 62
_LOOK_EVERY = 16  # steps, while an answer is awaited


def _callback_class() -> Any:
    """Callback of the Keras that is in use. tf_keras is Keras 2 beside a Keras 3."""
    legacy = os.environ.get("TF_USE_LEGACY_KERAS", "").lower() in ("1", "true")
    names = ("tf_keras", "keras") if legacy else ("keras", "tf_keras")
    for name in names:
        if name in sys.modules:
            return sys.modules[name].callbacks.Callback
    for name in names:
        try:
            return __import__(name).callbacks.Callback
        except ImportError:
            continue
    raise GpuwhyError("no Keras is installed for this interpreter")


class GpuWhy:
    """Keras callback. `steps`: how many to wait for, and `seconds`: how long at least, before a warning."""

    # Keras need not fetch the logs of a step for it, nor wait for it.
    async_safe = True
    _supports_tf_logs = True
    _classes: ClassVar[dict[Any, Any]] = {}

    def __new__(cls, *arguments: Any, **options: Any) -> Any:
        base = _callback_class()
        if base not in cls._classes:
            cls._classes[base] = type("GpuWhy", (GpuWhy, base), {"__doc__": cls.__doc__})
        return object.__new__(cls._classes[base])

    def __init__(self, steps: int = 20, seconds: float = 10.0) -> None:
        super().__init__()
        self.report: RunReport | None = None
        self._steps = steps
        self._seconds = seconds
        self._observer: Observer | None = None
        self._asked = False
        self._next = _NEVER  # the step at which there is something to do
        self._step = 0
        self._begun = 0.0

    def on_train_begin(self, logs: Any = None) -> None:
        self.report = None
        self._asked = False
        self._step = 0
        self._begun = time.monotonic()
        try:
            self._observer = Observer()
            self._next = self._steps
        except (GpuwhyError, OSError) as error:
            self._observer = None
            print(f"gpuwhy: {error}; training is not watched", file=sys.stderr)

    def on_train_batch_end(self, batch: Any, logs: Any = None) -> None:
        self._step += 1
        if self._step >= self._next:
            self._look()

    def _look(self) -> None:
        """Never waits: asks, or takes an answer that has come."""
        self._next = self._step + _LOOK_EVERY
        observer = self._observer
        if observer is None:
            self._next = _NEVER
        elif not self._asked:
            if time.monotonic() - self._begun >= self._seconds:
                observer.ask()
                self._asked = True
        else:
            report = observer.answer()
            if report is not None:
                self._next = _NEVER
                if is_worth_a_warning(report):
                    print(f"\n{explained(report).line}", file=sys.stderr, flush=True)

    def on_train_end(self, logs: Any = None) -> None:
        self._next = _NEVER
        observer, self._observer = self._observer, None
        report = observer.end() if observer is not None else None
        if report is not None:
            self.report = explained(report)
            print(self.report.line, flush=True)
