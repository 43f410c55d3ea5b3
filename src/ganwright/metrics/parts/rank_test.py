"""Whether one set of numbers tends to be smaller than another."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class RankTest:
    """Mann and Whitney 1947 (doi:10.1214/aoms/1177730491), one-sided, in strata (van Elteren 1960) if there are any."""

    smaller: float
    """Share of pairs in which the first set's number is the smaller, ties as halves: 0.5 where there is no difference."""
    error: float
    """Standard error of `smaller` (DeLong et al. 1988, doi:10.2307/2531595)."""
    p: float
    """Chance of as large a share if there is no difference: normal approximation with continuity and tie corrections."""


def rank_test(
    first: np.ndarray, second: np.ndarray, first_strata: np.ndarray | None = None, second_strata: np.ndarray | None = None
) -> RankTest:
    """Whether numbers (N,) are smaller than others (M,).

    Args:
        first_strata, second_strata: int64 (N,) and (M,); only numbers of one stratum are compared. A stratum counts by the
            share of `first` in it; one without any of `second` is left out.
    """
    strata = np.zeros(len(first), np.int64) if first_strata is None else first_strata
    others = np.zeros(len(second), np.int64) if second_strata is None else second_strata
    pairs = [(first[strata == s], second[others == s]) for s in np.intersect1d(strata, others)]
    counted = sum(len(a) for a, _ in pairs)
    if not counted:
        return RankTest(0.5, 0.0, 0.5)
    wins = variance = null_variance = step = 0.0
    for a, b in pairs:
        weight = len(a) / counted
        larger, smaller = _wins(a, b), _wins(b, a)
        wins += float(larger.sum())
        variance += weight**2 * (_variance_of_mean(larger) + _variance_of_mean(smaller))
        null_variance += weight**2 * _null_variance(a, b)
        step += weight / (len(a) * len(b))
    share = wins / counted
    if null_variance == 0:  # Every number is the same.
        return RankTest(share, 0.0, 0.5)
    # Half of a pair, in the largest steps that the share moves in: without it small sets look too certain.
    z = (share - 0.5 - 0.5 * step) / math.sqrt(null_variance)
    return RankTest(share, math.sqrt(variance), 0.5 * math.erfc(z / math.sqrt(2)))


def _wins(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Of each of a, the share of b that is larger, ties as halves."""
    ordered = np.sort(b)
    not_larger = np.searchsorted(ordered, a, side="right") + np.searchsorted(ordered, a, side="left")
    return 1 - 0.5 * not_larger / len(b)


def _variance_of_mean(values: np.ndarray) -> float:
    return float(np.var(values, ddof=1)) / len(values) if len(values) > 1 else 0.25


def _null_variance(a: np.ndarray, b: np.ndarray) -> float:
    """Of the share if there is no difference, ties taken into account."""
    n, m = len(a), len(b)
    _, ties = np.unique(np.concatenate([a, b]), return_counts=True)
    total = n + m
    tied = float((ties.astype(float) ** 3 - ties).sum()) / (total * (total - 1))
    return (total + 1 - tied) / (12 * n * m)
