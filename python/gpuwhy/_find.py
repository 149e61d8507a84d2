"""Where the gpuwhy program is.

The wheel carries the program itself among its scripts; this module only finds it again, whichever way pip laid
the installation out: an environment, the user's own folder, or `pip install --target`.
"""

from __future__ import annotations

import os
import sysconfig
from typing import Iterator


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
    import shutil

    found = shutil.which("gpuwhy")
    if found is None:
        raise GpuwhyError("the gpuwhy program is not there: reinstall the package with 'pip install --force-reinstall gpuwhy'")
    return found
