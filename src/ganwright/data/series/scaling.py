"""Numbers of series as networks see them: how high a series lies, how much it moves, and the shape of its course.

A course is told apart from its level and its size, as in DoppelGANger (Lin et al. 2020, arXiv:1909.13403), so that series of
any height are drawn equally well. Columns that go together (opening and closing price) are turned into directions that do
not: what is small beside the columns themselves, such as their difference, is then of the usual size, and is learned.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self

import numpy as np

SKEWED = 20.0
"""The largest number over the smallest, or over the median where there are zeros, from which on logarithms are taken."""
NEGLIGIBLE = 1e-9
"""Variance of a direction, as a share of the largest, below which columns are taken to follow from each other."""
SMALLEST = 0.02
"""How much a series moves at least, in parts of the usual: below that it stands still."""
NONE = -1.0
FURTHEST = 6.0
"""Deviations beyond which a level or a size is cut off."""


@dataclass(frozen=True, eq=False)
class Scaling:
    """What was learned of D columns of numbers; all float64."""

    bend: np.ndarray
    """(D,): what is added before the logarithm; NONE where none is taken."""
    centre: np.ndarray
    """(D,), of bent numbers."""
    spread: np.ndarray
    """(D,): their deviation."""
    level_centre: np.ndarray
    """(D,), of a series' mean."""
    level_mix: np.ndarray
    """(D, L): from means to levels that do not go together, of deviation 1."""
    level_back: np.ndarray
    """(L, D)."""
    mix: np.ndarray
    """(D, K): from a course about its mean to directions that do not go together, of deviation 1."""
    back: np.ndarray
    """(K, D)."""
    size_centre: np.ndarray
    """(K,): of the logarithm of how much a series moves in a direction."""
    size_spread: np.ndarray
    """(K,)."""

    @classmethod
    def learned(cls, values: np.ndarray, alive: np.ndarray) -> Self:
        """From numbers (N, T, D), NaN where missing, and bool (N, T): which steps are not behind the end."""
        shown = values[alive]
        bend = np.array([_bend(column[~np.isnan(column)]) for column in shown.T])
        bent = _bent(values, bend)
        known = bent[alive]
        centre, spread = np.nanmean(known, 0), np.nanstd(known, 0)
        filled = _filled((bent - centre) / np.where(spread > 0, spread, 1), alive)
        levels, course = _apart(filled, alive)
        level_centre = levels.mean(0)
        level_mix, level_back = _directions(levels - level_centre)
        mix, back = _directions(course[alive])
        size = np.log(_sizes(course @ mix, alive))
        spread = np.where(spread > 0, spread, 1)
        deviation = size.std(0)
        found = (bend, centre, spread, level_centre, level_mix, level_back, mix, back, size.mean(0))
        return cls(*found, np.where(deviation > 1e-3, deviation, 1))

    @property
    def levels(self) -> int:
        """How many numbers tell of the height of a series."""
        return self.level_mix.shape[1]

    @property
    def directions(self) -> int:
        """How many numbers each step has, and as many tell how much the series moves."""
        return self.mix.shape[1]

    def encode(self, values: np.ndarray, alive: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Levels and sizes (N, L + K), and courses (N, T, K), of numbers (N, T, D); a gap is crossed in a straight line."""
        filled = _filled((_bent(values, self.bend) - self.centre) / self.spread, alive)
        levels, course = _apart(filled, alive)
        turned = course @ self.mix
        sizes = _sizes(turned, alive)
        told = [(levels - self.level_centre) @ self.level_mix, (np.log(sizes) - self.size_centre) / self.size_spread]
        return np.clip(np.concatenate(told, 1), -FURTHEST, FURTHEST), turned / sizes[:, None] * alive[:, :, None]

    def decode(self, told: np.ndarray, courses: np.ndarray) -> np.ndarray:
        """The numbers (N, T, D) again, of levels and sizes (N, L + K) and courses (N, T, K)."""
        levels, sizes = np.split(np.clip(told.astype(np.float64), -FURTHEST, FURTHEST), [self.levels], 1)
        moved = courses.astype(np.float64) * np.exp(sizes * self.size_spread + self.size_centre)[:, None]
        height = self.level_centre + levels @ self.level_back
        bent = (height[:, None] + moved @ self.back) * self.spread + self.centre
        with np.errstate(over="ignore"):
            return np.where(self.bend == NONE, bent, np.exp(np.minimum(bent, 700)) - self.bend)

    def arrays(self) -> dict[str, np.ndarray]:
        """All that it is made of, by name."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        """The same again.

        Raises:
            ValueError: the arrays of a stranger's file do not fit together.
        """
        if set(arrays) != {each.name for each in fields(cls)} or any(a.dtype != np.float64 for a in arrays.values()):
            raise ValueError("not the scaling of series")
        found = cls(**arrays)
        count = len(found.bend)
        if found.level_mix.ndim != 2 or found.mix.ndim != 2:
            raise ValueError("the scaling of series does not fit together")
        levels, directions = found.levels, found.directions
        wide, tall = (count, levels), (count, directions)
        meant = [(count,)] * 4 + [wide, wide[::-1], tall, tall[::-1], (directions,), (directions,)]
        if [each.shape for each in found.arrays().values()] != meant or levels > count or directions > count:
            raise ValueError("the scaling of series does not fit together")
        if not all(np.isfinite(each).all() for each in arrays.values()) or ((found.bend < 0) & (found.bend != NONE)).any():
            raise ValueError("the scaling of series must be finite")
        return found


def _bend(known: np.ndarray) -> float:
    """What is added to a column's numbers before their logarithm, NONE where they are taken as they are."""
    if not len(known) or known.min() < 0 or known.min() == known.max():
        return NONE
    low, middle = float(known.min()), float(np.median(known[known > 0]))
    if low > 0:
        return 0.0 if known.max() > SKEWED * low else NONE
    return middle if known.max() > SKEWED * middle else NONE


def _bent(values: np.ndarray, bend: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        logs = np.log(np.maximum(values + bend, 1e-12))
    return np.where((bend == NONE) | np.isnan(values), values, logs)


def _filled(values: np.ndarray, alive: np.ndarray) -> np.ndarray:
    """Gaps (N, T, D) crossed in straight lines, level at either end; 0 where a series has no number at all."""
    length = values.shape[1]
    known = ~np.isnan(values) & alive[:, :, None]
    at = np.arange(length)[None, :, None]
    before = np.maximum.accumulate(np.where(known, at, -1), 1)
    after = np.minimum.accumulate(np.where(known, at, length)[:, ::-1], 1)[:, ::-1]
    low, high = np.where(before < 0, after, before), np.where(after == length, before, after)
    low, high = np.clip(low, 0, length - 1), np.clip(high, 0, length - 1)
    clean = np.where(known, values, 0)
    share = np.where(high > low, (at - low) / np.maximum(high - low, 1), 0)
    found = np.take_along_axis(clean, low, 1) * (1 - share) + np.take_along_axis(clean, high, 1) * share
    return np.where(known.any(1, keepdims=True), found, 0)


def _apart(filled: np.ndarray, alive: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means (N, D) and courses about them (N, T, D), 0 behind the end."""
    weight = alive[:, :, None] / alive.sum(1)[:, None, None]
    levels = (filled * weight).sum(1)
    return levels, (filled - levels[:, None]) * alive[:, :, None]


def _directions(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """From (n, D) of mean 0 to directions of deviation 1, (D, K), and back, (K, D); at least one."""
    variances, turned = np.linalg.eigh(values.T @ values / max(1, len(values)))
    kept = np.flatnonzero(variances > NEGLIGIBLE * max(variances[-1], 1e-12))[::-1]
    kept = kept if len(kept) else np.array([len(variances) - 1])
    deviations = np.sqrt(np.maximum(variances[kept], 1e-12))
    return turned[:, kept] / deviations, (turned[:, kept] * deviations).T


def _sizes(turned: np.ndarray, alive: np.ndarray) -> np.ndarray:
    """(N, K): how much each series moves, at least SMALLEST."""
    squares = (turned**2 * alive[:, :, None]).sum(1) / alive.sum(1)[:, None]
    return np.maximum(np.sqrt(squares), SMALLEST)
