"""python -m gpuwhy: the gpuwhy program, asked about this interpreter."""

import os
import sys

from ._find import GpuwhyError, find_program


def main() -> None:
    try:
        program = find_program()
    except GpuwhyError as error:
        sys.exit(f"gpuwhy: {error}")
    if sys.executable:
        os.environ.setdefault("GPUWHY_PYTHON", sys.executable)
    sys.stdout.flush()
    os.execv(program, [program, *sys.argv[1:]])


if __name__ == "__main__":
    main()
