"""Residual networks without tricks: R3GAN of Huang et al. 2024 (arXiv:2501.05441), built anew from the paper's description.

No normalisation, no styles, no noise beside the latent, no output activation. Generator and discriminator mirror each other:
from a learned map that the latent scales channel by channel, stages of grouped residual blocks at doubled sizes; and back.
They are meant for a relativistic loss with R1 and R2 at every step; the recipe `r3gan` puts the parts together.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor, nn

from ganwright.data.spec import MAPS, Condition, DataSpec
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
from ganwright.networks.parts.places import from_the_end, width_for
from ganwright.networks.parts.resampling import downsample, upsample
from ganwright.networks.parts.residual import Convolution, GroupedBlock
from ganwright.networks.parts.stages import doubled_channels, stage_sizes
from ganwright.runtime.precision import at_least_single

MOST_STAGES = 16
MOST_BLOCKS = 64
MOST_EXPANSION = 16
ROUGH_STAGES = 4
"""The stages of the largest maps, which alone are worked on in the run's precision; the others are cheap, always exact."""
LEAST_FIRST = 4
"""Pixels of the smallest map's shorter side, where the picture has so many."""


@dataclass(frozen=True)
class R3gan(NetworkFamily):
    """Channels double from stage to stage, from `width` at full size up to `max_width`, unless `widths` says them all.

    The published networks are widths of 768 up to 32 px, then 384, 192 and 96 at 64, 128 and 256 px: `width` 768, 384 or 96
    and `max_width` 768.
    """

    latent: int = 64
    """Length of the noise vector."""
    width: int = 64
    """Channels at the picture's own size."""
    max_width: int = 256
    """Channels of the smallest map, at most."""
    widths: tuple[int, ...] = ()
    """Instead: channels of every stage, the smallest map's first."""
    blocks: int = 2
    """Residual blocks a stage."""
    expansion: int = 2
    """How many times as wide a block is inside."""
    group_channels: int = 16
    """Channels of a group of a block's 3x3 convolution; some more where that is no divisor of its width."""

    kinds = MAPS
    applies_output = True

    def __post_init__(self) -> None:
        for name in ("latent", "width", "max_width", "group_channels"):
            check_width(name, getattr(self, name))
        for width in self.widths:
            check_width("a stage's width", width)
        if len(self.widths) > MOST_STAGES:
            raise ValueError(f"at most {MOST_STAGES} stages")
        for name, most in (("blocks", MOST_BLOCKS), ("expansion", MOST_EXPANSION)):
            if not 1 <= getattr(self, name) <= most:
                raise ValueError(f"{name} must lie in 1..{most}, not {getattr(self, name)}")

    def channels(self, stages: int) -> list[int]:
        """Channels of every stage, the smallest map's first.

        Raises:
            ValueError: `widths` are of another number of stages.
        """
        if not self.widths:
            return doubled_channels(self.width, self.max_width, stages)
        if len(self.widths) != stages:
            raise ValueError(f"{len(self.widths)} widths, but these pictures pass through {stages} stages")
        return list(self.widths)

    def resized(self, old: DataSpec, new: DataSpec) -> Self:
        """A stage more halves the width at full size, so that the smallest maps keep their channels."""
        if not self.widths:
            return replace(self, width=width_for(self.width, old, new))
        stages = len(sizes_of(new))
        halved = [max(1, self.widths[-1] >> i) for i in range(1, max(1, stages - len(self.widths) + 1))]
        return replace(self, widths=(*self.widths, *halved)[:stages])

    def generator(self, spec: DataSpec) -> Generator:
        return R3ganGenerator(self, spec)

    def discriminator(self, spec: DataSpec) -> Discriminator:
        return R3ganDiscriminator(self, spec)

    def stage(self, channels: int, stages: int) -> nn.Sequential:
        """The residual blocks of one of `stages` stages."""
        settings = {"expansion": self.expansion, "group_channels": self.group_channels, "blocks": self.blocks * stages}
        return nn.Sequential(*(GroupedBlock(channels, **settings) for _ in range(self.blocks)))


class R3ganGenerator(Generator):
    """(B, latent) -> (B, C, H, W), in the picture's own range: no activation follows."""

    def __init__(self, family: R3gan, spec: DataSpec) -> None:
        super().__init__()
        self.noise = {"latent": NoiseInput((family.latent,), family.noise)}
        self.conditions = ConditionVectors(spec.conditions, family.latent)
        self.sizes = sizes_of(spec)
        channels = family.channels(len(self.sizes))
        self.basis = nn.Parameter(torch.empty(channels[0], *self.sizes[0]))
        nn.init.normal_(self.basis)
        self.scales = _linear(family.latent + self.conditions.width, channels[0])
        self.stages = nn.ModuleList(family.stage(width, len(channels)) for width in channels)
        self.changes = nn.ModuleList(_change(one, other) for one, other in itertools.pairwise(channels))
        self.last = Convolution(channels[-1], spec.shape[0])

    def forward(self, noise: Mapping[str, Tensor], condition: Conditions = UNCONDITIONED) -> Generated:
        exact = exact_stages(len(self.stages))
        with _exact(noise["latent"]):
            scales = self.scales(self.conditions(noise["latent"], condition))
            x = (scales[:, :, None, None] * self.basis).contiguous(memory_format=torch.channels_last)
            for number in range(exact):
                x = self._stage(x, number)
        for number in range(exact, len(self.stages)):
            x = self._stage(x, number)
        return Generated(self.last(x))

    def _stage(self, x: Tensor, number: int) -> Tensor:
        x = upsample(self.changes[number - 1](x), self.sizes[number]) if number else x
        return self.stages[number](x)


class R3ganDiscriminator(Discriminator):
    """(B, C, H, W) -> (B,).

    Of a conditional pair the logit is <features, vector of the class> and nothing else: no term says how real a record of
    any class is.
    """

    by_itself = True

    def __init__(self, family: R3gan, spec: DataSpec) -> None:
        super().__init__()
        sizes = sizes_of(spec)[::-1]
        channels = family.channels(len(sizes))[::-1]
        self.first = Convolution(spec.shape[0], channels[0])
        self.stages = nn.ModuleList(family.stage(width, len(channels)) for width in channels)
        self.changes = nn.ModuleList(_change(one, other) for one, other in itertools.pairwise(channels))
        self.basis = nn.Parameter(torch.empty(channels[-1], *sizes[-1]))
        nn.init.normal_(self.basis, std=1 / math.sqrt(math.prod(sizes[-1])))
        self.features = _linear(channels[-1], channels[-1]) if spec.conditions else None
        self.logit = None if spec.conditions else _linear(channels[-1], 1)
        self.projection = _projection(spec.conditions, channels[-1])

    def forward(self, x: Tensor, condition: Conditions = UNCONDITIONED) -> Verdict:
        rough = len(self.stages) - exact_stages(len(self.stages))
        x = self.first(x.contiguous(memory_format=torch.channels_last))
        for number in range(rough):
            x = self._stage(x, number)
        with _exact(x):
            x = at_least_single(x)
            for number in range(rough, len(self.stages)):
                x = self._stage(x, number)
            summed = (x * self.basis).sum((2, 3))
            if self.logit is not None:
                return Verdict((self.logit(summed).squeeze(1),), summed)
            assert self.features is not None
            features = self.features(summed)
            return Verdict((self.projection(features.new_zeros(len(features)), features, condition),), features)

    def _stage(self, x: Tensor, number: int) -> Tensor:
        x = self.changes[number - 1](downsample(x)) if number else x
        return self.stages[number](x)

    def place(self, name: str) -> Place:
        return Place(from_the_end(self, name, ("stages", "changes")))


def sizes_of(spec: DataSpec) -> list[tuple[int, int]]:
    """The sizes of the stages, the smallest first: from 4x4 for squares of a power of two, else from about as many."""
    sizes = stage_sizes(*spec.shape[1:])
    while len(sizes) > 1 and min(sizes[0]) < LEAST_FIRST <= min(sizes[1]):
        sizes = sizes[1:]
    return sizes


def exact_stages(stages: int) -> int:
    """How many stages, those of the smallest maps, are worked on in single precision whatever the run's is."""
    return max(1, stages - ROUGH_STAGES)


def _exact(x: Tensor) -> torch.autocast:
    return torch.autocast(x.device.type, enabled=False)


def _change(inputs: int, outputs: int) -> nn.Module:
    return nn.Identity() if inputs == outputs else Convolution(inputs, outputs)


def _linear(inputs: int, outputs: int) -> nn.Linear:
    layer = nn.Linear(inputs, outputs, bias=False)
    nn.init.normal_(layer.weight, std=1 / math.sqrt(inputs))
    return layer


def _projection(conditions: Sequence[Condition], features: int) -> Projection:
    """With first weights as of a linear map from a class's one-hot vector: the more classes, the smaller."""
    projection = Projection(conditions, features)
    with torch.no_grad():
        for table in projection.modules():
            if isinstance(table, nn.Embedding):
                table.weight.mul_(table.num_embeddings**-0.5)
    return projection
