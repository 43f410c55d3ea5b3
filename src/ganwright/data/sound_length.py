"""Which rate and which length all sounds of a set are brought to."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

FRAME_SECONDS = 0.016
"""From one column of a spectrogram to the next: two of them hold two periods of a low voice, so tones are told apart."""
FEWEST_FRAMES = 32
SHORTEST_HOP = 4
"""Samples."""
FRAME_STEP = 16
"""Columns come in multiples of it, which networks can halve four times."""
LONGEST_SECONDS = 2.0
"""That are chosen unasked: longer ones take longer to learn."""
COVERED = 0.98
"""Of the recordings are heard to their end, where they are not longer than that."""


@dataclass(frozen=True)
class SoundSize:
    """The choice, and why."""

    rate: int
    frames: int
    hop: int
    """Samples in a frame."""
    reason: str


def choose_size(shapes: Mapping[tuple[int, int], int], rate: int | None, seconds: float | None) -> SoundSize:
    """For recordings of these (rate, frames), counted; the rate most of them have, and long enough for nearly all.

    Args:
        rate, seconds: as the user wants them; None leaves them to be chosen.
    """
    rates: Counter[int] = Counter()
    for (each, _), count in shapes.items():
        rates[each] += count
    reasons: list[str] = []
    if rate is None:
        rate, most = max(rates.items(), key=lambda pair: (pair[1], -pair[0]))
        all_alike = len(rates) == 1
        reasons.append("the rate of all sounds" if all_alike else f"the rate of {most:,} of {rates.total():,} sounds")
    if seconds is None:
        lengths = np.repeat([frames / each for each, frames in shapes], list(shapes.values()))
        covering = float(np.quantile(lengths, COVERED))
        seconds = min(covering, LONGEST_SECONDS)
        enough = f"long enough for {(lengths <= seconds + FRAME_SECONDS).mean():.0%} of them"
        reasons.append(enough if covering <= LONGEST_SECONDS else f"{enough}; --seconds for more")
    frames, hop = frames_and_hop(rate, seconds)
    return SoundSize(rate, frames, hop, "; ".join(reasons))


def frames_and_hop(rate: int, seconds: float) -> tuple[int, int]:
    """Frames of at most about FRAME_SECONDS that last `seconds`, or hardly longer, and the samples in each."""
    frames = max(FEWEST_FRAMES, math.ceil(seconds / FRAME_SECONDS - 1e-6))
    frames = -(-frames // FRAME_STEP) * FRAME_STEP
    hop = max(SHORTEST_HOP, math.ceil(seconds * rate / frames - 1e-6))
    while not _has_small_factors(hop):
        hop += 1
    return frames, hop


def _has_small_factors(number: int) -> bool:
    """Whether it is made of 2, 3 and 5 alone: transforms of such lengths are quick."""
    for factor in (2, 3, 5):
        while number % factor == 0:
            number //= factor
    return number == 1
