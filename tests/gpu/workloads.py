"""Programs with one known bottleneck each, and programs that have none: the truth that 'gpuwhy run' is held to.

    python workloads.py NAME [SECONDS]     runs one for about so long
    python workloads.py --list             NAME<TAB>EXPECTED, EXPECTED being "used" or a cause's id

They need one NVIDIA GPU, PyTorch and JAX; those named keras_* need Keras 3 as well.
"""

import os
import sys
import time

from workload import WORKLOADS, Clock, burn, keras_conv, keras_fit, keras_starved, keras_tiny, torch_net, torch_step, workload

# --- well-behaved -------------------------------------------------------------------------------------------


@workload("used")
def good_torch_mlp(clock):
    import torch

    net = torch_net(dtype=torch.bfloat16)
    optimizer = torch.optim.SGD(net.parameters(), lr=1e-3)
    x, y = torch.randn(8192, 4096, device="cuda", dtype=torch.bfloat16), torch.randint(10, (8192,), device="cuda")
    step = 0
    while clock.runs():
        loss = torch_step(net, optimizer, x, y)
        step += 1
        if step % 50 == 0:
            print(f"step {step} loss {loss.item():.3f}")


@workload("used")
def good_torch_conv(clock):
    import torch
    import torchvision

    net = torchvision.models.resnet50().cuda().to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(net.parameters(), lr=1e-3, momentum=0.9)
    x = torch.randn(128, 3, 224, 224, device="cuda").to(memory_format=torch.channels_last)
    y = torch.randint(10, (128,), device="cuda")
    while clock.runs():
        with torch.autocast("cuda", dtype=torch.bfloat16):
            loss = torch.nn.functional.cross_entropy(net(x), y)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        print(f"loss {loss.item():.3f}", end="\r")


class _Images:
    def __len__(self):
        return 1 << 20

    def __getitem__(self, index):
        import numpy

        return numpy.full((3, 224, 224), index % 7, dtype=numpy.float32), index % 10


@workload("used")
def good_torch_loader(clock):
    """Workers prepare the batches ahead of the GPU."""
    import torch
    import torchvision

    loader = torch.utils.data.DataLoader(_Images(), batch_size=96, num_workers=10, pin_memory=True, prefetch_factor=4)
    net = torchvision.models.resnet101().cuda()
    optimizer = torch.optim.SGD(net.parameters(), lr=1e-3)
    for x, y in loader:
        loss = torch.nn.functional.cross_entropy(net(x.cuda(non_blocking=True)), y.cuda(non_blocking=True))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        if not clock.runs():
            break


@workload("used")
def good_jax_mlp(clock):
    import jax
    import jax.numpy as jnp

    def loss(params, x):
        for w in params:
            x = jnp.tanh(x @ w)
        return jnp.mean(x**2)

    @jax.jit
    def step(params, x):
        return [w - 1e-3 * g for w, g in zip(params, jax.grad(loss)(params, x))]

    keys = jax.random.split(jax.random.key(0), 8)
    params = [jax.random.normal(k, (4096, 4096), jnp.bfloat16) * 0.02 for k in keys]
    x = jax.random.normal(keys[0], (8192, 4096), jnp.bfloat16)
    while clock.runs():
        for _ in range(10):
            params = step(params, x)
        jax.block_until_ready(params)


@workload("used", KERAS_BACKEND="jax")
def keras_good_jax(clock):
    import numpy

    data = numpy.random.rand(4096, 64, 64, 3).astype("float32"), numpy.random.randint(0, 10, 4096)
    keras_fit(clock, keras_conv(), data, 256)


@workload("used", KERAS_BACKEND="torch")
def keras_good_torch(clock):
    import numpy

    data = numpy.random.rand(4096, 64, 64, 3).astype("float32"), numpy.random.randint(0, 10, 4096)
    keras_fit(clock, keras_conv(), data, 256)


@workload("used")
def good_torch_graph(clock):
    """Small kernels, but recorded in a CUDA graph and replayed."""
    import torch

    x = torch.randn(2048, 2048, device="cuda")
    w = torch.randn(2048, 2048, device="cuda")

    def body():
        y = x
        for _ in range(60):
            y = torch.relu(y @ w) * 0.01
        return y

    body()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        body()
    while clock.runs():
        for _ in range(20):
            graph.replay()
        torch.cuda.synchronize()


# --- input --------------------------------------------------------------------------------------------------


@workload("R03")
def input_torch_decode(clock):
    """A single-threaded decoder between the steps."""
    import torch

    net = torch_net(dtype=torch.bfloat16)
    optimizer = torch.optim.SGD(net.parameters(), lr=1e-3)
    while clock.runs():
        burn(0.06)
        x = torch.randn(4096, 4096, device="cuda", dtype=torch.bfloat16)
        torch_step(net, optimizer, x, torch.randint(10, (4096,), device="cuda"))


@workload("R03")
def input_torch_storage(clock):
    """Each batch comes from slow storage: nobody computes."""
    import torch

    net = torch_net(dtype=torch.bfloat16)
    optimizer = torch.optim.SGD(net.parameters(), lr=1e-3)
    while clock.runs():
        time.sleep(0.04)
        x = torch.randn(4096, 4096, device="cuda", dtype=torch.bfloat16)
        torch_step(net, optimizer, x, torch.randint(10, (4096,), device="cuda"))


class _SlowImages(_Images):
    def __getitem__(self, index):
        burn(0.004)
        return super().__getitem__(index)


@workload("R03")
def input_torch_workers(clock):
    """Two workers where ten would be needed."""
    import torch
    import torchvision

    loader = torch.utils.data.DataLoader(_SlowImages(), batch_size=64, num_workers=2)
    net = torchvision.models.resnet50().cuda()
    optimizer = torch.optim.SGD(net.parameters(), lr=1e-3)
    for x, y in loader:
        loss = torch.nn.functional.cross_entropy(net(x.cuda()), y.cuda())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        if not clock.runs():
            break


@workload("R03", KERAS_BACKEND="jax")
def keras_input_generator(clock):
    keras_starved(clock)


# --- too little work for each launch ------------------------------------------------------------------------


@workload("R04")
def launch_torch_tiny(clock):
    import torch

    x = torch.randn(64, 64, device="cuda")
    while clock.runs():
        for _ in range(1000):
            x = torch.tanh(x * 0.5 + 0.1)


@workload("R04")
def launch_torch_small_net(clock):
    import torch

    net = torch_net(width=64, depth=12)
    optimizer = torch.optim.Adam(net.parameters(), foreach=False)
    x, y = torch.randn(32, 64, device="cuda"), torch.randint(10, (32,), device="cuda")
    while clock.runs():
        torch_step(net, optimizer, x, y)


@workload("R04")
def launch_jax_small_step(clock):
    import jax
    import jax.numpy as jnp

    @jax.jit
    def step(w, x):
        return w - 1e-3 * jax.grad(lambda w: jnp.mean((jnp.tanh(x @ w) - x) ** 2))(w)

    w, x = jnp.zeros((64, 64)), jnp.ones((32, 64))
    while clock.runs():
        for _ in range(200):
            w = step(w, x)


@workload("R04", KERAS_BACKEND="jax")
def keras_tiny_jax(clock):
    keras_tiny(clock)


@workload("R04", KERAS_BACKEND="torch")
def keras_tiny_torch(clock):
    keras_tiny(clock)


# --- copies and synchronisation -----------------------------------------------------------------------------


@workload("R05")
def sync_torch_item(clock):
    """A value is asked for after each small step: the processor cannot run ahead."""
    import torch

    x = torch.randn(1024, 1024, device="cuda")
    w = torch.randn(1024, 1024, device="cuda") * 0.01
    total = 0.0
    while clock.runs():
        x = torch.tanh(x @ w)
        total += x.sum().item()


@workload("R05")
def copy_torch_to_gpu(clock):
    """The whole table crosses the bus in each step."""
    import torch

    table = torch.randn(64 << 20)
    while clock.runs():
        (table.cuda() * 2).sum()


@workload("R05")
def copy_torch_to_host(clock):
    """Activations are brought back in each step."""
    import torch

    x = torch.randn(16384, 4096, device="cuda")
    while clock.runs():
        (x * 2).cpu()


@workload("P01")
def cpu_layer(clock):
    """One layer in the middle was left on the processor."""
    import torch

    first = torch.nn.Linear(4096, 4096).cuda()
    middle = torch.nn.Linear(4096, 4096)
    last = torch.nn.Linear(4096, 10).cuda()
    x = torch.randn(2048, 4096, device="cuda")
    while clock.runs():
        last(middle(first(x).cpu()).cuda()).sum().backward()


# --- memory -------------------------------------------------------------------------------------------------


@workload("R07")
def leak_list(clock):
    """The loss of each step is kept with all that hangs on it."""
    import torch

    net = torch_net(dtype=torch.bfloat16)
    x = torch.randn(8192, 4096, device="cuda", dtype=torch.bfloat16)
    kept = []
    while clock.runs():
        with torch.no_grad():
            y = net(x)
            for _ in range(6):
                z = net(x)
        kept.append((y, torch.empty(5 << 20, device="cuda", dtype=torch.uint8)))
        torch.cuda.synchronize()


@workload("R07")
def leak_models(clock):
    """A model a turn, none let go."""
    import torch

    kept = []
    x, y = torch.randn(8192, 2048, device="cuda"), torch.randint(10, (8192,), device="cuda")
    with torch.device("cuda"):
        while clock.runs():
            net = torch_net(width=2048, depth=6)
            optimizer = torch.optim.SGD(net.parameters(), lr=1e-3)
            for _ in range(25):
                torch_step(net, optimizer, x, y)
            kept.append((net, optimizer))


@workload("R02")
def idle_preallocated(clock):
    """JAX takes three quarters of the memory; the work is NumPy's."""
    import jax
    import numpy

    jax.block_until_ready(jax.numpy.zeros(4))
    a = numpy.random.rand(1500, 1500)
    while clock.runs():
        a = a @ a
        a /= abs(a).max()


@workload("R02")
def idle_after_start(clock):
    """The GPU works for some seconds, then the program goes on without it and keeps the memory."""
    import numpy
    import torch

    x = torch.randn(8192, 8192, device="cuda")
    end = time.monotonic() + 3
    while time.monotonic() < end:
        x = torch.tanh(x @ x * 1e-4)
        torch.cuda.synchronize()
    a = numpy.random.rand(1500, 1500)
    clock.seconds += 4
    while clock.runs():
        a = a @ a
        a /= abs(a).max()


@workload("R08")
def out_of_memory(clock):
    import torch

    net = torch_net()
    kept = []
    x = torch.randn(65536, 4096, device="cuda")
    while True:
        y = x
        for layer in net:
            y = layer(y)
            kept.append(y.detach())
        kept.append(y)


# --- the rest -----------------------------------------------------------------------------------------------


@workload("P15")
def never_moved(clock):
    """PyTorch with a GPU in reach, and nothing moved to it."""
    import torch

    net = torch.nn.Sequential(torch.nn.Linear(2048, 2048), torch.nn.ReLU(), torch.nn.Linear(2048, 10))
    optimizer = torch.optim.SGD(net.parameters(), lr=1e-3)
    x, y = torch.randn(512, 2048), torch.randint(10, (512,))
    while clock.runs():
        torch_step(net, optimizer, x, y)


@workload("E01", CUDA_VISIBLE_DEVICES="")
def never_visible(clock):
    import jax

    step = jax.jit(lambda a: jax.numpy.tanh(a @ a))
    a = jax.numpy.ones((1500, 1500))
    while clock.runs():
        a = jax.block_until_ready(step(a))


@workload("R12")
def device_error(clock):
    """An index beyond the table, noticed by the GPU in the middle of the run."""
    import torch

    table = torch.randn(1000, 4096, device="cuda")
    w = torch.randn(4096, 4096, device="cuda")
    end = time.monotonic() + 4
    while True:
        late = time.monotonic() > end
        index = torch.randint(1000, (8192,), device="cuda") + (5000 if late else 0)
        (table[index] @ w).sum().item()


@workload("used")
def good_torch_varied(clock):
    """Batches of varying length, an evaluation now and then, a checkpoint: ordinary training."""
    import io

    import torch

    net = torch_net(width=2048, depth=8, dtype=torch.bfloat16)
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-4)
    step = 0
    while clock.runs():
        n = 8192 + 512 * (step % 7)
        x = torch.randn(n, 2048, device="cuda", dtype=torch.bfloat16)
        loss = torch_step(net, optimizer, x, torch.randint(10, (n,), device="cuda"))
        step += 1
        if step % 100 == 0:
            with torch.no_grad():
                for _ in range(20):
                    net(x)
            print(f"step {step} loss {loss.item():.3f}")
        if step % 600 == 0:
            torch.save(net.state_dict(), io.BytesIO())


@workload("R11", CUDA_CACHE_DISABLE="1")
def jit_ptx(clock):
    """The driver translates PTX for this GPU before the first real step."""
    import cupy

    def source(seed):
        body = "\n".join(
            f"fma.rn.f32 %f{i % 60}, %f{(i * 7 + seed) % 60}, %f{(i * 13 + 1) % 60}, %f{(i * 3 + 2) % 60};" for i in range(12000))
        return (".version 7.0\n.target sm_70\n.address_size 64\n.visible .entry k(.param .u64 p) {\n"
                ".reg .f32 %f<64>;\n.reg .u64 %r<4>;\nld.param.u64 %r1, [p];\n" +
                "\n".join(f"ld.global.f32 %f{i}, [%r1+{4 * i}];" for i in range(60)) + "\n" + body + "\n" +
                "\n".join(f"st.global.f32 [%r1+{4 * i}], %f{i};" for i in range(60)) + "\nret;\n}\n").encode()

    cupy.zeros(1)
    end, seed, kept = time.monotonic() + 8, 0, []
    while time.monotonic() < end:
        module = cupy.cuda.function.Module()
        module.load(source(seed))
        kept.append(module)
        seed += 1
    print(seed, "modules")
    a = cupy.random.rand(8192, 8192, dtype=cupy.float32)
    clock.seconds = 5
    while clock.runs():
        cupy.tanh(a @ a)
        cupy.cuda.runtime.deviceSynchronize()


@workload("R13")
def compile_again_and_again(clock):
    """Each step has another shape, and XLA compiles each."""
    import jax
    import jax.numpy as jnp

    @jax.jit
    def step(x):
        for i in range(12):
            x = jnp.tanh(x @ x.T @ x) * (i + 1)
        return x.sum()

    n = 64
    while clock.runs():
        n += 1
        jax.block_until_ready(step(jnp.ones((n, n + 3))))


def main():
    if sys.argv[1] == "--list":
        for name, (expected, _, _) in WORKLOADS.items():
            print(f"{name}\t{expected}")
        return
    expected, environment, function = WORKLOADS[sys.argv[1]]
    os.environ.update(environment)
    function(Clock(float(sys.argv[2]) if len(sys.argv) > 2 else 10))
    if "tensorflow" in sys.modules:  # at the interpreter's end 2.18 waits forever for a thread of tf.data that waits for the interpreter
        sys.stdout.flush()
        os._exit(0)


import workloads_tensorflow  # noqa: E402, F401 (they enter themselves into the table)
import workloads_two  # noqa: E402, F401

if __name__ == "__main__":
    main()
