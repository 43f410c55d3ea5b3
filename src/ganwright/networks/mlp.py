"""Dense layers for records of any shape: the simplest pair, and the one of the earliest GANs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ganwright.data.spec import DataSpec
from ganwright.networks.base import (
    MAX_WIDTH,
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
from ganwright.networks.parts.octaves import with_octaves

LATENT, SIGNS = "latent", "signs"
"""What a generator draws a record from."""
MOST_OCTAVES = 16
"""Beyond them single precision has no digits left for a wave."""


@dataclass(frozen=True)
class Mlp(NetworkFamily):
    """Dense layers with LeakyReLU, batch normalisation between the generator's unless it is left out."""

    latent: int = 100
    """Length of the noise vector."""
    generator_widths: tuple[int, ...] = (256, 512, 1024)
    """Neurons of the generator's hidden layers."""
    discriminator_widths: tuple[int, ...] = (512, 256)
    """Neurons of the discriminator's hidden layers."""
    negative_slope: float = 0.2
    """LeakyReLU's slope below zero."""
    generator_slope: float | None = None
    """The generator's, where it is another one: of 0 it draws edges that are sharper."""
    signs: int | None = None
    """Values -1 or 1 that the generator takes beside the latent. What is continuous draws bridges between groups of records
    that have nothing between them; corners of a cube have nothing between them either (Khayatkhoei et al. 2018,
    arXiv:1806.00880, on what connected noise cannot do)."""
    octaves: int | None = None
    """Waves of each number that the discriminator sees beside it, for records of few numbers with fine structure."""
    batch_normalisation: bool = True
    """Whether the generator has it. A record then depends on the others of its batch: too much for what is fine."""

    kinds = frozenset()

    def __post_init__(self) -> None:
        check_width("latent", self.latent)
        check_share("negative_slope", self.negative_slope)
        if self.generator_slope is not None:
            check_share("generator_slope", self.generator_slope)
        for name, value, most in (("signs", self.signs, MAX_WIDTH), ("octaves", self.octaves, MOST_OCTAVES)):
            if value is not None and not 1 <= value <= most:
                raise ValueError(f"{name} must lie in 1..{most}, not {value}")
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
        self.noise = {LATENT: NoiseInput((family.latent,), family.noise)}
        if family.signs:
            self.noise[SIGNS] = NoiseInput((family.signs,), "signs")
        self.shape = spec.shape
        self.conditions = ConditionVectors(spec.conditions, family.latent)
        layers: list[nn.Module] = []
        width_in = family.latent + self.conditions.width + (family.signs or 0)
        slope = family.negative_slope if family.generator_slope is None else family.generator_slope
        for width in family.generator_widths:
            # No bias before a batch normalisation: its mean takes it away.
            layers.append(nn.Linear(width_in, width, bias=not family.batch_normalisation))
            layers += [nn.BatchNorm1d(width)] if family.batch_normalisation else []
            layers.append(nn.LeakyReLU(slope))
            width_in = width
        self.layers = nn.Sequential(*layers, nn.Linear(width_in, math.prod(spec.shape)))

    def forward(self, noise: Mapping[str, Tensor], condition: Conditions = UNCONDITIONED) -> Generated:
        told = self.conditions(noise[LATENT], condition)
        joined = torch.cat([told, noise[SIGNS]], 1) if SIGNS in self.noise else told
        return Generated(self.layers(joined).unflatten(1, self.shape))

    def place(self, name: str) -> Place:
        is_last = name.startswith(f"layers.{len(self.layers) - 1}.")
        return Place(name, {0: (self.shape[1], self.shape[2])} if is_last and len(self.shape) == 3 else {})


class MlpDiscriminator(Discriminator):
    """(B, *shape) -> (B,)."""

    by_itself = True

    def __init__(self, family: Mlp, spec: DataSpec) -> None:
        super().__init__()
        self.shape, self.octaves = spec.shape, family.octaves or 0
        layers: list[nn.Module] = []
        width_in = math.prod(spec.shape) * (1 + 2 * self.octaves)
        for width in family.discriminator_widths:
            layers += [nn.Linear(width_in, width), nn.LeakyReLU(family.negative_slope)]
            width_in = width
        self.layers = nn.Sequential(*layers)
        self.logit = nn.Linear(width_in, 1)
        self.projection = Projection(spec.conditions, width_in)

    def forward(self, x: Tensor, condition: Conditions = UNCONDITIONED) -> Verdict:
        features = self.layers(with_octaves(x.flatten(1), self.octaves))
        return Verdict((self.projection(self.logit(features).squeeze(1), features, condition),), features)

    def place(self, name: str) -> Place:
        sees_records = name == ("layers.0.weight" if len(self.layers) else "logit.weight")
        return Place(name, {1: (self.shape[1], self.shape[2])} if sees_records and len(self.shape) == 3 else {})
