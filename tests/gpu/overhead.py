"""What 'gpuwhy run' costs: the same program plain and observed, in turn.

    python overhead.py GPUWHY [PAIRS]        prints steps a second and the difference, early and late in the run
    python overhead.py --program NAME        one program; prints its rates

Windows in which CUDA calls are counted come often in the first ten seconds and every five seconds later: the
rates of both parts are told. Two starts of one plain program can differ by several per cent, more than is
measured here, so take many pairs, and look at the slow steps within a run as well ("within"): the mean time of
a step over its median, observed less plain. Windows are few enough for the median not to see them.
"""

import statistics
import subprocess
import sys
import time

EARLY, LATE, END = 2, 12, 28  # seconds after the first step


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


def program(name):
    step = PROGRAMS[name]()
    for _ in range(5):
        step()
    begin = time.perf_counter()
    early, late = [], []
    while (now := time.perf_counter() - begin) < END:
        step()
        if now >= EARLY:
            (early if now < LATE else late).append(time.perf_counter() - begin - now)
    print("RATES", *(1 / statistics.mean(part) for part in (early, late)), *(statistics.mean(part) / statistics.median(part) for part in (early, late)))


def rates(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    line = [line for line in done.stdout.splitlines() if line.startswith("RATES")][0]
    return [float(word) for word in line.split()[1:]]


def main():
    if sys.argv[1] == "--program":
        return program(sys.argv[2])
    pairs = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    for name in sys.argv[3:] or PROGRAMS:
        plain, seen = [], []
        for pair in range(pairs):
            inner = [sys.executable, sys.argv[0], "--program", name]
            outer = [sys.argv[1], "run", "-o", "/dev/null", "--", *inner]
            for command, to in ((inner, plain), (outer, seen)) if pair % 2 == 0 else ((outer, seen), (inner, plain)):
                to.append(rates(command))
        for part, title in ((0, "early"), (1, "late")):
            a, b = [r[part] for r in plain], [r[part] for r in seen]
            cost = (statistics.median(a) / statistics.median(b) - 1) * 100
            within = (statistics.median(r[part + 2] for r in seen) / statistics.median(r[part + 2] for r in plain) - 1) * 100
            print(f"{name:14} {title:6} plain {[round(v, 2) for v in a]} observed {[round(v, 2) for v in b]} cost {cost:+.2f} %, within {within:+.2f} %", flush=True)


if __name__ == "__main__":
    main()
