#!/usr/bin/env python3
"""Time to verdict, as ratios taken in one run: gpuwhy against the one-liner that people use.

    verdict.py GPUWHY [--runs N] [--cache FOLDER]

Installs a pinned tensorflow-cpu into FOLDER (default build/bench), copies that environment's metadata to 20
more environments, and prints
  - import tensorflow and list GPUs / gpuwhy check, wall time, median of pairs
  - peak memory of gpuwhy
  - system calls for an environment that has nothing to do with GPUs (needs strace)
  - a machine with 20 environments, warm
"""

import argparse
import os
import pathlib
import re
import resource
import shutil
import statistics
import subprocess
import sys
import time
import venv

TENSORFLOW = "tensorflow-cpu==2.18.1"
QUESTION = "import tensorflow as tf; print(tf.config.list_physical_devices('GPU'))"


def seconds(command, environment=None):
    start = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment, check=False)
    return time.perf_counter() - start


def peak_memory(command):
    """Largest resident set of one run, in MiB."""
    reader, writer = os.pipe()
    if os.fork() == 0:
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        os.write(writer, str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss).encode())
        os._exit(0)
    os.close(writer)
    kibibytes = int(os.read(reader, 64))
    os.wait()
    return kibibytes / 1024


def system_calls(command):
    """Calls of the main process alone; the probes are processes of their own. None without strace."""
    if shutil.which("strace") is None:
        return None
    listed = subprocess.run(["strace", "-c", "-o", "/dev/stdout", *command, "--no-probes"], capture_output=True, text=True)
    total = re.search(r"^100\.00\s+\S+\s+(?:\S+\s+)?(\d+)\s.*total$", listed.stdout, re.MULTILINE)
    return int(total.group(1)) if total else None


def make_environment(folder, requirement=None):
    if not (folder / "bin/python").exists():
        venv.create(folder, with_pip=requirement is not None, symlinks=True)
        if requirement:
            subprocess.run([folder / "bin/pip", "install", "--quiet", requirement], check=True)
    return folder


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gpuwhy")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--cache", default="build/bench")
    options = parser.parse_args()
    gpuwhy = str(pathlib.Path(options.gpuwhy).resolve())
    cache = pathlib.Path(options.cache).resolve()
    cache.mkdir(parents=True, exist_ok=True)
    framework = make_environment(cache / "tensorflow", TENSORFLOW)
    plain = make_environment(cache / "plain")

    python = str(framework / "bin/python")
    ours = [gpuwhy, "check", "--python", python]
    theirs = [python, "-c", QUESTION]
    seconds(theirs), seconds(ours)  # warm
    pairs = [(seconds(theirs), seconds(ours)) for _ in range(options.runs)]
    ratios = sorted(a / b for a, b in pairs)
    print(f"import tensorflow {statistics.median(a for a, _ in pairs):.3f} s, "
          f"gpuwhy {1000 * statistics.median(b for _, b in pairs):.1f} ms, "
          f"ratio {statistics.median(ratios):.0f} (from {ratios[0]:.0f} to {ratios[-1]:.0f}, {options.runs} pairs)")
    print(f"peak memory of gpuwhy {peak_memory(ours):.1f} MiB")

    calls = system_calls([gpuwhy, "check", "--python", str(plain / "bin/python")])
    print(f"system calls without a framework: {calls if calls is not None else 'unknown (no strace)'}")

    home = cache / "home"
    folder = home / ".virtualenvs"
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(20):
        target = folder / f"env{number:02}"
        if not target.exists():
            subprocess.run(["cp", "-al", framework, target], check=True)
    environment = dict(os.environ, HOME=str(home), PATH=f"{framework}/bin:/usr/bin:/bin")
    every = [gpuwhy, "check", "--all", "--json"]
    seconds(every, environment)
    many = [seconds(every, environment) for _ in range(options.runs)]
    one = [seconds(ours) for _ in range(options.runs)]
    print(f"20 environments {1000 * statistics.median(many):.1f} ms, "
          f"{statistics.median(many) / statistics.median(one):.1f} times one")


if __name__ == "__main__":
    sys.exit(main())
