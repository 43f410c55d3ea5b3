"""The waveform itself, drawn by convolutions in one dimension: WaveGAN, Donahue et al. 2019 (arXiv:1802.04208).

DCGAN flattened: where that doubles a picture's sides, this multiplies a sound's length by four, with filters of 25 samples
instead of 5x5. No normalisation in either network.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor, nn

from ganwright.core.errors import UsageError
from ganwright.data.spec import DataSpec
from ganwright.networks.base import (
    UNCONDITIONED,
    Conditions,
    Discriminator,
    Generated,
    Generator,
    NetworkFamily,
    NoiseInput,
    Verdict,
    check_share,
    check_width,
)
from ganwright.networks.parts.activation import LeakyReLU
from ganwright.networks.parts.conditioning import ConditionVectors, Projection
from ganwright.networks.parts.phase_shuffle import PhaseShuffle

STRIDE, KERNEL = 4, 25
SHORTEST = 16
"""Places of the smallest map; nearly four times as many, where a length is no power of four times it."""


@dataclass(frozen=True)
class Wavegan(NetworkFamily):
    """Channels double from stage to stage, from `width` at full length up to `max_width`."""

    latent: int = 100
    """Length of the noise vector."""
    width: int = 64
    """Channels of the longest hidden map; published: 64."""
    max_width: int = 1024
    """Channels of the shortest map, at most."""
    negative_slope: float = 0.2
    """LeakyReLU's slope below zero."""
    shuffled: bool = True
    """Whether the discriminator's maps are moved at random."""
    phase_shuffle: int = 2
    """By how many places at most."""

    kinds = frozenset({"waveform"})

    def __post_init__(self) -> None:
        for name in ("latent", "width", "max_width"):
            check_width(name, getattr(self, name))
        check_share("negative_slope", self.negative_slope)
        if not 1 <= self.phase_shuffle <= SHORTEST // 2:
            raise UsageError("E-CONFIG-04", f"phase_shuffle must lie in 1..{SHORTEST // 2}, not {self.phase_shuffle}")

    def channels(self, stages: int) -> list[int]:
        """Channels of the hidden maps, the shortest map's first."""
        return [min(self.width * 2**stage, self.max_width) for stage in range(stages)][::-1]

    def generator(self, spec: DataSpec) -> Generator:
        return WaveganGenerator(self, spec)

    def discriminator(self, spec: DataSpec) -> Discriminator:
        return WaveganDiscriminator(self, spec)


def lengths(samples: int) -> list[int]:
    """Of the maps, shortest first, each a quarter of the next, rounded upwards."""
    found = [samples]
    while found[0] >= STRIDE * SHORTEST:
        found.insert(0, -(-found[0] // STRIDE))
    return found if len(found) > 1 else [-(-samples // STRIDE), samples]


class WaveganGenerator(Generator):
    """(B, latent) -> (B, 1, samples)."""

    def __init__(self, family: Wavegan, spec: DataSpec) -> None:
        super().__init__()
        self.noise = {"latent": NoiseInput((family.latent,), family.noise)}
        self.conditions = ConditionVectors(spec.conditions, family.latent)
        self.lengths = lengths(spec.shape[1])
        channels = [*family.channels(len(self.lengths) - 1), spec.shape[0]]
        self.first_shape = (channels[0], self.lengths[0])
        self.first = nn.Linear(family.latent + self.conditions.width, channels[0] * self.lengths[0])
        # Padding 11 and 1 more at the end: the output is exactly four times as long.
        self.stages = nn.ModuleList(
            nn.ConvTranspose1d(c_in, c_out, KERNEL, STRIDE, padding=11, output_padding=1)
            for c_in, c_out in itertools.pairwise(channels)
        )

    def forward(self, noise: Mapping[str, Tensor], condition: Conditions = UNCONDITIONED) -> Generated:
        x = self.first(self.conditions(noise["latent"], condition)).unflatten(1, self.first_shape)
        for stage, length in zip(self.stages, self.lengths[1:], strict=True):
            x = stage(x.relu())[:, :, :length]
        return Generated(x)


class WaveganDiscriminator(Discriminator):
    """(B, 1, samples) -> (B,)."""

    def __init__(self, family: Wavegan, spec: DataSpec) -> None:
        super().__init__()
        # A record's shift depends on its place in the batch.
        self.by_itself = not family.shuffled
        found = lengths(spec.shape[1])
        channels = [spec.shape[0], *family.channels(len(found) - 1)[::-1]]
        layers: list[nn.Module] = []
        for stage, (c_in, c_out) in enumerate(itertools.pairwise(channels)):
            # Padding 12 divides a length by four, rounded upwards.
            layers += [nn.Conv1d(c_in, c_out, KERNEL, STRIDE, padding=12), LeakyReLU(family.negative_slope)]
            layers += [PhaseShuffle(family.phase_shuffle)] if family.shuffled and stage < len(channels) - 2 else []
        self.layers = nn.Sequential(*layers, nn.Flatten())
        width = channels[-1] * found[0]
        self.logit = nn.Linear(width, 1)
        self.projection = Projection(spec.conditions, width)

    def forward(self, x: Tensor, condition: Conditions = UNCONDITIONED) -> Verdict:
        features = self.layers(x)
        return Verdict((self.projection(self.logit(features).squeeze(1), features, condition),), features)
