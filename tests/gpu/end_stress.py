"""May a program end while gpuwhy attaches CUPTI to it? Many short programs that end just then; all must end well.

    python end_stress.py GPUWHY SECONDS AT_ONCE [jax|torch [OPTION OF GPUWHY ...]]

Each program watches what the injected library tells (probes/cuda_windows.h): it ends within 0.4 s of the moment in
which the first window is about to begin. Only a GPU shows anything.
"""

import collections
import os
import subprocess
import sys
import time

WATCH = """
import glob, os, random, struct, time
def ready():
    for path in glob.glob(os.environ.get("GPUWHY_WINDOWS_DIRECTORY", "/nowhere") + "/" + str(os.getpid())):
        with open(path, "rb") as file:
            return len(told := file.read()) > 160 and b"libcupti" in told
end = time.monotonic() + 5
while not ready() and time.monotonic() < end:
    step()
end = time.monotonic() + random.random() * 0.4
while time.monotonic() < end:
    step()
"""
PROGRAMS = {
    "jax": """
import os
os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"
import jax, jax.numpy as jnp
f = jax.jit(lambda a: jnp.tanh(a @ a).sum())
x = jnp.ones((256, 256))
step = lambda: f(x).block_until_ready()
""",
    "torch": """
import torch
x = torch.randn(256, 256, device="cuda")
step = lambda: (torch.tanh(x @ x).sum().item())
""",
}


def main():
    gpuwhy, seconds, at_once = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
    code = PROGRAMS[sys.argv[4] if len(sys.argv) > 4 else "jax"] + WATCH
    command = [gpuwhy, "run", *sys.argv[5:], "-o", os.devnull, "--", sys.executable, "-c", code]
    began, running, ends = time.monotonic(), [], collections.Counter()
    while running or time.monotonic() - began < seconds:
        while len(running) < at_once and time.monotonic() - began < seconds:
            program = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
            running.append((program, time.monotonic()))
        time.sleep(0.05)
        for program, start in list(running):
            if program.poll() is None and time.monotonic() - start > 60:
                os.killpg(program.pid, 9)
                program.wait()
                ends["hung"] += 1
            elif program.poll() is not None:
                ends[program.returncode] += 1
            else:
                continue
            running.remove((program, start))
    print(f"{ends.total()} programs:", ", ".join(f"{count} ended {how}" for how, count in ends.most_common()))
    return set(ends) != {0}


if __name__ == "__main__":
    sys.exit(main())
