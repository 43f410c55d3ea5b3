"""Residual convolutions, the discriminator's held to a slope of about one by spectral normalisation.

The pair of Miyato et al. 2018 (arXiv:1802.05957), appendix B.4: blocks that double or halve the picture beside a path
without activations, batch normalisation in the generator, none in the discriminator, whose last map is summed over the
picture.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, relu

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
    check_width,
)
from ganwright.networks.parts.conditioning import ConditionVectors, Projection
from ganwright.networks.parts.downsampling import ConvDownsample2d
from ganwright.networks.parts.places import from_the_end, width_for
from ganwright.networks.parts.spectral import all_spectral, spectral
from ganwright.networks.parts.stages import doubled_channels, stage_sizes
from ganwright.networks.parts.upsampling import UpsampleConv2d


@dataclass(frozen=True)
class Resnet(NetworkFamily):
    """Channels double from stage to stage, from `width` at full size up to `max_width`."""

    latent: int = 128
    """Length of the noise vector."""
    width: int = 64
    """Channels of the maps at full size."""
    max_width: int = 512
    """Channels of the smallest map, at most."""

    kinds = MAPS

    def __post_init__(self) -> None:
        for name in ("latent", "width", "max_width"):
            check_width(name, getattr(self, name))

    def channels(self, stages: int) -> list[int]:
        """Channels of the maps, the smallest map's first."""
        return doubled_channels(self.width, self.max_width, stages)

    def resized(self, old: DataSpec, new: DataSpec) -> Self:
        """A stage more halves `width`, so that the smallest maps keep their channels."""
        return replace(self, width=width_for(self.width, old, new))

    def generator(self, spec: DataSpec) -> Generator:
        return ResnetGenerator(self, spec)

    def discriminator(self, spec: DataSpec) -> Discriminator:
        return ResnetDiscriminator(self, spec)


class UpBlock(nn.Module):
    """(B, c_in, h, w) to (B, c_out, height, width), which is twice as large or a row or column less.

    No layer has a bias: each channel's mean is taken away by a batch normalisation behind it, of this block or a later one.
    """

    def __init__(self, c_in: int, c_out: int, size: tuple[int, int]) -> None:
        super().__init__()
        self.size = size
        self.first_norm, self.norm = nn.BatchNorm2d(c_in), nn.BatchNorm2d(c_out)
        self.first = UpsampleConv2d(c_in, c_out, bias=False)
        self.second = nn.Conv2d(c_out, c_out, 3, padding=1, bias=False)
        # A pointwise layer does the same before its output is doubled as after, on a quarter of the pixels.
        self.straight = nn.Conv2d(c_in, c_out, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        height, width = self.size
        changed = self.first(relu(self.first_norm(x)))[:, :, :height, :width]
        changed = self.second(relu(self.norm(changed)))
        return changed + interpolate(self.straight(x), scale_factor=2, mode="nearest")[:, :, :height, :width]


class DownBlock(nn.Module):
    """(B, c_in, H, W) to (B, c_out, H/2, W/2), halved upwards where odd; or of the same size."""

    def __init__(self, c_in: int, c_out: int, halve: bool, of_pixels: bool) -> None:
        super().__init__()
        self.halve = halve
        self.of_pixels = of_pixels
        self.first = nn.Conv2d(c_in, c_out, 3, padding=1)
        self.second = ConvDownsample2d(c_out, c_out) if halve else nn.Conv2d(c_out, c_out, 3, padding=1)
        self.straight = nn.Conv2d(c_in, c_out, 1) if c_in != c_out or halve else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        # Pixels are not cut at zero before the first convolution has looked at them.
        changed = self.second(relu(self.first(x if self.of_pixels else relu(x))))
        # At an odd side, the last mean is over the pixels that there are.
        return changed + self.straight(avg_pool2d(x, 2, ceil_mode=True) if self.halve else x)


class ResnetGenerator(Generator):
    """(B, latent) -> (B, C, H, W)."""

    def __init__(self, family: Resnet, spec: DataSpec) -> None:
        super().__init__()
        self.noise = {"latent": NoiseInput((family.latent,), family.noise)}
        self.conditions = ConditionVectors(spec.conditions, family.latent)
        colours, height, width = spec.shape
        sizes = stage_sizes(height, width)
        channels = family.channels(len(sizes))
        self.first_shape = (channels[0], *sizes[0])
        first = channels[0] * sizes[0][0] * sizes[0][1]
        self.first = nn.Linear(family.latent + self.conditions.width, first, bias=False)
        pairs = zip(itertools.pairwise(channels), sizes[1:], strict=True)
        self.blocks = nn.Sequential(*(UpBlock(c_in, c_out, size) for (c_in, c_out), size in pairs))
        self.norm = nn.BatchNorm2d(channels[-1])
        self.last = nn.Conv2d(channels[-1], colours, 3, padding=1)

    def forward(self, noise: Mapping[str, Tensor], condition: Conditions = UNCONDITIONED) -> Generated:
        x = self.first(self.conditions(noise["latent"], condition)).unflatten(1, self.first_shape)
        return Generated(self.last(relu(self.norm(self.blocks(x)))))

    def place(self, name: str) -> Place:
        return Place(name, {0: self.first_shape[1:]} if name == "first.weight" else {})


class ResnetDiscriminator(Discriminator):
    """(B, C, H, W) -> (B,). The vectors of classes are normalised too, as Miyato and Koyama 2018 (arXiv:1802.05637) do."""

    by_itself = True

    def __init__(self, family: Resnet, spec: DataSpec) -> None:
        super().__init__()
        colours, *sides = spec.shape
        stages = len(stage_sizes(*sides))
        channels = [colours, *family.channels(stages)[::-1]]
        pairs = list(itertools.pairwise(channels))
        # Each block but the last halves the picture.
        blocks = [DownBlock(*pair, halve=i < stages - 1, of_pixels=i == 0) for i, pair in enumerate(pairs)]
        self.blocks = all_spectral(nn.Sequential(*blocks))
        self.logit = spectral(nn.Linear(channels[-1], 1))
        self.projection = all_spectral(Projection(spec.conditions, channels[-1]))

    def forward(self, x: Tensor, condition: Conditions = UNCONDITIONED) -> Verdict:
        features = relu(self.blocks(x)).sum((2, 3))
        return Verdict((self.projection(self.logit(features).squeeze(1), features, condition),), features)

    def place(self, name: str) -> Place:
        return Place(from_the_end(self, name, ("blocks",)))
