"""What the workloads share: their table, the clock that ends them, work to fill them with."""

import os
import sys
import time

WORKLOADS = {}  # name: (expected, environment, function)
BESIDE = {}  # name: the workload that another program runs at the same time
GPUS = {}  # name: GPUs that it needs, if not one


def workload(expected, beside=None, gpus=1, **environment):
    def add(function):
        WORKLOADS[function.__name__] = (expected, environment, function)
        if beside:
            BESIDE[function.__name__] = beside
        GPUS[function.__name__] = gpus
        return function

    return add


class Clock:
    """Ends the loops of a workload: the time starts with the first turn, when the imports are done."""

    def __init__(self, seconds):
        self.seconds, self.end = seconds, None

    def runs(self):
        if self.end is None:
            if "torch" in sys.modules:
                import torch._dynamo  # the first optimizer imports it, for seconds
            self.end = time.monotonic() + self.seconds
        return time.monotonic() < self.end


def burn(seconds):
    """Python at work on the processor, as a slow generator or decoder is."""
    end, x = time.perf_counter() + seconds, 0
    while time.perf_counter() < end:
        x = (x * 1103515245 + 12345) & 0x7FFFFFFF
    return x


def torch_net(width=4096, depth=8, dtype=None):
    import torch

    layers = []
    for _ in range(depth):
        layers += [torch.nn.Linear(width, width), torch.nn.ReLU()]
    net = torch.nn.Sequential(*layers, torch.nn.Linear(width, 10)).cuda()
    return net.to(dtype) if dtype else net


def torch_step(net, optimizer, x, y):
    import torch

    optimizer.zero_grad(set_to_none=True)
    loss = torch.nn.functional.cross_entropy(net(x).float(), y)
    loss.backward()
    optimizer.step()
    return loss


def keras_fit(clock, model, data, batch, **more):
    import keras

    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if not clock.runs():
                self.model.stop_training = True

    while clock.runs():
        model.fit(data, batch_size=batch, verbose=2, callbacks=[Stop()], **more) if not isinstance(data, tuple) else model.fit(
            *data, batch_size=batch, verbose=2, callbacks=[Stop()], **more)


def keras_conv():
    import keras

    model = keras.Sequential([keras.Input((64, 64, 3))])
    for filters in (256, 256, 256, 256):
        model.add(keras.layers.Conv2D(filters, 3, padding="same", activation="relu"))
    model.add(keras.layers.GlobalAveragePooling2D())
    model.add(keras.layers.Dense(10))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer="sgd", loss=loss)
    return model


def keras_tiny(clock):
    """Dense 64, Dense 10, batches of 32: the model with which people first try a GPU."""
    import keras
    import numpy

    model = keras.Sequential([keras.Input((20,)), keras.layers.Dense(64, activation="relu"), keras.layers.Dense(10)])
    model.compile(optimizer="adam", loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    data = numpy.random.rand(65536, 20).astype("float32"), numpy.random.randint(0, 10, 65536)
    keras_fit(clock, model, data, 32)


def keras_starved(clock):
    """model.fit on a Python generator that takes longer than the step."""
    import numpy

    def batches():
        x = numpy.random.rand(64, 64, 64, 3).astype("float32")
        y = numpy.random.randint(0, 10, 64)
        while True:
            burn(0.08)
            yield x, y

    keras_fit(clock, keras_conv(), batches(), None, steps_per_epoch=1 << 20)
