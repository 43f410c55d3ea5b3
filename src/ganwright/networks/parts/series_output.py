"""From what a generator of series makes of noise to a series: words chosen, courses about zero, an end."""

from __future__ import annotations

import torch
from torch import Tensor

from ganwright.data.blocks import BlockLayout
from ganwright.data.series.layout import SeriesLayout
from ganwright.data.spec import DataSpec
from ganwright.networks.base import NoiseInput
from ganwright.networks.parts.choosing import chosen, gumbel

TEMPERATURE = 0.5
"""Of the choice among modes; small ones have large gradients."""


class SeriesOutput:
    """The last layer of a generator of series; it has no weights."""

    def __init__(self, spec: DataSpec) -> None:
        self.layout = SeriesLayout(spec)
        self.courses = [place for place, each in enumerate(self.layout.steps.blocks) if each.number]
        """Where the numbers of a step lie; they come first."""

    @property
    def noise(self) -> dict[str, NoiseInput]:
        """What words are chosen with; nothing where there are none."""
        count = self.layout.statics.modes + self.layout.length * self.layout.steps.modes
        return {"choices": NoiseInput((count,), "uniform")} if count else {}

    def split(self, choices: Tensor | None) -> tuple[Tensor | None, Tensor | None]:
        """The noise for statics, (B, modes), and for steps, (B, T, modes)."""
        if choices is None:
            return None, None
        of_statics, of_steps = choices.split([self.layout.statics.modes, choices.shape[1] - self.layout.statics.modes], 1)
        return of_statics, of_steps.unflatten(1, (self.layout.length, -1))

    def statics(self, raw: Tensor, choices: Tensor | None) -> Tensor:
        """(B, S): what holds for all of a series."""
        return _columns(self.layout.statics, raw, choices)

    def series(self, statics: Tensor, raw: Tensor, choices: Tensor | None) -> Tensor:
        """(B, S + W, T), of statics (B, S) and raw steps (B, T, W)."""
        flat = None if choices is None else choices.flatten(0, 1)
        steps = _columns(self.layout.steps, raw.flatten(0, 1), flat).unflatten(0, raw.shape[:2])
        alive = self.layout.alive(steps)[:, :, None]
        courses = _about_zero(steps[:, :, : len(self.courses)], alive)
        return self.layout.joined(statics, self.layout.ended(torch.cat([courses, steps[:, :, len(self.courses) :]], 2)))


def _columns(layout: BlockLayout, raw: Tensor, choices: Tensor | None) -> Tensor:
    """(B, W): numbers as they are, other values in -1..1, modes chosen."""
    if not layout.blocks:
        return raw
    free = torch.tensor([block.number for block in layout.blocks if block.valued], device=raw.device, dtype=torch.bool)
    noise = torch.zeros_like(raw) if choices is None else gumbel(layout, choices)
    return chosen(layout, raw, noise, TEMPERATURE, lambda values: torch.where(free, values, values.tanh()))


def _about_zero(courses: Tensor, alive: Tensor) -> Tensor:
    """Courses (B, T, K) with a mean of 0 and a deviation of 1 at most, as those of the data have them: their height and size
    are drawn by themselves."""
    count = alive.sum(1, keepdim=True)
    centred = (courses - (courses * alive).sum(1, keepdim=True) / count) * alive
    squares = centred.square().sum(1, keepdim=True) / count
    return centred * squares.clamp(min=1).rsqrt()
