"""Trains a small model with the callback and looks at what it said and cost. Run by all.py with a Keras at hand, on a machine
whose GPU is hidden or absent; on a GPU: python3 keras_train.py gpu.
"""

import contextlib
import io
import os
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

try:
    import keras
except ImportError:
    from tensorflow import keras
import numpy

import gpuwhy


class Clock(keras.callbacks.Callback):
    """How long the steps between two epochs take."""

    def __init__(self):
        super().__init__()
        self.seconds = []

    def on_epoch_begin(self, epoch, logs=None):
        self.begun = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        self.seconds.append(time.perf_counter() - self.begun)


def fit(*callbacks, epochs=6):
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.layers.Dense(64, activation="relu"), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    clock = Clock()
    model.fit(numpy.random.rand(16000, 32), numpy.random.rand(16000, 1), batch_size=32, epochs=epochs, verbose=0, callbacks=[clock, *callbacks])
    return min(clock.seconds[1:])


def main():
    expects_gpu = sys.argv[1:] == ["gpu"]
    callback = gpuwhy.keras.GpuWhy(steps=20, seconds=0.5)
    out, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        fit(callback)
    print(out.getvalue() + errors.getvalue(), end="")
    assert isinstance(callback, keras.callbacks.Callback)
    assert out.getvalue().count("gpuwhy: ") == 1, out.getvalue()
    assert callback.report is not None
    if expects_gpu:
        assert callback.report.used, callback.report
    else:
        assert callback.report.used is False, callback.report
        assert callback.report.cause is not None, callback.report
        assert errors.getvalue().count("gpuwhy: the GPU was not used") == 1, errors.getvalue()
    step = 16000 // 32
    with contextlib.redirect_stdout(io.StringIO()):
        without = min(fit() for _ in range(2))
        watched = min(fit(gpuwhy.keras.GpuWhy(seconds=1e6)) for _ in range(2))
    begun = time.perf_counter()
    for number in range(100_000):
        callback.on_train_batch_end(number)
    own = (time.perf_counter() - begun) / 100_000
    print(f"keras {keras.__version__}: a step {without / step * 1e6:.0f} us, watched {watched / step * 1e6:.0f} us; "
          f"the callback itself {own * 1e6:.2f} us = {own / (without / step) * 100:.3f} %")
    assert own < 0.005 * without / step, "more than half a per cent of a small model's step"


if __name__ == "__main__":
    main()
