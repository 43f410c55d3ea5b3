"""Convolutions for pictures of any size: the DCGAN of Radford et al. 2016 (arXiv:1511.06434), brought up to date.

Kept: a latent vector spread over a small map, doubled stage by stage with batch normalisation, and strided convolutions
with LeakyReLU in the discriminator. Changed: upsampling without checkerboards instead of learned transposed convolutions,
and no batch normalisation in the discriminator, which a gradient penalty (one record at a time) would contradict. The
pair as it was published is there too.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, Self

import torch
from torch import Tensor, nn

from ganwright.data.spec import MAPS, DataSpec
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
from ganwright.networks.parts.activation import LeakyReLU
from ganwright.networks.parts.conditioning import ConditionVectors, Projection
from ganwright.networks.parts.halving import HalvingConv2d
from ganwright.networks.parts.places import width_for
from ganwright.networks.parts.stages import doubled_channels, stage_sizes
from ganwright.networks.parts.upsampling import TransposedConv2d, UpsampleConv2d


@dataclass(frozen=True)
class Dcgan(NetworkFamily):
    """Channels double from stage to stage, from `width` at full size up to `max_width`."""

    latent: int = 128
    """Length of the noise vector."""
    width: int = 32
    """Channels of the largest hidden map."""
    max_width: int = 512
    """Channels of the smallest map, at most."""
    negative_slope: float = 0.2
    """LeakyReLU's slope below zero."""
    form: Literal["modern", "published"] = "modern"
    """published: learned transposed convolutions and ReLU in the generator, batch normalisation in the discriminator too but
    for its first map, and weights drawn with a deviation of 0.02."""

    kinds = MAPS

    def __post_init__(self) -> None:
        for name in ("latent", "width", "max_width"):
            check_width(name, getattr(self, name))
        check_share("negative_slope", self.negative_slope)

    @property
    def is_published(self) -> bool:
        """Whether the networks are those of the paper."""
        return self.form == "published"

    @property
    def cpu_widths(self) -> tuple[int, ...]:
        return () if self.is_published else (8, 12, 16, 24, 32, 48, 64)

    def channels(self, stages: int) -> list[int]:
        """Channels of the hidden maps, the smallest map's first."""
        return doubled_channels(self.width, self.max_width, stages)

    def resized(self, old: DataSpec, new: DataSpec) -> Self:
        """A stage more halves `width`, so that the smallest maps keep their channels."""
        return replace(self, width=width_for(self.width, old, new))

    def generator(self, spec: DataSpec) -> Generator:
        return DcganGenerator(self, spec)

    def discriminator(self, spec: DataSpec) -> Discriminator:
        return DcganDiscriminator(self, spec)


class DcganGenerator(Generator):
    """(B, latent) -> (B, C, H, W)."""

    def __init__(self, family: Dcgan, spec: DataSpec) -> None:
        super().__init__()
        self.noise = {"latent": NoiseInput((family.latent,), family.noise)}
        self.conditions = ConditionVectors(spec.conditions, family.latent)
        colours, height, width = spec.shape
        self.sizes = stage_sizes(height, width)
        # One hidden map for each stage but the last; a picture too small to be doubled has one all the same.
        channels = family.channels(max(1, len(self.sizes) - 1))
        self.first_shape = (channels[0], *self.sizes[0])
        first = channels[0] * self.sizes[0][0] * self.sizes[0][1]
        self.first = nn.Linear(family.latent + self.conditions.width, first, bias=False)
        self.first_norm = nn.BatchNorm2d(channels[0])
        self.stages = nn.ModuleList(_doubling(family, c_in, c_out, False) for c_in, c_out in itertools.pairwise(channels))
        self.norms = nn.ModuleList(nn.BatchNorm2d(c) for c in channels[1:])
        doubles = len(self.sizes) > 1
        self.last = _doubling(family, channels[-1], colours) if doubles else nn.Conv2d(channels[-1], colours, 3, padding=1)
        self.activation = nn.ReLU() if family.is_published else LeakyReLU(family.negative_slope)
        if family.is_published:
            nn.ModuleList([self.first, self.first_norm, self.stages, self.norms, self.last]).apply(_draw_weights)

    def forward(self, noise: Mapping[str, Tensor], condition: Conditions = UNCONDITIONED) -> Generated:
        x = self.first(self.conditions(noise["latent"], condition)).unflatten(1, self.first_shape)
        x = self.activation(self.first_norm(x.contiguous(memory_format=torch.channels_last)))
        for stage, norm, (height, width) in zip(self.stages, self.norms, self.sizes[1:], strict=False):
            x = self.activation(norm(stage(x)[:, :, :height, :width]))
        height, width = self.sizes[-1]
        return Generated(self.last(x)[:, :, :height, :width])

    def place(self, name: str) -> Place:
        if name == "first.weight":
            return Place(name, {0: self.sizes[0]})
        # Without a doubling, the last layer is another one.
        return Place(f"{name} at the only size" if name.startswith("last.") and len(self.sizes) == 1 else name)


class DcganDiscriminator(Discriminator):
    """(B, C, H, W) -> (B,)."""

    by_itself = True

    def __init__(self, family: Dcgan, spec: DataSpec) -> None:
        super().__init__()
        colours, *sides = spec.shape
        sizes = stage_sizes(*sides)
        channels = [colours, *family.channels(max(1, len(sizes) - 1))[::-1]]
        layers: list[nn.Module] = []
        for stage, (c_in, c_out) in enumerate(itertools.pairwise(channels)):
            # Kernel 4, stride 2, padding 1 halves an even side; one row more of padding halves an odd side upwards.
            odd = (sizes[-1][1] % 2, sizes[-1][0] % 2) if len(sizes) > 1 else (0, 0)
            layers += [nn.ZeroPad2d((0, odd[0], 0, odd[1]))] if any(odd) else []
            layers += [HalvingConv2d(c_in, c_out) if len(sizes) > 1 else nn.Conv2d(c_in, c_out, 3, padding=1)]
            layers += [nn.BatchNorm2d(c_out)] if family.is_published and stage > 0 else []
            layers += [LeakyReLU(family.negative_slope)]
            sizes = sizes[:-1] or sizes
        self.layers = nn.Sequential(*layers, nn.Flatten())
        self.smallest = sizes[-1]
        width = channels[-1] * sizes[-1][0] * sizes[-1][1]
        self.logit = nn.Linear(width, 1)
        if family.is_published:
            self.by_itself = False  # batch normalisation
            self.apply(_draw_weights)
        self.projection = Projection(spec.conditions, width)

    def forward(self, x: Tensor, condition: Conditions = UNCONDITIONED) -> Verdict:
        features = self.layers(x)
        return Verdict((self.projection(self.logit(features).squeeze(1), features, condition),), features)

    def place(self, name: str) -> Place:
        if not name.startswith("layers."):
            return Place(name, {1: self.smallest} if name.endswith("weight") else {})
        _, number, weight = name.split(".")
        kind = type(self.layers[int(number)])
        alike = [i for i, layer in enumerate(self.layers) if type(layer) is kind]
        word = "" if issubclass(kind, nn.Conv2d) else f".{kind.__name__}"
        return Place(f"layers{word}.{alike.index(int(number)) - len(alike)}.{weight}")


def _doubling(family: Dcgan, in_channels: int, out_channels: int, bias: bool = True) -> nn.Module:
    """(B, in_channels, H, W) -> (B, out_channels, 2H, 2W)."""
    if family.is_published:
        return TransposedConv2d(in_channels, out_channels, bias)
    return UpsampleConv2d(in_channels, out_channels, bias)


def _draw_weights(layer: nn.Module) -> None:
    """The paper's first weights: a deviation of 0.02, around 0, or around 1 in normalisations."""
    if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d | nn.BatchNorm2d):
        nn.init.normal_(layer.weight, float(isinstance(layer, nn.BatchNorm2d)), 0.02)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
