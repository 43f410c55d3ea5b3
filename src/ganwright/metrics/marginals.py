"""Whether numbers of series lie where real ones do, whenever they come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ganwright.data.series.values import SeriesValues
from ganwright.metrics.base import SeriesComparison
from ganwright.metrics.parts.measurement import Better

PLACES = (np.arange(200) + 0.5) / 200
"""Of the order of a column's numbers, at which two orders are held against each other."""


@dataclass(frozen=True)
class Marginals(SeriesComparison):
    """Wasserstein distances of columns; shares of gaps, and lengths, where these differ."""

    better: ClassVar[dict[str, Better]] = {
        "marginals": "lower",
        "marginals_worst": "lower",
        "missing_steps": "lower",
        "steps": "lower",
    }

    def protocols(self, real: SeriesValues) -> dict[str, str]:
        return {
            "marginals": "Wasserstein distance of a column's numbers in parts of their deviation, mean over all columns",
            "marginals_worst": "Wasserstein distance of a column's numbers in parts of their deviation, the largest",
            "missing_steps": "largest difference of the share of steps in which a column has no number",
            "steps": "difference of the mean number of steps, in parts of the longest series",
        }

    def against(self, real: SeriesValues) -> Callable[[SeriesValues], dict[str, float]]:
        meant, missing = [_quantiles(column) for column in _columns(real)], _missing(real)
        deviations = [float(np.nanstd(column)) or 1.0 for column in _columns(real)]
        longest = real.values.shape[1]

        def measured(fake: SeriesValues) -> dict[str, float]:
            apart = [
                float(np.abs(_quantiles(column) - quantiles).mean()) / deviation
                for column, quantiles, deviation in zip(_columns(fake), meant, deviations, strict=True)
            ]
            found = {"marginals": float(np.mean(apart)), "marginals_worst": max(apart)}
            if missing.any():
                found["missing_steps"] = float(np.abs(_missing(fake) - missing).max())
            if real.lengths.min() < real.lengths.max():
                found["steps"] = abs(float(fake.lengths.mean() - real.lengths.mean())) / longest
            return found

        return measured


def _columns(series: SeriesValues) -> list[np.ndarray]:
    """The numbers of each column."""
    columns = [column[~np.isnan(column)] for column in np.moveaxis(series.values, 2, 0)]
    return [column if len(column) else np.zeros(1) for column in columns]


def _quantiles(numbers: np.ndarray) -> np.ndarray:
    return np.quantile(numbers, PLACES)


def _missing(series: SeriesValues) -> np.ndarray:
    """(D,): the share of steps without a number."""
    alive = np.arange(series.values.shape[1]) < series.lengths[:, None]
    return np.isnan(series.values[alive]).mean(0)
