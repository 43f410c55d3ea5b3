"""The rows of bench/step.py in Keras 3 on TensorFlow, trained as the two original systems train.

A step predicts fakes, fits the discriminator to reals and to fakes, and fits the generator through the discriminator held
still. Pictures lie in memory as float32 in -1..1.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers
from step_worker import Work, serve

BATCHES = {"dense": 256, "dcgan28": 100, "dcgan64": 64}


def build(row: str, pictures: str) -> Work:
    """The row's pair, ready to train."""
    keras.utils.set_random_seed(0)
    batch = BATCHES[row]
    x = np.load(pictures).transpose(0, 2, 3, 1).astype(np.float32) / 127.5 - 1
    generator, discriminator = {"dense": dense, "dcgan28": dcgan28, "dcgan64": dcgan64}[row](x.shape[1:])
    compiled: dict[str, Any] = {"loss": "binary_crossentropy"}
    discriminator.compile(**compiled, optimizer=adam(row))
    rng = np.random.default_rng(0)
    ones, zeros = np.ones((batch, 1), np.float32), np.zeros((batch, 1), np.float32)

    def noise() -> np.ndarray:
        return rng.normal(size=(batch, 100)).astype(np.float32)

    def fit_discriminator() -> None:
        real = x[rng.integers(len(x), size=batch)]
        fake = generator.predict(noise(), verbose=0)
        discriminator.train_on_batch(real, ones)
        discriminator.train_on_batch(fake, zeros)

    # Its step is traced while it may learn; the combined model's while it may not.
    fit_discriminator()
    discriminator.trainable = False
    entrance = keras.Input((100,))
    combined = keras.Model(entrance, discriminator(generator(entrance)))
    combined.compile(**compiled, optimizer=adam(row))
    before = [weight.copy() for weight in discriminator.get_weights()]

    def step() -> None:
        fit_discriminator()
        combined.train_on_batch(noise(), ones)

    step()
    moved = any((old != new).any() for old, new in zip(before, discriminator.get_weights(), strict=True))
    assert moved, "the discriminator does not learn"
    return Work(step, batch)


def adam(row: str) -> Any:
    """The original system's, or the paper's."""
    return keras.optimizers.Adam(2e-4, beta_1=0.9 if row == "dense" else 0.5)


def dense(shape: tuple[int, ...]) -> tuple[Any, Any]:
    """The cat tool's."""
    values = int(np.prod(shape))
    generator = [layers.Dense(256), layers.LeakyReLU(0.2), layers.Dense(values, activation="tanh"), layers.Reshape(shape)]
    discriminator = [layers.Flatten(), layers.Dense(256), layers.LeakyReLU(0.2), layers.Dense(1, activation="sigmoid")]
    return sequential((100,), generator), sequential(shape, discriminator)


def dcgan28(shape: tuple[int, ...]) -> tuple[Any, Any]:
    """The HPCC bundle's."""
    generator = [layers.Dense(128 * 7 * 7, activation="relu"), layers.Reshape((7, 7, 128))]
    for channels in (128, 64):
        generator += [layers.UpSampling2D(), layers.Conv2D(channels, 3, padding="same")]
        generator += [layers.BatchNormalization(momentum=0.8), layers.Activation("relu")]
    generator += [layers.Conv2D(1, 3, padding="same", activation="tanh"), layers.Reshape(shape)]
    discriminator = [layers.Conv2D(32, 3, strides=2, padding="same"), layers.LeakyReLU(0.2), layers.Dropout(0.25)]
    for channels, strides in ((64, 2), (128, 2), (256, 1)):
        discriminator += [layers.Conv2D(channels, 3, strides=strides, padding="same")]
        discriminator += [layers.ZeroPadding2D(((0, 1), (0, 1)))] if channels == 64 else []
        discriminator += [layers.BatchNormalization(momentum=0.8), layers.LeakyReLU(0.2), layers.Dropout(0.25)]
    discriminator += [layers.Flatten(), layers.Dense(1, activation="sigmoid")]
    return sequential((100,), generator), sequential(shape, discriminator)


def dcgan64(shape: tuple[int, ...]) -> tuple[Any, Any]:
    """Radford et al. 2016, without biases before normalisations."""
    generator = [layers.Reshape((1, 1, 100)), layers.Conv2DTranspose(512, 4, use_bias=False)]
    generator += [layers.BatchNormalization(), layers.ReLU()]
    for channels in (256, 128, 64):
        generator += [layers.Conv2DTranspose(channels, 4, strides=2, padding="same", use_bias=False)]
        generator += [layers.BatchNormalization(), layers.ReLU()]
    generator += [layers.Conv2DTranspose(shape[-1], 4, strides=2, padding="same", use_bias=False, activation="tanh")]
    discriminator = [layers.Conv2D(64, 4, strides=2, padding="same", use_bias=False), layers.LeakyReLU(0.2)]
    for channels in (128, 256, 512):
        discriminator += [layers.Conv2D(channels, 4, strides=2, padding="same", use_bias=False)]
        discriminator += [layers.BatchNormalization(), layers.LeakyReLU(0.2)]
    discriminator += [layers.Conv2D(1, 4, use_bias=False, activation="sigmoid"), layers.Reshape((1,))]
    return sequential((100,), generator), sequential(shape, discriminator)


def sequential(shape: tuple[int, ...], rest: list[Any]) -> Any:
    """A model of records of `shape`."""
    return keras.Sequential([keras.Input(shape), *rest])


if __name__ == "__main__":
    serve(build)
