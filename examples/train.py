"""A program that keeps itself off the GPU: 'gpuwhy lint examples/train.py' tells where."""

import os

import numpy as np
import tensorflow as tf

os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

x, y = np.random.rand(1024, 32), np.random.rand(1024, 1)
model = tf.keras.Sequential([tf.keras.layers.Dense(64, activation="relu"), tf.keras.layers.Dense(1)])
model.compile(optimizer="adam", loss="mse")
model.fit(x, y, epochs=3)
