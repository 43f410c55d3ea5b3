"""Changes to sounds: moved in time and in pitch, louder or softer, with moments or pitches missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from ganwright.augment.base import Augmentation, Strength
from ganwright.augment.parts.chances import Chances

Change = Literal["time", "pitch", "volume", "time_mask", "pitch_mask"]
NUMBERS: dict[Change, int] = {"time": 2, "pitch": 2, "volume": 2, "time_mask": 3, "pitch_mask": 3}
FARTHEST_TIME, FARTHEST_PITCH = 0.125, 0.04
"""That a sound is moved, in parts of its length and of the range of pitch: farther up it is another word."""
VOLUME = 0.15
"""By which what stands out of silence grows or shrinks, at most, in parts of itself."""
WIDEST_MASK = 0.2
"""Of a mask, in parts of the length or the range."""
SILENCE = -1.0


@dataclass(frozen=True)
class Masks(Augmentation):
    """SpecAugment's masks (Park et al. 2019, arXiv:1904.08779), and shifts; the same for real and fake.

    The strength is the probability of each change, apart for each record; changes never become smaller. What is masked, and
    what is moved in, is silence.
    """

    kinds: ClassVar[frozenset[str]] = frozenset({"spectrogram"})

    policy: tuple[Change, ...] = ("time", "pitch", "volume", "time_mask", "pitch_mask")
    """Which changes, in order."""

    def draws(self) -> int:
        return sum(NUMBERS[change] for change in self.policy)

    def apply(self, x: Tensor, strength: Strength, draws: Tensor) -> Tensor:
        chances = Chances(draws, strength)
        for change in self.policy:
            happens = chances.happens()
            match change:
                case "time":
                    x = _moved(x, 3, happens, chances.between(-FARTHEST_TIME, FARTHEST_TIME))
                case "pitch":
                    x = _moved(x, 2, happens, chances.between(-FARTHEST_PITCH, FARTHEST_PITCH))
                case "volume":
                    x = _louder(x, happens, chances.between(-VOLUME, VOLUME))
                case "time_mask":
                    x = _masked(x, 3, happens, chances.between(0.0, 1.0), chances.between(0.0, WIDEST_MASK))
                case "pitch_mask":
                    x = _masked(x, 2, happens, chances.between(0.0, 1.0), chances.between(0.0, WIDEST_MASK))
        return x


def _moved(x: Tensor, dim: int, happens: Tensor, part: Tensor) -> Tensor:
    """`x` (B, C, H, W) moved along `dim` by whole places, `part` (B,) of its side where it happens; silence is moved in."""
    side = x.shape[dim]
    shift = torch.where(happens, (part * side).round(), 0).long()
    source = torch.arange(side, device=x.device) - shift[:, None]
    shape = (len(x), 1, side, 1) if dim == 2 else (len(x), 1, 1, side)
    there = ((source >= 0) & (source < side)).view(shape)
    return x.gather(dim, source.clamp(0, side - 1).view(shape).expand_as(x)).where(there, SILENCE)


def _louder(x: Tensor, happens: Tensor, by: Tensor) -> Tensor:
    """All values `by` (B,) farther from silence, in parts of their distance from it; so silence stays what it is."""
    factor = 1 + torch.where(happens, by, 0).to(x.dtype)[:, None, None, None]
    return SILENCE + factor * (x - SILENCE)


def _masked(x: Tensor, dim: int, happens: Tensor, centre: Tensor, width: Tensor) -> Tensor:
    """Silence in a stripe across `dim`, of `width` (B,) parts of its side around `centre` (B,)."""
    side = x.shape[dim]
    places = (torch.arange(side, device=x.device) + 0.5) / side
    inside = ((places - centre[:, None]).abs() < width[:, None] / 2) & happens[:, None]
    return x.masked_fill(inside.view((len(x), 1, side, 1) if dim == 2 else (len(x), 1, 1, side)), SILENCE)
