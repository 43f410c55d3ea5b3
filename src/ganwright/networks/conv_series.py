"""Series by convolutions along time: all steps are drawn at once, from few that are far apart to all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool1d, interpolate, leaky_relu

from ganwright.data.series.layout import SeriesLayout
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
    check_width,
)
from ganwright.networks.parts.series_output import SeriesOutput

COARSEST = 8
"""Steps at the coarsest scale, at most."""
SLOPE = 0.2
STEP_NOISE = 8
"""Random numbers that each step gets by itself."""


@dataclass(frozen=True)
class ConvSeries(NetworkFamily):
    """What holds for a whole series is drawn first, by dense layers; its steps then, by residual convolutions."""

    latent: int = 64
    """Length of the noise vector."""
    width: int = 64
    """Channels of the generator."""
    discriminator_width: int = 64
    """Channels of the discriminator."""

    kinds = frozenset({"series"})
    applies_output = True
    hears_conditions = False

    def __post_init__(self) -> None:
        for name in ("latent", "width", "discriminator_width"):
            check_width(name, getattr(self, name))

    def generator(self, spec: DataSpec) -> Generator:
        return ConvSeriesGenerator(self, spec)

    def discriminator(self, spec: DataSpec) -> Discriminator:
        return ConvSeriesDiscriminator(self, spec)


class ConvSeriesGenerator(Generator):
    """(B, latent) to (B, C, T)."""

    block = 256

    def __init__(self, family: ConvSeries, spec: DataSpec) -> None:
        super().__init__()
        self.output = SeriesOutput(spec)
        layout, width = self.output.layout, family.width
        self.noise = {
            "latent": NoiseInput((family.latent,), family.noise),
            "steps": NoiseInput((STEP_NOISE, layout.length)),
            **self.output.noise,
        }
        self.whole = nn.Sequential(
            nn.Linear(family.latent, 2 * width),
            nn.LeakyReLU(SLOPE),
            nn.Linear(2 * width, 2 * width),
            nn.LeakyReLU(SLOPE),
            nn.Linear(2 * width, layout.statics.width),
        )
        self.lengths = _lengths(layout.length)
        self.entry = nn.Linear(family.latent + layout.statics.width, width * self.lengths[0])
        self.scales = nn.ModuleList(_Residual(width) for _ in self.lengths[:-1])
        self.noisy = nn.Conv1d(STEP_NOISE, width, 1)
        self.last = _Residual(width)
        self.exit = nn.Conv1d(width, layout.steps.width, 3, padding=1)

    def forward(self, noise: Mapping[str, Tensor], condition: Conditions = UNCONDITIONED) -> Generated:
        latent = noise["latent"]
        of_statics, of_steps = self.output.split(noise.get("choices"))
        statics = self.output.statics(self.whole(latent), of_statics)
        x = self.entry(torch.cat([latent, statics], 1)).unflatten(1, (-1, self.lengths[0]))
        for length, scale in zip(self.lengths[1:], self.scales, strict=True):
            x = interpolate(scale(x), size=length, mode="linear", align_corners=True)
        raw = self.exit(leaky_relu(self.last(x + self.noisy(noise["steps"])), SLOPE)).transpose(1, 2)
        return Generated(self.output.series(statics, raw, of_steps))


class ConvSeriesDiscriminator(Discriminator):
    """(B, C, T) to two verdicts (B,): of the series, from each step and its change, and of what holds for all of it."""

    by_itself = True

    def __init__(self, family: ConvSeries, spec: DataSpec) -> None:
        super().__init__()
        width = family.discriminator_width
        self.layout = SeriesLayout(spec)
        self.lengths = _lengths(spec.shape[1])[::-1]
        self.entry = nn.Conv1d(2 * spec.shape[0], width, 3, padding=1)
        self.scales = nn.ModuleList(_Residual(width) for _ in self.lengths[1:])
        self.features = nn.Linear(width * self.lengths[-1], 2 * width)
        self.logit = nn.Linear(2 * width, 1)
        told = self.layout.statics.width
        layers = (nn.Linear(told, 2 * width), nn.LeakyReLU(SLOPE), nn.Linear(2 * width, 2 * width), nn.LeakyReLU(SLOPE))
        self.of_whole = nn.Sequential(*layers, nn.Linear(2 * width, 1)) if told else None

    def forward(self, x: Tensor, condition: Conditions = UNCONDITIONED) -> Verdict:
        whole = [] if self.of_whole is None else [self.of_whole(self.layout.split(x)[0]).squeeze(1)]
        changes = torch.cat([torch.zeros_like(x[:, :, :1]), x[:, :, 1:] - x[:, :, :-1]], 2)
        x = self.entry(torch.cat([x, changes], 1))
        for scale in self.scales:
            # Halved upwards, so that the last step counts as the others do.
            x = scale(avg_pool1d(leaky_relu(x, SLOPE), 2, ceil_mode=True))
        features = leaky_relu(self.features(leaky_relu(x, SLOPE).flatten(1)), SLOPE)
        return Verdict((self.logit(features).squeeze(1), *whole), features)


class _Residual(nn.Module):
    """x + what two convolutions make of it, (B, width, T)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv1d(width, width, 3, padding=1)
        self.second = nn.Conv1d(width, width, 3, padding=1)
        nn.init.normal_(self.second.weight, std=0.1 * (3 * width) ** -0.5)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(leaky_relu(self.first(leaky_relu(x, SLOPE)), SLOPE))


def _lengths(length: int) -> list[int]:
    """Steps at each scale, the coarsest first; each is half of the next, rounded up."""
    found = [length]
    while found[-1] > COARSEST:
        found.append(-(-found[-1] // 2))
    return found[::-1]
