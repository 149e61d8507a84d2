"""Workloads for two GPUs, and for one GPU with another program beside."""

import os
import subprocess
import sys
import time

from workload import burn, keras_conv, torch_net, torch_step, workload


def torch_training(clock, device="cuda:0", between=None):
    import torch

    net = torch_net(dtype=torch.bfloat16).to(device)
    optimizer = torch.optim.SGD(net.parameters(), lr=1e-3)
    x = torch.randn(8192, 4096, device=device, dtype=torch.bfloat16)
    y = torch.randint(10, (8192,), device=device)
    while clock.runs():
        if between:
            between()
        torch_step(net, optimizer, x, y)


def jax_training(clock, place=lambda x: x):
    import jax
    import jax.numpy as jnp

    @jax.jit
    def step(w, x):
        return w - 1e-3 * jax.grad(lambda w: jnp.mean(jnp.tanh(jnp.tanh(x @ w) @ w) ** 2))(w)

    w = jax.random.normal(jax.random.key(0), (8192, 8192), jnp.bfloat16) * 0.02
    x = place(jax.random.normal(jax.random.key(1), (16384, 8192), jnp.bfloat16))
    while clock.runs():
        for _ in range(5):
            w = step(w, x)
        jax.block_until_ready(w)


@workload("P10", gpus=2)
def two_torch_one(clock):
    torch_training(clock)


@workload("P10", gpus=2)
def two_jax_one(clock):
    jax_training(clock)


@workload("P10", gpus=2, KERAS_BACKEND="jax")
def two_keras_one(clock):
    from workload import keras_fit
    from workloads_tensorflow import images

    keras_fit(clock, keras_conv(), images(), 256)


@workload("used", gpus=2)
def two_jax_sharded(clock):
    import jax

    mesh = jax.make_mesh((len(jax.devices()),), ("batch",), axis_types=(jax.sharding.AxisType.Auto,))
    rows = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("batch"))
    jax_training(clock, lambda x: jax.device_put(x, rows))


@workload("used", gpus=2, KERAS_BACKEND="jax")
def two_keras_distributed(clock):
    """With Keras 3.15 on JAX 0.11 NVML saw the second H200 work some seconds after the first, once not at all in 10 s."""
    import keras
    from workload import keras_fit
    from workloads_tensorflow import images

    keras.distribution.set_distribution(keras.distribution.DataParallel())
    keras_fit(clock, keras_conv(), images(), 512)


def rank(clock, slow=False):
    import torch

    number = int(os.environ["LOCAL_RANK"])
    torch.cuda.set_device(number)
    torch.distributed.init_process_group("nccl")
    net = torch.nn.parallel.DistributedDataParallel(torch_net(dtype=torch.bfloat16), device_ids=[number])
    optimizer = torch.optim.SGD(net.parameters(), lr=1e-3)
    x = torch.randn(8192, 4096, device="cuda", dtype=torch.bfloat16)
    y = torch.randint(10, (8192,), device="cuda")
    end = torch.zeros(1, device="cuda")
    while end.item() == 0:
        if slow and number == 1:
            burn(0.15)
        for _ in range(1 if slow else 10):
            torch_step(net, optimizer, x, y)
        end.fill_(0 if clock.runs() else 1)
        torch.distributed.all_reduce(end)
    torch.distributed.destroy_process_group()


def torchrun(clock, name):
    subprocess.run([sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2",
                    os.path.join(os.path.dirname(os.path.abspath(__file__)), "workloads_two.py"), name, str(clock.seconds)], check=True)


@workload("used", gpus=2)
def two_torch_ddp(clock):
    torchrun(clock, "rank")


@workload("R03", gpus=2)
def two_torch_slow_rank(clock):
    """One rank's input is slow, and the other one waits for it in NCCL: with a kernel that looks like work."""
    torchrun(clock, "slow_rank")


@workload("used", gpus=2)
def two_processes(clock):
    """A process for each GPU, by multiprocessing's spawn."""
    import multiprocessing

    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=torch_training, args=(clock, f"cuda:{i}")) for i in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


@workload("used", gpus=2, CUDA_VISIBLE_DEVICES="1")
def two_second_chosen(clock):
    torch_training(clock)


@workload("used", gpus=2, beside="on_second")
def two_other_is_taken(clock):
    """One GPU, because another program works on the second."""
    torch_training(clock)


def on_second(clock):
    import torch

    torch.zeros(1, device="cuda:1")
    print("ready", flush=True)
    torch_training(clock, "cuda:1")


def hog(clock):
    """Holds nearly all memory of the GPU, as a notebook that was left open."""
    import torch

    free, _ = torch.cuda.mem_get_info()
    kept = torch.empty(free - (1 << 30), dtype=torch.uint8, device="cuda")
    print("ready", kept.numel(), flush=True)
    while clock.runs():
        time.sleep(0.1)


@workload("R01", beside="hog")
def memory_is_taken(clock):
    torch_training(clock)


def main():
    from workload import Clock

    clock = Clock(float(sys.argv[2]) if len(sys.argv) > 2 else 10)
    {"rank": rank, "slow_rank": lambda c: rank(c, slow=True), "hog": hog, "on_second": on_second}[sys.argv[1]](clock)


if __name__ == "__main__":
    main()
