"""Series step by step, as DoppelGANger draws them: what holds for all of one first, then a few steps a recurrent cell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

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

CELLS = 50
"""That a series is drawn in, at most: longer ones are forgotten on the way."""
MOST_LAYERS = 32


@dataclass(frozen=True)
class RecurrentSeries(NetworkFamily):
    """Lin et al. 2020 (arXiv:1909.13403): dense layers for the whole, a recurrent network for the steps; dense
    discriminators, one of the series and one of what holds for all of it."""

    latent: int = 16
    """Length of the noise vector that the whole is drawn from."""
    step_latent: int = 16
    """Random numbers of each cell."""
    width: int = 100
    """Neurons of the generator's layers and of its recurrent cell."""
    steps: int | None = None
    """Steps that a cell draws; None: as many as make 50 cells."""
    discriminator_widths: tuple[int, ...] = (200, 200, 200, 200)
    """Neurons of the hidden layers of both discriminators."""

    kinds = frozenset({"series"})
    applies_output = True
    hears_conditions = False

    def __post_init__(self) -> None:
        for name in ("latent", "step_latent", "width"):
            check_width(name, getattr(self, name))
        if self.steps is not None:
            check_width("steps", self.steps)
        if len(self.discriminator_widths) > MOST_LAYERS:
            raise ValueError(f"at most {MOST_LAYERS} hidden layers a network")
        for width in self.discriminator_widths:
            check_width("a hidden layer's width", width)

    def generator(self, spec: DataSpec) -> Generator:
        return RecurrentSeriesGenerator(self, spec)

    def discriminator(self, spec: DataSpec) -> Discriminator:
        return RecurrentSeriesDiscriminator(self, spec)


class RecurrentSeriesGenerator(Generator):
    """(B, latent), and (B, cells, step_latent), to (B, C, T)."""

    block = 256

    def __init__(self, family: RecurrentSeries, spec: DataSpec) -> None:
        super().__init__()
        self.output = SeriesOutput(spec)
        layout, width = self.output.layout, family.width
        self.steps = family.steps or -(-layout.length // CELLS)
        self.cells = -(-layout.length // self.steps)
        self.noise = {
            "latent": NoiseInput((family.latent,), family.noise),
            "cells": NoiseInput((self.cells, family.step_latent)),
            **self.output.noise,
        }
        self.whole = nn.Sequential(
            nn.Linear(family.latent, width),
            nn.ReLU(),
            nn.Linear(width, width),
            nn.ReLU(),
            nn.Linear(width, layout.statics.width),
        )
        self.begin = nn.Linear(family.latent + layout.statics.width, width)
        self.course = nn.GRU(family.step_latent + layout.statics.width, width, batch_first=True)
        self.exit = nn.Linear(width, self.steps * layout.steps.width)

    def forward(self, noise: Mapping[str, Tensor], condition: Conditions = UNCONDITIONED) -> Generated:
        of_statics, of_steps = self.output.split(noise.get("choices"))
        statics = self.output.statics(self.whole(noise["latent"]), of_statics)
        # What holds for all of a series is learned from itself, not bent to what is easy to draw.
        told = statics.detach()
        first = self.begin(torch.cat([noise["latent"], told], 1)).tanh()[None]
        each = torch.cat([noise["cells"], told[:, None].expand(-1, self.cells, -1)], 2)
        hidden = self.course(each, first)[0]
        raw = self.exit(hidden).unflatten(2, (self.steps, -1)).flatten(1, 2)
        return Generated(self.output.series(statics, raw[:, : self.output.layout.length], of_steps))


class RecurrentSeriesDiscriminator(Discriminator):
    """(B, C, T) to two verdicts (B,): of the whole series, and of what holds for all of it."""

    by_itself = True

    def __init__(self, family: RecurrentSeries, spec: DataSpec) -> None:
        super().__init__()
        self.layout = SeriesLayout(spec)
        told = self.layout.statics.width
        self.of_series = _dense(told + self.layout.length * self.layout.steps.width, family.discriminator_widths)
        self.of_whole = _dense(told, family.discriminator_widths) if told else None

    def forward(self, x: Tensor, condition: Conditions = UNCONDITIONED) -> Verdict:
        statics, steps = self.layout.split(x)
        verdicts = [self.of_series(torch.cat([statics, steps.flatten(1)], 1))]
        verdicts += [] if self.of_whole is None else [self.of_whole(statics)]
        return Verdict(tuple(each.squeeze(1) for each in verdicts))


def _dense(width_in: int, widths: tuple[int, ...]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for width in widths:
        layers += [nn.Linear(width_in, width), nn.LeakyReLU(0.2)]
        width_in = width
    return nn.Sequential(*layers, nn.Linear(width_in, 1))
