"""Workloads of TensorFlow; see tensorflow_site.py for a machine that has CUDA 13 only."""

import time

from workload import keras_conv, keras_fit, keras_starved, keras_tiny, workload


def images(count=4096):
    import numpy

    return numpy.random.rand(count, 64, 64, 3).astype("float32"), numpy.random.randint(0, 10, count)


@workload("used", KERAS_BACKEND="tensorflow")
def tf_good_fit(clock):
    keras_fit(clock, keras_conv(), images(), 256)


@workload("used", KERAS_BACKEND="tensorflow")
def tf_good_data(clock):
    """tf.data with parallel map and prefetch."""
    import tensorflow as tf

    x, y = images(2048)
    data = tf.data.Dataset.from_tensor_slices((x, y)).repeat().shuffle(1024)
    data = data.map(lambda a, b: (tf.image.random_flip_left_right(a), b), tf.data.AUTOTUNE).batch(256).prefetch(tf.data.AUTOTUNE)
    keras_fit(clock, keras_conv(), data, None, steps_per_epoch=1 << 20)


@workload("used", KERAS_BACKEND="tensorflow")
def tf_good_function(clock):
    """A step of one's own, compiled by XLA."""
    import tensorflow as tf

    w = [tf.Variable(tf.random.normal((4096, 4096), stddev=0.02)) for _ in range(6)]
    x = tf.random.normal((8192, 4096))

    @tf.function(jit_compile=True)
    def step():
        with tf.GradientTape() as tape:
            y = x
            for layer in w:
                y = tf.tanh(y @ layer)
            loss = tf.reduce_mean(y**2)
        for layer, gradient in zip(w, tape.gradient(loss, w)):
            layer.assign_sub(1e-3 * gradient)
        return loss

    while clock.runs():
        for _ in range(5):
            loss = step()
        loss.numpy()


@workload("R03", KERAS_BACKEND="tensorflow")
def tf_input_generator(clock):
    keras_starved(clock)


@workload("R03", KERAS_BACKEND="tensorflow")
def tf_input_map(clock):
    """A slow map, one call after the other, nothing prefetched."""
    import tensorflow as tf

    x, y = images(2048)

    def slow(a):
        time.sleep(0.001)
        return a

    data = tf.data.Dataset.from_tensor_slices((x, y)).repeat()
    data = data.map(lambda a, b: (tf.ensure_shape(tf.numpy_function(slow, [a], tf.float32), (64, 64, 3)), b)).batch(64)
    keras_fit(clock, keras_conv(), data, None, steps_per_epoch=1 << 20)


@workload("R04", KERAS_BACKEND="tensorflow")
def tf_tiny_fit(clock):
    keras_tiny(clock)


@workload("R04")
def tf_small_function(clock):
    """Many small kernels in a tf.function that is not compiled."""
    import tensorflow as tf

    x = tf.random.normal((64, 64))

    @tf.function
    def step(x):
        for _ in range(200):
            x = tf.tanh(x * 0.5 + 0.1)
        return x

    while clock.runs():
        x = step(x)


@workload("R04")
def tf_sync_numpy(clock):
    """Each step's value is brought to Python before the next one starts; but eager calls are slower than the wait."""
    import tensorflow as tf

    x = tf.random.normal((1024, 1024))
    w = tf.random.normal((1024, 1024), stddev=0.01)
    total = 0.0
    while clock.runs():
        x = tf.tanh(x @ w)
        total += float(tf.reduce_sum(x).numpy())


@workload("R02")
def tf_pinned_to_cpu(clock):
    """TensorFlow takes the GPU's memory and works on the processor: R02, with P01 behind it."""
    import tensorflow as tf

    tf.zeros(1)
    with tf.device("/CPU:0"):
        x = tf.random.normal((1500, 1500))
        while clock.runs():
            x = tf.tanh(x @ x)


@workload("R02")
def tf_idle_preallocated(clock):
    """TensorFlow holds the memory; the work is NumPy's."""
    import numpy
    import tensorflow as tf

    tf.zeros(4).numpy()
    a = numpy.random.rand(1500, 1500)
    while clock.runs():
        a = a @ a
        a /= abs(a).max()


@workload("R13")
def tf_retraces(clock):
    """Each step has another shape: traced and compiled anew."""
    import tensorflow as tf

    @tf.function(jit_compile=True)
    def step(x):
        for i in range(12):
            x = tf.tanh(x @ tf.transpose(x) @ x) * float(i + 1)
        return tf.reduce_sum(x)

    n = 64
    while clock.runs():
        n += 1
        step(tf.ones((n, n + 3))).numpy()


@workload("R08")
def tf_out_of_memory(clock):
    import tensorflow as tf

    kept = []
    while True:
        kept.append(tf.random.normal((16384, 16384)))
