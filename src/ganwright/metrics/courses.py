"""Whether series move as real ones do: how steps go with later ones, and columns with each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ganwright.data.series.values import SeriesValues
from ganwright.metrics.base import NotMeasurable, SeriesComparison
from ganwright.metrics.parts.measurement import Better

MOST_LAGS = 24


@dataclass(frozen=True)
class Courses(SeriesComparison):
    """Mean distances of autocorrelations and of correlations between columns."""

    better: ClassVar[dict[str, Better]] = {"autocorrelation": "lower", "cross_correlation": "lower"}

    def protocols(self, real: SeriesValues) -> dict[str, str]:
        lags = _lags(real.values.shape[1])
        return {
            "autocorrelation": "mean absolute difference of the autocorrelations about each series' own mean, over all "
            f"columns and lags 1 to {lags}",
            "cross_correlation": "mean absolute difference of the correlations of columns about each series' own mean, and "
            "of those of series' means",
        }

    def against(self, real: SeriesValues) -> Callable[[SeriesValues], dict[str, float]]:
        if real.values.shape[1] < 2:
            raise NotMeasurable("series of one step have no course")
        meant = _autocorrelations(real), _correlations(real)

        def measured(fake: SeriesValues) -> dict[str, float]:
            found = {"autocorrelation": float(np.abs(_autocorrelations(fake) - meant[0]).mean())}
            if len(real.names) > 1:
                found["cross_correlation"] = float(np.abs(_correlations(fake) - meant[1]).mean())
            return found

        return measured


def _lags(length: int) -> int:
    return min(MOST_LAGS, length - 1)


def _centred(series: SeriesValues) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Numbers (N, T, D) about their series' mean, 0 where there is none; bool (N, T, D) where there is; means (N, D)."""
    known = ~np.isnan(series.values)
    count = np.maximum(known.sum(1), 1)
    means = np.where(known, series.values, 0).sum(1) / count
    return np.where(known, series.values - means[:, None], 0), known, means


def _autocorrelations(series: SeriesValues) -> np.ndarray:
    """(lags, D): of all series together."""
    x, known, _ = _centred(series)
    variance = np.maximum((x**2).sum((0, 1)) / np.maximum(known.sum((0, 1)), 1), 1e-300)
    found = []
    for lag in range(1, _lags(x.shape[1]) + 1):
        pairs = (known[:, lag:] & known[:, :-lag]).sum((0, 1))
        found.append((x[:, lag:] * x[:, :-lag]).sum((0, 1)) / np.maximum(pairs, 1) / variance)
    return np.stack(found)


def _correlations(series: SeriesValues) -> np.ndarray:
    """(2, pairs): of courses, and of means."""
    x, _, means = _centred(series)
    pairs = np.triu_indices(x.shape[2], 1)
    flat = x.reshape(-1, x.shape[2])
    return np.stack([_correlation(each)[pairs] for each in (flat, means - means.mean(0))])


def _correlation(x: np.ndarray) -> np.ndarray:
    """(D, D) of (n, D) of mean 0; 0 beside columns that stand still."""
    scale = np.sqrt((x**2).mean(0))
    return (x.T @ x / len(x)) / np.maximum(np.outer(scale, scale), 1e-300)
