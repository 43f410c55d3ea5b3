"""Whether every column of a table, looked at by itself, is spread as in the data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ganwright.metrics.base import RowComparison
from ganwright.metrics.parts.coded import Coded
from ganwright.metrics.parts.measurement import Better


@dataclass(frozen=True)
class Shapes(RowComparison):
    """Kolmogorov's distance of numbers and dates, the total variation distance of words, each in 0..1."""

    better: ClassVar[dict[str, Better]] = {"shapes": "higher", "shapes_worst": "higher", "missing_cells": "lower"}

    def protocols(self, real: Coded) -> dict[str, str]:
        return {
            "shapes": f"one less the mean distance over {len(real.columns):,} columns: of numbers and dates the largest "
            "difference of the distribution functions, missing cells beyond all numbers; of words half the sum of the "
            "differences of their shares",
            "shapes_worst": f"the same of that one of {len(real.columns):,} columns that is least alike",
            "missing_cells": "the largest difference, over all columns, of the share of cells that are missing",
        }

    def against(self, real: Coded) -> Callable[[Coded], dict[str, float]]:
        distances = column_distances(real)
        missing = [place for place, column in enumerate(real.columns) if column.missing]
        shares = [float(real.missing(place).mean()) for place in missing]

        def measured(fake: Coded) -> dict[str, float]:
            found = distances(fake)
            values = {"shapes": 1 - float(np.mean(found)), "shapes_worst": 1 - max(found)}
            if missing:
                gaps = [abs(float(fake.missing(at).mean()) - share) for at, share in zip(missing, shares, strict=True)]
                values["missing_cells"] = max(gaps)
            return values

        return measured


def column_distances(real: Coded) -> Callable[[Coded], list[float]]:
    """What gives the distance of each column of other rows from that of these, 0..1."""
    known = [
        np.sort(_ends(values)) if column.is_number else _shares(values, len(column.words or ()))
        for column, values in zip(real.columns, real.values, strict=True)
    ]

    def distances(fake: Coded) -> list[float]:
        return [
            _kolmogorov(mine, _ends(values))
            if column.is_number
            else float(np.abs(mine - _shares(values, len(mine))).sum() / 2)
            for column, mine, values in zip(fake.columns, known, fake.values, strict=True)
        ]

    return distances


def _ends(numbers: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(numbers), np.inf, numbers)


def _shares(places: np.ndarray, words: int) -> np.ndarray:
    return np.bincount(places, minlength=words) / len(places)


def _kolmogorov(ordered: np.ndarray, numbers: np.ndarray) -> float:
    """Between numbers of two samples, the first of them in order: the largest difference is at one of the second, or just
    before it."""
    points, counts = np.unique(numbers, return_counts=True)
    at = np.cumsum(counts) / len(numbers)
    before = at - counts / len(numbers)
    real_at, real_before = (np.searchsorted(ordered, points, side) / len(ordered) for side in ("right", "left"))
    return float(max(np.abs(real_at - at).max(), np.abs(real_before - before).max()))
