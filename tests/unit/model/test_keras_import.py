"""Generators that Keras saved, read without it: what they draw is what Keras's own `predict` gives for the same noise."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ganwright.model.keras_import import import_keras
from ganwright.model.model import Model

os.environ["KERAS_BACKEND"] = "torch"
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # whatever Keras's own imports have to say
    keras: Any = pytest.importorskip("keras")
    h5py: Any = pytest.importorskip("h5py")

L = keras.layers
pytestmark = [
    # Keras on torch hands tensors to NumPy in a way that NumPy 2 has begun to dislike.
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*:UserWarning:keras"),
]
SUFFIXES = (".keras", ".h5")


@pytest.fixture(autouse=True)
def on_the_cpu() -> Iterator[None]:
    """Keras would take a GPU where there is one."""
    with keras.device("cpu"), torch.random.fork_rng(devices=[]):
        keras.utils.set_random_seed(0)
        yield


def cats() -> Any:
    """The generator of the old cat-picture command."""
    return keras.Sequential(
        [L.Input((10,)), L.Dense(16), L.LeakyReLU(0.2), L.Dense(6 * 5 * 3, activation="tanh"), L.Reshape((6, 5, 3))]
    )


def dcgan() -> Any:
    """Convolutions, activations of several spellings, and what is left out when sampling."""
    normal = keras.initializers.RandomNormal(stddev=0.02)
    return keras.Sequential(
        [
            L.Input((10,)),
            L.Dense(2 * 2 * 8, use_bias=False, kernel_regularizer=keras.regularizers.L2(0.1)),
            L.BatchNormalization(momentum=0.8),
            L.Activation("relu"),
            L.Reshape((2, 2, 8)),
            L.Dropout(0.3),
            L.Conv2DTranspose(6, 5, strides=2, padding="same", kernel_initializer=normal),
            L.BatchNormalization(),
            L.LeakyReLU(negative_slope=0.2),
            L.UpSampling2D(),
            L.Conv2D(4, 3, padding="same", activation=L.LeakyReLU(0.1), kernel_constraint=keras.constraints.MaxNorm(2)),
            L.PReLU(shared_axes=[1, 2]),
            L.GaussianNoise(0.1),
            L.Conv2DTranspose(1, 4, strides=2, padding="same", use_bias=False, activation="tanh"),
        ]
    )


def wrapped() -> Any:
    """A Functional model around a Sequential one, as many a GAN has it; frozen, as for the generator's training."""
    noise = L.Input((10,), name="z")
    inner = dcgan()
    model = keras.Model(noise, inner(noise))
    inner.trainable = False
    return model


def conditional() -> Any:
    """The class is the model's first argument here, and a Sequential model lies in a Functional one in another."""
    label, noise = L.Input((1,), dtype="int32", name="label"), L.Input((10,), name="noise")
    x = L.Multiply()([noise, L.Flatten()(L.Embedding(4, 10)(label))])
    seed = keras.Sequential([L.Input((10,)), L.Dense(6), L.BatchNormalization()])(x)
    x = L.Concatenate()([seed, noise])
    return keras.Model([label, noise], L.Reshape((4, 4, 1))(L.Dense(16, activation="tanh")(x)))


def one_hot() -> Any:
    """Both inputs float, the noise first."""
    noise, label = L.Input((10,)), L.Input((3,))
    return keras.Model([noise, label], L.Dense(5, activation="tanh")(L.Concatenate()([noise, label])))


def series() -> Any:
    """Layers in layers, and two ways through the network."""
    noise = L.Input((12,))
    x = L.Reshape((4, 3))(noise)
    x = L.Bidirectional(L.LSTM(3, return_sequences=True, dropout=0.1))(x)
    x = L.Bidirectional(L.GRU(2, return_sequences=True, use_bias=False), merge_mode="sum")(x)
    y = L.TimeDistributed(L.Dense(2, activation="relu"))(x)
    x = L.Add()([y, L.Dense(2)(L.SimpleRNN(2, return_sequences=True)(x))])
    x = L.LayerNormalization()(x)
    x = L.SpectralNormalization(L.Dense(6))(L.Flatten()(x))
    return keras.Model(noise, L.Activation("tanh")(x))


def two_numbers() -> Any:
    """Nothing bounds what it draws."""
    return keras.Sequential([L.Input((5,)), L.Dense(15, activation="relu"), L.Dense(2)])


def in_unit_range() -> Any:
    """Pictures in 0..1."""
    return keras.Sequential([L.Input((5,)), L.Dense(48), L.Reshape((4, 4, 3)), L.Activation("sigmoid")])


def shares() -> Any:
    """Numbers in 0..1."""
    return keras.Sequential([L.Input((5,)), L.Dense(4, activation="sigmoid")])


MAKERS = [cats, dcgan, wrapped, conditional, one_hot, series, two_numbers, in_unit_range, shares]
RANGES = {two_numbers: None, in_unit_range: (0, 1), shares: (0, 1)}


def with_weights(model: Any, seed: int = 0) -> Any:
    """The same model, as if it had been trained: no weight has its first value, moving statistics included."""
    draws = np.random.default_rng(seed)
    for weight in model.weights:
        value = draws.normal(0, 0.5, weight.shape).astype(np.float32)
        weight.assign(np.abs(value) + 0.5 if "variance" in weight.name else value)
    return model


def saved(model: Any, path: Path) -> Path:
    """The file that Keras writes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save(path)
    return path


def compared(theirs: Any, ours: Model, order: tuple[int, ...] = (0, 1)) -> None:
    """Both with the same noise and classes; ours brings pictures and numbers to -1..1."""
    shape = ours.generator.noise["latent"].shape
    noise = np.random.default_rng(1).normal(size=(7, *shape)).astype(np.float32)
    conditions: dict[str, torch.Tensor] = {}
    inputs = [noise]
    for condition in ours.spec.conditions:
        places = np.arange(7) % len(condition.classes)
        conditions[condition.name] = torch.from_numpy(places)
        width = theirs.inputs[order[1]].shape[1]
        inputs.append(places.reshape(-1, 1).astype("int32") if width == 1 else np.eye(width, dtype=np.float32)[places])
    inputs = [inputs[place] for place in order] if len(inputs) > 1 else inputs
    wanted = keras.ops.convert_to_numpy(theirs(inputs if len(inputs) > 1 else inputs[0], training=False))
    with torch.inference_mode():
        found = ours.generator({"latent": torch.from_numpy(noise)}, conditions).raw.numpy()
    facts = ours.facts["imported"]
    found = facts["low"] + (found + 1) / 2 * (facts["high"] - facts["low"])
    if ours.spec.kind == "image":
        found = found.transpose(0, 2, 3, 1)
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_an_imported_generator_draws_what_keras_draws(make: Callable[[], Any], suffix: str, tmp_path: Path) -> None:
    theirs = with_weights(make())
    theirs.compile(loss="mse", optimizer="adam")
    ours = import_keras(saved(theirs, tmp_path / f"generator{suffix}"))
    order = (1, 0) if make is conditional else (0, 1)
    compared(theirs, ours, order)
    compared(theirs, Model.load(ours.save(tmp_path / "ours.safetensors")), order)
    if RANGES.get(make, (-1, 1)) is not None:
        assert (ours.facts["imported"]["low"], ours.facts["imported"]["high"]) == RANGES.get(make, (-1, 1))
