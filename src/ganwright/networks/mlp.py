"""Dense layers for records of any shape: the simplest pair, and the one of the earliest GANs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor, nn

from ganwright.data.spec import DataSpec
from ganwright.networks.base import (
    UNCONDITIONED,
    Conditions,
    Discriminator,
    Generated,
    Generator,
    NetworkFamily,
    NoiseInput,
    Place,
    Verdict,
    check_share,
    check_width,
)
from ganwright.networks.parts.conditioning import ConditionVectors, Projection


@dataclass(frozen=True)
class Mlp(NetworkFamily):
    """Dense layers with LeakyReLU, batch normalisation between the generator's."""

    latent: int = 100
    """Length of the noise vector."""
    generator_widths: tuple[int, ...] = (256, 512, 1024)
    """Neurons of the generator's hidden layers."""
    discriminator_widths: tuple[int, ...] = (512, 256)
    """Neurons of the discriminator's hidden layers."""
    negative_slope: float = 0.2
    """LeakyReLU's slope below zero."""

    kinds = frozenset()

    def __post_init__(self) -> None:
        check_width("latent", self.latent)
        check_share("negative_slope", self.negative_slope)
        if len(self.generator_widths) > 32 or len(self.discriminator_widths) > 32:
            raise ValueError("at most 32 hidden layers a network")
        for width in (*self.generator_widths, *self.discriminator_widths):
            check_width("a hidden layer's width", width)

    def generator(self, spec: DataSpec) -> Generator:
        return MlpGenerator(self, spec)

    def discriminator(self, spec: DataSpec) -> Discriminator:
        return MlpDiscriminator(self, spec)


class MlpGenerator(Generator):
    """(B, latent) -> (B, *shape)."""

    def __init__(self, family: Mlp, spec: DataSpec) -> None:
        super().__init__()
        self.noise = {"latent": NoiseInput((family.latent,), family.noise)}
        self.shape = spec.shape
        self.conditions = ConditionVectors(spec.conditions, family.latent)
        layers: list[nn.Module] = []
        width_in = family.latent + self.conditions.width
        for width in family.generator_widths:
            # No bias before a batch normalisation: its mean takes it away.
            layers += [nn.Linear(width_in, width, bias=False), nn.BatchNorm1d(width), nn.LeakyReLU(family.negative_slope)]
            width_in = width
        self.layers = nn.Sequential(*layers, nn.Linear(width_in, math.prod(spec.shape)))

    def forward(self, noise: Mapping[str, Tensor], condition: Conditions = UNCONDITIONED) -> Generated:
        return Generated(self.layers(self.conditions(noise["latent"], condition)).unflatten(1, self.shape))

    def place(self, name: str) -> Place:
        is_last = name.startswith(f"layers.{len(self.layers) - 1}.")
        return Place(name, {0: (self.shape[1], self.shape[2])} if is_last and len(self.shape) == 3 else {})


class MlpDiscriminator(Discriminator):
    """(B, *shape) -> (B,)."""

    def __init__(self, family: Mlp, spec: DataSpec) -> None:
        super().__init__()
        self.shape = spec.shape
        layers: list[nn.Module] = []
        width_in = math.prod(spec.shape)
        for width in family.discriminator_widths:
            layers += [nn.Linear(width_in, width), nn.LeakyReLU(family.negative_slope)]
            width_in = width
        self.layers = nn.Sequential(*layers)
        self.logit = nn.Linear(width_in, 1)
        self.projection = Projection(spec.conditions, width_in)

    def forward(self, x: Tensor, condition: Conditions = UNCONDITIONED) -> Verdict:
        features = self.layers(x.flatten(1))
        return Verdict((self.projection(self.logit(features).squeeze(1), features, condition),), features)

    def place(self, name: str) -> Place:
        sees_records = name == ("layers.0.weight" if len(self.layers) else "logit.weight")
        return Place(name, {1: (self.shape[1], self.shape[2])} if sees_records and len(self.shape) == 3 else {})
