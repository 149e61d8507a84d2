"""What 'gpuwhy run' costs, measured inside one process: two starts of one program can differ by tens of per cent.

    gpuwhy run -o /dev/null -- python overhead.py launch_bound | small_jax | training

The program takes gpuwhy's library out of its environment before CUDA starts, and times its steps:
1. "outside": for a second the observers (NVML, /proc) are stopped by SIGSTOP, for a second they go on, and so in
   turn; the cost is the difference of neighbouring seconds, with the 90 % interval of the median of differences
   drawn anew (bootstrap).
2. It loads the library as libcuda would. "between windows": steps while nothing is subscribed against the steps
   before the library came, a second of each (the machine's own speed drifts by more within ten). "windows": time lost in steps that a window touched (over the median of the steps
   around them), as a part of all time; early (the first ten seconds) and late apart.
"""

import ctypes
import mmap
import os
import random
import signal
import statistics
import struct
import sys
import time

TURNS, EARLY, LATE = 15, 10, 25  # pairs of seconds; seconds after the library was loaded
WINDOWS = struct.Struct("=IIIIii QQ")  # the head of probes/cuda_windows.h
SPENT, SPENT_AT = struct.Struct("=Q"), 24 + 16 * 8  # spent_time


def launch_bound():
    import torch

    x = torch.randn(64, 64, device="cuda")

    def step():
        nonlocal x
        for _ in range(200):
            x = torch.tanh(x * 0.5 + 0.1)
        torch.cuda.synchronize()

    return step


def small_jax():
    import jax
    import jax.numpy as jnp

    update = jax.jit(lambda w, x: w - 1e-3 * jax.grad(lambda w: jnp.mean((jnp.tanh(x @ w) - x) ** 2))(w))
    w, x = jnp.zeros((64, 64)), jnp.ones((32, 64))

    def step():
        nonlocal w
        for _ in range(100):
            w = update(w, x)
        jax.block_until_ready(w)

    return step


def training():
    import torch
    import torchvision

    net = torchvision.models.resnet50().cuda().to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(net.parameters(), lr=1e-3)
    x = torch.randn(96, 3, 224, 224, device="cuda").to(memory_format=torch.channels_last)
    y = torch.randint(10, (96,), device="cuda")

    def step():
        with torch.autocast("cuda", dtype=torch.bfloat16):
            loss = torch.nn.functional.cross_entropy(net(x), y)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        torch.cuda.synchronize()

    return step


PROGRAMS = {"launch_bound": launch_bound, "small_jax": small_jax, "training": training}


def observers():
    """gpuwhy and the processes that it started beside this one."""
    own, parent = os.getpid(), os.getppid()
    found = [parent]
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) not in (own, parent):
            try:
                with open(f"/proc/{name}/stat") as file:
                    if int(file.read().rsplit(")", 1)[1].split()[1]) in found:
                        found.append(int(name))
            except OSError:
                pass
    return found


def interval(values):
    draw = random.Random(1)
    medians = sorted(statistics.median(draw.choices(values, k=len(values))) for _ in range(2000))
    return "%+.2f %% (90 %%: %+.2f to %+.2f)" % (statistics.median(values), medians[100], medians[1899])


def timed(step, seconds):
    times = []
    end = time.perf_counter() + seconds
    while (before := time.perf_counter()) < end:
        step()
        times.append(time.perf_counter() - before)
    return times


def outside(step):
    seen, costs = observers(), []
    for turn in range(TURNS):
        both = {}
        for stop in (True, False) if turn % 2 else (False, True):
            for pid in seen:
                os.kill(pid, signal.SIGSTOP if stop else signal.SIGCONT)
            both[stop] = timed(step, 1)
        for pid in seen:
            os.kill(pid, signal.SIGCONT)
        costs.append((statistics.mean(both[False]) / statistics.mean(both[True]) - 1) * 100)
    print(f"  outside          {interval(costs)} of {TURNS} pairs; {len(seen)} observers")


def inside(step, library, before):
    ctypes.CDLL(library).InitializeInjection()
    path = os.path.join(os.path.dirname(library), str(os.getpid()))
    with open(path, "rb") as file:
        view = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    begin = time.perf_counter()
    steps, windows = [], []  # (begin, end) of each
    count = total = 0
    while (start := time.perf_counter()) - begin < EARLY + LATE:
        step()
        end = time.perf_counter()
        steps.append((start - begin, end - begin))
        now = WINDOWS.unpack_from(view)
        if now[6] > count:  # a window ended within this step
            windows.append((end - begin - (now[7] - total) / 1e9 - (end - start), end - begin))
            count, total = now[6], now[7]
    state, spent = WINDOWS.unpack_from(view)[3], SPENT.unpack_from(view, SPENT_AT)[0]
    print(f"  {count} windows, {total / 1e6:.0f} ms in all, state {state}; by its own account they took {spent / 1e6:.0f} ms")
    touched = [any(a < s[1] and e > s[0] for a, e in windows) for s in steps]
    first_end = windows[0][1]
    free = [s[1] - s[0] for s, t in zip(steps, touched) if not t and first_end < s[0] < first_end + 1]
    print("  between windows  %+.2f %% against the steps before" % ((statistics.median(free) / statistics.median(before) - 1) * 100))
    for title, first, last in (("early", 0, EARLY), ("late", EARLY, EARLY + LATE)):
        part = [(s[1] - s[0], t) for s, t in zip(steps, touched) if first <= s[0] < last]
        usual = statistics.median(t for t, in_window in part if not in_window)
        mean = statistics.mean(t for t, in_window in part if not in_window)
        lost = sum(t - mean for t, in_window in part if in_window)
        slow = statistics.median(t for t, in_window in part if in_window) / usual
        each = [round(sum(t - usual for a, t in ((s[0], s[1] - s[0]) for s in steps if s[0] < e and s[1] > b - usual)) * 1e3, 1)
                for b, e in windows if first <= e < last]
        print("  lost, ms a window", each)
        print("  windows, %-6s  %+.2f %% of the time; a step in a window takes %.2f times as long" % (title, lost / (last - first) * 100, slow))


def main():
    library = os.environ.pop("CUDA_INJECTION64_PATH", None)
    if library is None:
        sys.exit("start me by: gpuwhy run -o /dev/null -- python overhead.py NAME")
    step = PROGRAMS[sys.argv[1]]()
    timed(step, 3)
    print(sys.argv[1])
    outside(step)
    inside(step, library, timed(step, 1))


if __name__ == "__main__":
    main()
