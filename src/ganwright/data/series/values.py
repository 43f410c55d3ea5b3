"""Series in natural values, as measures and plots look at them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class SeriesValues:
    """N series of at most T steps."""

    values: np.ndarray
    """float64 (N, T, D), NaN where a number is missing or the series is over; a word is one column of 0 and 1 for each."""
    lengths: np.ndarray
    """int64 (N,): steps of each."""
    names: tuple[str, ...]
    """Of the D columns; "wind=NW" for a word."""

    @classmethod
    def join(cls, parts: Sequence[SeriesValues]) -> SeriesValues:
        """The series of all parts, of which there is at least one."""
        values, lengths = (np.concatenate([getattr(part, name) for part in parts]) for name in ("values", "lengths"))
        return cls(values, lengths, parts[0].names)

    def __len__(self) -> int:
        return len(self.values)

    def take(self, places: np.ndarray | slice) -> SeriesValues:
        """Those at `places`."""
        return SeriesValues(self.values[places], self.lengths[places], self.names)
