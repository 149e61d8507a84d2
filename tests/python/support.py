"""What the tests of the Python package share.

    python3 package_test.py GPUWHY STUB_LIB

Environments with packages are made once, from requirements/NAME.txt (pinned and hashed), in $GPUWHY_CACHE or build/python.
"""

import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parent.parent
PACKAGE = SOURCE / "python"
GPUWHY = pathlib.Path(sys.argv[1]).resolve()
STUB = pathlib.Path(sys.argv[2]).resolve() if len(sys.argv) > 2 else None
CACHE = pathlib.Path(os.environ.get("GPUWHY_CACHE") or SOURCE / "build" / "python")
SKIPPED = 77


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(SKIPPED)


def environment(name, interpreter=sys.executable):
    """The interpreter of a virtual environment that holds requirements/NAME.txt. Skips the test where it cannot be made."""
    requirements = HERE / "requirements" / f"{name}.txt"
    wanted = hashlib.sha256(requirements.read_bytes() + str(interpreter).encode()).hexdigest()
    folder = CACHE / name
    stamp = folder / "requirements.sha256"
    python = folder / "bin" / "python"
    if stamp.is_file() and stamp.read_text() == wanted:
        return python
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([interpreter, "-m", "venv", folder], check=True)
    done = subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes",
                           "--only-binary", ":all:", "--no-deps", "-r", requirements], capture_output=True, text=True)
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["pip gave no reason"])[-1]
        unreachable = any(word in done.stderr for word in ("NewConnectionError", "NameResolution", "No matching distribution",
                                                           "timed out", "ProxyError", "ConnectTimeout"))
        if unreachable:
            skip(f"the packages of {requirements.name} could not be fetched: {reason}")
        sys.exit(f"{requirements.name}: {done.stderr}")
    stamp.write_text(wanted)
    return python


def wheel():
    """The wheel, made from the program under test, without its symbols: as a release would be."""
    python = environment("build")
    folder = CACHE / "wheel"
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "gpuwhy"
    subprocess.run(["strip", "-o", program, GPUWHY], check=True)
    for old in folder.glob("*.whl"):
        old.unlink()
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run([python, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-build-isolation",
                        "--no-index", "-w", folder, "-C", f"cmake.define.GPUWHY_PREBUILT={program}",
                        "-C", f"build-dir={scratch}/build", SOURCE], check=True)
    return next(folder.glob("*.whl")), program


def package_environment(**variables):
    """Variables under which the package in the source tree finds the program under test."""
    link = CACHE / "path" / "gpuwhy"
    if not link.is_symlink() or os.readlink(link) != str(GPUWHY):
        link.parent.mkdir(parents=True, exist_ok=True)
        fresh = link.with_name(f"gpuwhy.{os.getpid()}")
        fresh.symlink_to(GPUWHY)
        os.replace(fresh, link)  # other tests look at it just now
    kept = {name: os.environ[name] for name in ("HOME", "TMPDIR") if name in os.environ}
    return {**kept, "PATH": f"{link.parent}:/usr/bin:/bin", "PYTHONPATH": str(PACKAGE), "LANG": "C.UTF-8", **variables}
