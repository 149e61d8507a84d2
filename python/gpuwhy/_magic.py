"""%gpuwhy and %%gpuwhy for IPython: Jupyter, VS Code, Colab."""

from __future__ import annotations

import contextlib
import shlex
from typing import Any, Iterator

from ._check import check
from ._find import GpuwhyError
from ._program import interpreter_words, process_environment, run
from ._report import Report
from ._watch import Watch


@contextlib.contextmanager
def _without_traceback(shell: Any) -> Iterator[None]:
    """The error of a cell is raised again when the report is shown, and would be shown twice."""
    shell.showtraceback = shell.showsyntaxerror = lambda *_, **__: None
    try:
        yield
    finally:
        del shell.showtraceback, shell.showsyntaxerror


def _line(words: str) -> Report | None:
    """%gpuwhy is check(); %gpuwhy WORDS is the command, its output shown."""
    given = shlex.split(words)
    if not given:
        return check()
    if given[0] == "check":
        given[1:1] = interpreter_words()
    _, output, errors = run(given, process_environment()[0], 600)
    print(output + errors, end="")
    return None


def register(shell: Any) -> None:
    """Adds the magics to an IPython shell."""

    def gpuwhy(line: str, cell: str | None = None) -> Report | None:
        """%gpuwhy: the verdict for this kernel. %%gpuwhy: run the cell, and tell how it used the GPU."""
        try:
            if cell is None:
                return _line(line)
            if line.strip():
                raise GpuwhyError("%%gpuwhy takes no words; the cell below it is watched")
        except GpuwhyError as error:
            print(f"gpuwhy: {error}")
            return None
        with Watch(warn_after=None, quiet=True) as seen, _without_traceback(shell):
            result = shell.run_cell(cell)
        if seen.report is not None:
            from IPython.display import display  # type: ignore[import-not-found, unused-ignore]

            display(seen.report)
        result.raise_error()
        return None

    shell.register_magic_function(gpuwhy, magic_kind="line_cell", magic_name="gpuwhy")
