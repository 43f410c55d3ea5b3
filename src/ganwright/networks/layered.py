"""Networks whose layers are given as text, the way a Keras user writes them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

from ganwright.core.errors import UsageError
from ganwright.data.spec import DataSpec
from ganwright.networks.base import Discriminator, Generator, NetworkFamily
from ganwright.networks.keras.definition import Layers
from ganwright.networks.keras.network import LayersDiscriminator, LayersGenerator, records_shape


@dataclass(frozen=True)
class Layered(NetworkFamily):
    """A generator and a discriminator, each a list of Keras's layers; the first input is the noise or the record."""

    generator_layers: Layers
    """The generator's rows."""
    discriminator_layers: Layers | None = None
    """The discriminator's; a model that is only sampled from needs none."""

    kinds = frozenset()
    applies_output = True

    def __post_init__(self) -> None:
        if self.discriminator_layers is None:
            return
        theirs = len(self.discriminator_layers.graph.inputs) - 1
        if theirs != self.condition_inputs:
            what = f"the generator takes {self.condition_inputs} conditions, the discriminator {theirs}"
            raise UsageError("E-LAYERS-08", what, hints=("give both the same inputs after the first",))

    @property
    def condition_inputs(self) -> int:
        return len(self.generator_layers.graph.inputs) - 1

    @classmethod
    def example(cls, spec: DataSpec) -> Self:
        shape = records_shape(spec)
        return cls(Layers(_example_generator(shape, spec)), Layers(_example_discriminator(shape, spec)))

    def generator(self, spec: DataSpec) -> Generator:
        return LayersGenerator(self.generator_layers, spec, self.noise)

    def discriminator(self, spec: DataSpec) -> Discriminator:
        if self.discriminator_layers is None:
            raise UsageError("E-LAYERS-08", "there are no layers for a discriminator", hints=("give discriminator_layers",))
        return LayersDiscriminator(self.discriminator_layers, spec)


_Triple = tuple[str, str, tuple[str, ...]]


def _example_generator(shape: tuple[int, ...], spec: DataSpec) -> list[_Triple]:
    """Dense layers from 8 numbers, which each condition's embedding multiplies."""
    activation = "tanh" if spec.output == "tanh" else "linear"
    inputs, last = _multiplied("latent", 8, spec)
    return [
        ("latent", "layers.Input(shape=(8,))", ()),
        *inputs,
        ("dense", "layers.Dense(16)", (last,)),
        ("leaky", "layers.LeakyReLU(alpha=0.2)", ("dense",)),
        ("norm", "layers.BatchNormalization(momentum=0.8)", ("leaky",)),
        ("values", f"layers.Dense({math.prod(shape)}, activation='{activation}')", ("norm",)),
        ("record", f"layers.Reshape({shape})", ("values",)),
    ]


def _example_discriminator(shape: tuple[int, ...], spec: DataSpec) -> list[_Triple]:
    """Dense layers over all values, which each condition's embedding multiplies."""
    inputs, last = _multiplied("flat", math.prod(shape), spec)
    return [
        ("record", f"layers.Input(shape={shape})", ()),
        ("flat", "layers.Flatten()", ("record",)),
        *inputs,
        ("dense", "layers.Dense(16)", (last,)),
        ("leaky", "layers.LeakyReLU(alpha=0.2)", ("dense",)),
        ("verdict", "layers.Dense(1, activation='sigmoid')", ("leaky",)),
    ]


def _multiplied(name: str, width: int, spec: DataSpec) -> tuple[list[_Triple], str]:
    """Rows that multiply row `name` by a vector of every condition, and the name of the last."""
    rows: list[_Triple] = []
    for number, condition in enumerate(spec.conditions):
        if condition.kind != "class":
            rows += [
                (f"told_{number}", f"layers.Input(shape=({condition.width},))", ()),
                (f"vector_{number}", f"layers.Dense({width})", (f"told_{number}",)),
                (f"product_{number}", "layers.Multiply()", (name, f"vector_{number}")),
            ]
            name = f"product_{number}"
            continue
        rows += [
            (f"class_{number}", "layers.Input(shape=(1,), dtype='int32')", ()),
            (f"embedding_{number}", f"layers.Embedding({max(len(condition.classes), 1)}, {width})", (f"class_{number}",)),
            (f"vector_{number}", "layers.Flatten()", (f"embedding_{number}",)),
            (f"product_{number}", "layers.Multiply()", (name, f"vector_{number}")),
        ]
        name = f"product_{number}"
    return rows, name
