"""Many changes, each with a probability: little of everything, for a strength that is adapted."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Self

import torch
from torch import Tensor

from ganwright.augment.base import Augmentation, Strength
from ganwright.augment.parts import colours, geometry
from ganwright.augment.parts.chances import Chances
from ganwright.augment.parts.cutting import cut_out
from ganwright.augment.parts.resampling import resample

NUMBERS = 36
"""That all operations use together."""
FARTHEST = 0.125
"""Of a translation by whole pixels, in parts of the picture's side; the standard deviation of one by any distance."""
OCTAVE = math.log(2)


@dataclass(frozen=True)
class Pipeline(Augmentation):
    """Karras et al. 2020 (arXiv:2006.06676), appendix B: geometry as one map, colours as one matrix, then a cutout.

    Each operation happens to each record with the probability weight * strength, and is as large as it is: up to a strength
    of about 0.8 the untouched record stays the most likely one, and a generator can find out what is real. Defaults are the
    paper's "bgc".
    """

    x_flip: float = 1.0
    """Left and right exchanged, half of the times."""
    rotate_90: float = 1.0
    """0 to 3 quarter turns."""
    integer_translation: float = 1.0
    """By whole pixels, up to an eighth of each side."""
    isotropic_scale: float = 1.0
    """Larger or smaller, by a fifth of an octave (standard deviation)."""
    rotation: float = 1.0
    """By any angle."""
    anisotropic_scale: float = 1.0
    """Wider and lower, or narrower and higher, by a fifth of an octave, in any direction where rotations happen."""
    fractional_translation: float = 1.0
    """By any distance, an eighth of each side (standard deviation)."""
    brightness: float = 1.0
    """Added: 0.2 (standard deviation), where black is -1 and white 1."""
    contrast: float = 1.0
    """A factor: half an octave (standard deviation)."""
    luma_flip: float = 1.0
    """Light and dark exchanged, half of the times; hues stay."""
    hue: float = 1.0
    """Turned by any angle."""
    saturation: float = 1.0
    """A factor: an octave (standard deviation)."""
    cutout: float = 0.0
    """A square of half a side becomes mid grey."""

    def __post_init__(self) -> None:
        for each in fields(self):
            if not 0 <= getattr(self, each.name) <= 1:
                raise ValueError(f"{each.name} must lie in 0..1, not {getattr(self, each.name)}")

    @classmethod
    def half_colours(cls) -> Self:
        """With the weights of Huang et al. 2024 (arXiv:2501.05441): colours half as often as geometry, and a cutout."""
        return cls(brightness=0.5, contrast=0.5, luma_flip=0.5, hue=0.5, saturation=0.5, cutout=1.0)

    def draws(self) -> int:
        return NUMBERS

    def apply(self, x: Tensor, strength: Strength, draws: Tensor) -> Tensor:
        chances = Chances(draws, strength)
        x = resample(x, self.inverse(chances, x.shape[2], x.shape[3]))
        x = colours.recoloured(x, self.colours(chances))
        if not self.cutout:
            return x
        return cut_out(x, chances.happens(self.cutout), chances.between(0.0, 1.0), chances.between(0.0, 1.0))

    def inverse(self, chances: Chances, height: int, width: int) -> Tensor:
        """Where each record's changed picture shows the old one: (B, 3, 3), see `parts.geometry`; uses 19 numbers."""
        happens, side = chances.happens(self.x_flip), chances.between(-1.0, 1.0)
        one = torch.ones_like(side)
        inverse = geometry.scaled(torch.where(happens & (side < 0), -one, one), one)

        happens, quarters = chances.happens(self.rotate_90), chances.between(0.0, 4.0).floor()
        inverse = inverse @ geometry.turned(torch.where(happens, quarters * (math.pi / 2), 0.0))

        happens = chances.happens(self.integer_translation)
        by_x, by_y = (chances.between(-FARTHEST, FARTHEST) * side for side in (width, height))
        inverse = inverse @ geometry.shifted(*(torch.where(happens, by.round(), 0.0) for by in (by_x, by_y)))

        happens, (size, _) = chances.happens(self.isotropic_scale), chances.normal()
        factor = torch.where(happens, (0.2 * OCTAVE * size).exp(), 1.0)
        inverse = inverse @ geometry.scaled(factor, factor)

        # Before and after the stretching, so that it may go in any direction; both together as often as one alone would.
        inverse = inverse @ geometry.turned(self._angle(chances))
        happens, (size, _) = chances.happens(self.anisotropic_scale), chances.normal()
        factor = torch.where(happens, (0.2 * OCTAVE * size).exp(), 1.0)
        inverse = inverse @ geometry.scaled(factor, 1 / factor)
        inverse = inverse @ geometry.turned(self._angle(chances))

        happens, (by_x, by_y) = chances.happens(self.fractional_translation), chances.normal()
        by_x, by_y = (torch.where(happens, FARTHEST * by, 0.0) for by in (by_x * width, by_y * height))
        return inverse @ geometry.shifted(by_x, by_y)

    def colours(self, chances: Chances) -> Tensor:
        """What becomes of each record's colours: (B, 4, 4), see `parts.colours`; uses 14 numbers."""
        happens, (by, _) = chances.happens(self.brightness), chances.normal()
        matrix = colours.brighter(torch.where(happens, 0.2 * by, 0.0))
        happens, (by, _) = chances.happens(self.contrast), chances.normal()
        matrix = colours.multiplied(torch.where(happens, (0.5 * OCTAVE * by).exp(), 1.0)) @ matrix
        happens, side = chances.happens(self.luma_flip), chances.between(-1.0, 1.0)
        matrix = colours.luma_flipped(happens & (side < 0)) @ matrix
        # What happens to none is the identity to the last bit, which two roots of a third would not quite be.
        happens, angle = chances.happens(self.hue), chances.between(-math.pi, math.pi)
        hue = torch.where(happens[:, None, None], colours.hue_turned(angle), colours.no_change(angle))
        happens, (by, _) = chances.happens(self.saturation), chances.normal()
        saturation = colours.saturated((OCTAVE * by).exp())
        saturation = torch.where(happens[:, None, None], saturation, colours.no_change(by))
        return saturation @ hue @ matrix

    def _angle(self, chances: Chances) -> Tensor:
        happens, angle = chances.happens(self.rotation, times=2), chances.between(-math.pi, math.pi)
        return torch.where(happens, angle, 0.0)
