"""Colours, translation and a missing square, always: for few pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from ganwright.augment.base import Augmentation, Strength
from ganwright.augment.parts.chances import Chances
from ganwright.augment.parts.colours import colours_of
from ganwright.augment.parts.cutting import cut_out
from ganwright.data.spec import MAPS

Change = Literal["colour", "translation", "cutout"]
NUMBERS: dict[Change, int] = {"colour": 4, "translation": 3, "cutout": 3}
FARTHEST = 0.125
"""That a picture is moved, in parts of its side."""


@dataclass(frozen=True)
class DiffAugment(Augmentation):
    """Zhao et al. 2020 (arXiv:2006.10738), appendix: at full strength every change happens to every record, as published.

    A lower strength is the probability of each change, apart for each record; changes never become smaller. Below full
    strength the discriminator sees untouched records too, and so changes leak less into samples.
    """

    kinds: ClassVar[frozenset[str]] = MAPS

    policy: tuple[Change, ...] = ("colour", "translation", "cutout")
    """Which changes, in order: colour (brightness, saturation, contrast), translation by at most an eighth of a side (0.0,
    which is mid grey, is moved in), cutout (a square of half a side becomes mid grey)."""

    def draws(self) -> int:
        return sum(NUMBERS[change] for change in self.policy)

    def apply(self, x: Tensor, strength: Strength, draws: Tensor) -> Tensor:
        chances = Chances(draws, strength)
        for change in self.policy:
            happens = chances.happens()
            if change == "colour":
                by = (chances.between(-0.5, 0.5), chances.between(0.0, 2.0), chances.between(0.5, 1.5))
                x = torch.where(happens[:, None, None, None], _recoloured(x, *by), x)
            elif change == "translation":
                shifts = [_shift(side, chances.between(0.0, 1.0)) for side in x.shape[2:]]
                x = _translated(x, *(torch.where(happens, shift, 0) for shift in shifts))
            else:
                x = cut_out(x, happens, chances.between(0.0, 1.0), chances.between(0.0, 1.0))
        return x


def _recoloured(x: Tensor, brightness: Tensor, saturation: Tensor, contrast: Tensor) -> Tensor:
    """Brightness is added, the rest are factors, all (B,); contrast is about each record's own mean. Transparency stays."""
    brightness, saturation, contrast = (by.to(x.dtype)[:, None, None, None] for by in (brightness, saturation, contrast))
    count = colours_of(x)
    colours = x[:, :count] + brightness
    if count > 1:
        grey = colours.mean(1, keepdim=True)
        colours = grey + saturation * (colours - grey)
    mean = colours.mean((1, 2, 3), keepdim=True)
    colours = mean + contrast * (colours - mean)
    return torch.cat((colours, x[:, count:]), 1) if x.shape[1] > count else colours


def _shift(side: int, number: Tensor) -> Tensor:
    """Whole pixels (B,), int64, each as likely as the other, from numbers in [0, 1)."""
    most = int(side * FARTHEST + 0.5)
    return (number * (2 * most + 1)).floor().long() - most


def _translated(x: Tensor, down: Tensor, right: Tensor) -> Tensor:
    """`x` (B, C, H, W) moved by whole pixels (B,); 0.0 is moved in."""
    for dim, shift in ((2, down), (3, right)):
        side = x.shape[dim]
        source = torch.arange(side, device=x.device) - shift[:, None]
        shape = (len(x), 1, side, 1) if dim == 2 else (len(x), 1, 1, side)
        there = ((source >= 0) & (source < side)).view(shape)
        x = x.gather(dim, source.clamp(0, side - 1).view(shape).expand_as(x)).where(there, 0.0)
    return x
