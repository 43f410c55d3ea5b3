"""A light pair for few pictures, whose discriminator also learns to draw what it saw.

After Liu et al. 2021 (arXiv:2101.04775). Kept: gates from small maps to large ones, gated linear units and noise in the
generator; in the discriminator blocks that average a strided path and a pooled one, gates from large maps to small ones,
verdicts on patches, a second verdict on the picture made smaller, and decoders that keep its maps from forgetting what they
saw. Changed: there is no batch normalisation in the discriminator, which a gradient penalty (one record at a time) would
contradict; spectral normalisation alone keeps its slope. The smaller picture is the full one averaged down, for real and
fake alike, in place of a second output of the generator. What the decoders draw has half the picture's sides.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, leaky_relu

from ganwright.data.spec import MAPS, DataSpec
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
    check_width,
)
from ganwright.networks.parts.conditioning import ConditionVectors, Projection
from ganwright.networks.parts.gating import SkipGate, gated
from ganwright.networks.parts.places import from_the_end
from ganwright.networks.parts.spectral import all_spectral
from ganwright.networks.parts.stages import stage_sizes
from ganwright.networks.parts.upsampling import UpsampleConv2d

Size = tuple[int, int]

SHARES = (16.0, 8.0, 4.0, 2.0, 2.0, 1.0, 0.5, 0.25, 0.125)
"""Channels of the maps beside `width`, the smallest map's first: published for 4, 8, ... 1024 px."""
LEAST_CHANNELS = 4
GENERATOR_LEAP, DISCRIMINATOR_LEAP = 4, 3
"""Stages between a map and the one that it gates, at most."""
SECOND_LOOK = 128
"""The longest side of the picture that the second verdict is on."""
DOUBLINGS = 4
"""Of a decoder, at most."""
NEGATIVE_SLOPE = 0.2
GAIN = 2.0
"""Of the discriminator's activations."""


@dataclass(frozen=True)
class Fastgan(NetworkFamily):
    """Channels fall from 16 times `width` at the smallest map to an eighth of it at the ninth."""

    latent: int = 256
    """Length of the noise vector."""
    width: int = 64
    """Channels of the sixth map (128 px where the first has 4)."""
    layer_noise: bool = True
    """Whether the generator also draws a map of noise for every second stage, for detail that the latent need not hold."""

    kinds = MAPS

    def __post_init__(self) -> None:
        for name in ("latent", "width"):
            check_width(name, getattr(self, name))

    def channels(self, stages: int) -> list[int]:
        """Channels of the maps, the smallest map's first."""
        shares = [*SHARES, *[SHARES[-1]] * stages][:stages]
        return [min(max(LEAST_CHANNELS, round(share * self.width)), MAX_WIDTH) for share in shares]

    def generator(self, spec: DataSpec) -> Generator:
        return FastganGenerator(self, spec)

    def discriminator(self, spec: DataSpec) -> Discriminator:
        return FastganDiscriminator(self, spec)


class Stage(nn.Module):
    """(B, c_in, h, w) to (B, c_out, height, width), which is about twice as large; with noise, two convolutions long."""

    def __init__(self, c_in: int, c_out: int, size: Size, noisy: bool) -> None:
        super().__init__()
        self.size = size
        self.first = UpsampleConv2d(c_in, 2 * c_out, bias=False)
        self.first_norm = nn.BatchNorm2d(2 * c_out)
        self.second = nn.Conv2d(c_out, 2 * c_out, 3, padding=1, bias=False) if noisy else None
        self.second_norm = nn.BatchNorm2d(2 * c_out) if noisy else None
        # How loud the noise is before each normalisation; it begins silent.
        self.loudness = nn.Parameter(torch.zeros(2)) if noisy else None

    def forward(self, x: Tensor, noise: Tensor | None) -> Tensor:
        height, width = self.size
        x = gated(self.first_norm(self._loud(self.first(x)[:, :, :height, :width], noise, 0)))
        if self.second is None or self.second_norm is None:
            return x
        return gated(self.second_norm(self._loud(self.second(x), noise, 1)))

    def _loud(self, x: Tensor, noise: Tensor | None, place: int) -> Tensor:
        return x if self.loudness is None or noise is None else x + self.loudness[place] * noise[:, place : place + 1]


class FastganGenerator(Generator):
    """(B, latent), and noise for every second stage, (B, 2, h, w) -> (B, C, H, W)."""

    def __init__(self, family: Fastgan, spec: DataSpec) -> None:
        super().__init__()
        self.conditions = ConditionVectors(spec.conditions, family.latent)
        colours, *sides = spec.shape
        sizes = stage_sizes(*sides)
        channels = family.channels(len(sizes))
        self.first_shape = (2 * channels[0], *sizes[0])
        first = 2 * channels[0] * sizes[0][0] * sizes[0][1]
        self.first = nn.Linear(family.latent + self.conditions.width, first, bias=False)
        self.first_norm = nn.BatchNorm2d(2 * channels[0])
        self.noise = {"latent": NoiseInput((family.latent,), family.noise)}
        self.names: list[str | None] = []
        stages: list[Stage] = []
        for number, ((c_in, c_out), size) in enumerate(zip(itertools.pairwise(channels), sizes[1:], strict=True)):
            noisy = family.layer_noise and number % 2 == 0
            stages.append(Stage(c_in, c_out, size, noisy))
            self.names.append(f"stage {number}" if noisy else None)
            self.noise |= {f"stage {number}": NoiseInput((2, *size))} if noisy else {}
        self.stages = nn.ModuleList(stages)
        self.leap = leap(GENERATOR_LEAP, len(sizes))
        targets = range(self.leap, len(sizes)) if self.leap else range(0)
        self.gates = nn.ModuleList(SkipGate(channels[i - self.leap], sizes[i - self.leap], channels[i]) for i in targets)
        self.last = nn.Conv2d(channels[-1], colours, 3, padding=1)

    def forward(self, noise: Mapping[str, Tensor], condition: Conditions = UNCONDITIONED) -> Generated:
        x = self.first(self.conditions(noise["latent"], condition)).unflatten(1, self.first_shape)
        maps = [gated(self.first_norm(x))]
        for number, (stage, name) in enumerate(zip(self.stages, self.names, strict=True), start=1):
            x = stage(maps[-1], noise[name] if name is not None else None)
            if self.leap and number >= self.leap:
                x = self.gates[number - self.leap](maps[number - self.leap], x)
            maps.append(x)
        return Generated(self.last(maps[-1]))

    def place(self, name: str) -> Place:
        if name.startswith("gates."):
            return Place(f"{name} over {self.leap}")
        return Place(name, {0: self.first_shape[1:]} if name == "first.weight" else {})


class Loud(nn.Module):
    """LeakyReLU, made louder, which gives back what it and spectral normalisation take away of a map's size.

    Else the first logits differ by 0.003 from record to record (32x32 px, width 8), and on cat faces the discriminator told
    nothing from anything after 266 steps. With it, means of real and fake were 1.35 apart over the first 25.
    """

    def forward(self, x: Tensor) -> Tensor:
        return GAIN * leaky_relu(x, NEGATIVE_SLOPE)


class HalvingBlock(nn.Module):
    """(B, c_in, H, W) to (B, c_out, H/2, W/2), halved upwards where odd: the mean of a strided path and a pooled one."""

    def __init__(self, c_in: int, c_out: int, size: Size) -> None:
        super().__init__()
        # One row more of padding halves an odd side upwards.
        self.strided = nn.Sequential(
            nn.ZeroPad2d((0, size[1] % 2, 0, size[0] % 2)),
            nn.Conv2d(c_in, c_out, 4, stride=2, padding=1),
            Loud(),
            nn.Conv2d(c_out, c_out, 3, padding=1),
            Loud(),
        )
        self.pooled = nn.Sequential(nn.AvgPool2d(2, ceil_mode=True), nn.Conv2d(c_in, c_out, 1), Loud())

    def forward(self, x: Tensor) -> Tensor:
        return 0.5 * (self.strided(x) + self.pooled(x))


class Trunk(nn.Module):
    """Pixels (B, C, H, W) to maps of all sizes, the largest first; `sizes` and `channels` alike."""

    def __init__(self, colours: int, channels: list[int], sizes: list[Size], with_gates: bool) -> None:
        super().__init__()
        self.first = nn.Conv2d(colours, channels[0], 3, padding=1)
        self.loud = Loud()
        pairs = zip(itertools.pairwise(channels), sizes[:-1], strict=True)
        self.blocks = nn.ModuleList(HalvingBlock(*pair, size) for pair, size in pairs)
        self.leap = leap(DISCRIMINATOR_LEAP, len(sizes)) if with_gates else 0
        targets = range(self.leap, len(sizes)) if self.leap else range(0)
        self.gates = nn.ModuleList(SkipGate(channels[i - self.leap], sizes[i - self.leap], channels[i]) for i in targets)

    def forward(self, x: Tensor) -> list[Tensor]:
        maps = [self.loud(self.first(x))]
        for number, block in enumerate(self.blocks, start=1):
            x = block(maps[-1])
            if self.leap and number >= self.leap:
                x = self.gates[number - self.leap](maps[number - self.leap], x)
            maps.append(x)
        return maps


class Head(nn.Module):
    """A map (B, c, h, w) to a verdict on each patch of it, (B, patches)."""

    def __init__(self, channels: int, size: Size, spec: DataSpec) -> None:
        super().__init__()
        hidden = max(LEAST_CHANNELS, channels // 2)
        self.layers = nn.Sequential(
            nn.Conv2d(channels, hidden, 1),
            Loud(),
            nn.Conv2d(hidden, 1, (min(4, size[0]), min(4, size[1]))),
        )
        self.projection = Projection(spec.conditions, channels)

    def forward(self, x: Tensor, condition: Conditions) -> Tensor:
        logits = self.layers(x).flatten(1)
        # What a class adds is the same for every patch.
        features = x.mean((2, 3))
        return logits + self.projection(torch.zeros_like(logits[:, 0]), features, condition)[:, None]


class Decoder(nn.Module):
    """A map (B, c, h, w) to a picture (B, colours, h * 2^doublings, w * 2^doublings)."""

    def __init__(self, channels: int, colours: int, doublings: int) -> None:
        super().__init__()
        widths = [max(LEAST_CHANNELS, channels >> i) for i in range(doublings + 1)]
        self.stages = nn.ModuleList(UpsampleConv2d(c_in, 2 * c_out) for c_in, c_out in itertools.pairwise(widths))
        self.last = nn.Conv2d(widths[-1], colours, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        for stage in self.stages:
            x = gated(stage(x))
        return self.last(x)


class FastganDiscriminator(Discriminator):
    """(B, C, H, W) -> verdicts on patches of the picture, and of the smaller one where there is one: (B, patches) each."""

    by_itself = True

    reconstruction_draws = 1

    def __init__(self, family: Fastgan, spec: DataSpec) -> None:
        super().__init__()
        colours, *sides = spec.shape
        every = stage_sizes(*sides)
        # The smallest map is left to the generator: 8x8 of 64x64 has patches to be judged, and is worth drawing from.
        smallest = 1 if len(every) > 2 else 0
        sizes, channels = every[smallest:][::-1], family.channels(len(every))[smallest:][::-1]
        self.trunk = all_spectral(Trunk(colours, channels, sizes, with_gates=True))
        self.head = all_spectral(Head(channels[-1], sizes[-1], spec))
        # The second verdict's picture is averaged down at least once; one block at least is left for it.
        too_large = sum(max(size) > SECOND_LOOK for size in sizes[:-2])
        self.halvings = max(1, too_large) if len(sizes) > 2 else 0
        if self.halvings:
            there = slice(self.halvings, None)
            self.second_trunk = all_spectral(Trunk(colours, channels[there], sizes[there], with_gates=False))
            self.second_head = all_spectral(Head(channels[-1], sizes[-1], spec))
        doublings = min(DOUBLINGS, max(0, len(sizes) - 2))
        self.whole = Decoder(channels[-1], colours, doublings)
        self.quarter = Decoder(channels[-2], colours, doublings) if len(sizes) > 1 else None

    def forward(self, x: Tensor, condition: Conditions = UNCONDITIONED) -> Verdict:
        last = self.trunk(x)[-1]
        heads = [self.head(last, condition)]
        if self.halvings:
            for _ in range(self.halvings):
                x = avg_pool2d(x, 2, ceil_mode=True)
            heads.append(self.second_head(self.second_trunk(x)[-1], condition))
        return Verdict(tuple(heads), last.mean((2, 3)))

    def reconstruct(self, x: Tensor, draws: Tensor) -> tuple[tuple[Tensor, Tensor], ...]:
        """The whole picture from its smallest map, and one of its four quarters from that quarter of the map before.

        Args:
            draws: (B, 1), which quarter.
        """
        maps = self.trunk(x)
        pairs = [(self.whole(maps[-1]), x)]
        if self.quarter is not None:
            pairs.append((self.quarter(quarter_of(maps[-2], draws)), quarter_of(x, draws)))
        return tuple((drawn, interpolate(meant, size=drawn.shape[2:], mode="area")) for drawn, meant in pairs)

    def place(self, name: str) -> Place:
        lists = [f"{trunk}.{each}" for trunk in ("trunk", "second_trunk") for each in ("blocks", "gates")]
        over = f" over {self.trunk.leap}" if ".gates." in name else ""
        return Place(from_the_end(self, name, lists) + over)


def leap(most: int, maps: int) -> int:
    """Stages from a map to the one that it gates: `most`, or as many as there are, or 0 where they would be neighbours."""
    reach = min(most, maps - 1)
    return reach if reach > 1 else 0


def quarter_of(x: Tensor, draws: Tensor) -> Tensor:
    """One of the four quarters of each of x (B, C, H, W), by draws (B, 1) in [0, 1); of odd sides, the middle is in all."""
    height, width = (-(-side // 2) for side in x.shape[2:])
    place = (4 * draws).floor().view(-1, 1, 1, 1)
    x = torch.where(place >= 2, x[:, :, -height:], x[:, :, :height])
    return torch.where(place % 2 >= 1, x[:, :, :, -width:], x[:, :, :, :width])
