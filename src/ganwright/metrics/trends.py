"""Whether columns of a table go together as in the data, two at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import ClassVar

import numpy as np

from ganwright.metrics.base import NotMeasurable, RowComparison
from ganwright.metrics.parts.coded import Coded, CodedColumn
from ganwright.metrics.parts.measurement import Better
from ganwright.runtime.keys import Key

MOST_PAIRS = 300
"""Of more, a random set is looked at: always the same."""
MOST_WORDS = 20
"""Words of a column that are told apart here; the rarer ones count as one."""
PARTS = 10
"""Numbers are set against words in tenths of the real rows."""
Pair = tuple[int, int]


@dataclass(frozen=True)
class Trends(RowComparison):
    """Rank correlations of two columns of numbers (Spearman 1904), tables of counts of all other pairs."""

    better: ClassVar[dict[str, Better]] = {"trends": "higher", "trends_worst": "higher"}

    def protocols(self, real: Coded) -> dict[str, str]:
        count, pairs = len(real.columns), len(pairs_of(real.columns))
        of_all = f"{pairs:,} pairs of columns"
        if pairs < count * (count - 1) // 2:
            of_all = f"a random {pairs:,} of all {count * (count - 1) // 2:,} pairs of columns"
        return {
            "trends": f"one less the mean distance over {of_all}: of two columns of numbers half the difference of the rank "
            "correlations; of others half the sum of the differences of the shares of all combinations, numbers in tenths "
            f"and each column's {MOST_WORDS} most frequent words by themselves",
            "trends_worst": f"the same of the pair that is least alike, of {of_all}",
        }

    def against(self, real: Coded) -> Callable[[Coded], dict[str, float]]:
        pairs = pairs_of(real.columns)
        if not pairs:
            raise NotMeasurable("one column has nothing to go together with")
        distances = pair_distances(real, pairs)

        def measured(fake: Coded) -> dict[str, float]:
            found = distances(fake)
            return {"trends": 1 - float(np.mean(found)), "trends_worst": 1 - max(found)}

        return measured


def pairs_of(columns: Sequence[CodedColumn]) -> list[Pair]:
    """The pairs of columns that are looked at, by place."""
    pairs = list(combinations(range(len(columns)), 2))
    if len(pairs) <= MOST_PAIRS:
        return pairs
    chosen = Key(0, turn="metrics").generator("pairs of columns").permutation(len(pairs))[:MOST_PAIRS]
    return [pairs[place] for place in sorted(chosen.tolist())]


def pair_distances(real: Coded, pairs: Sequence[Pair]) -> Callable[[Coded], list[float]]:
    """What gives the distance of each pair of columns of other rows from that of these, 0..1."""
    edges = [_edges(values) if column.is_number else None for column, values in zip(real.columns, real.values, strict=True)]
    known = _Looked(real, edges)
    expected = [known.at(pair) for pair in pairs]

    def distances(fake: Coded) -> list[float]:
        looked = _Looked(fake, edges)
        return [float(np.abs(looked.at(pair) - mine).sum() / 2) for pair, mine in zip(pairs, expected, strict=True)]

    return distances


class _Looked:
    """What two columns of some rows have to do with each other."""

    def __init__(self, rows: Coded, edges: Sequence[np.ndarray | None]) -> None:
        self._rows, self._edges = rows, edges
        self._ranks: dict[int, np.ndarray] = {}
        self._parts: dict[int, tuple[np.ndarray, int]] = {}

    def at(self, pair: Pair) -> np.ndarray:
        """A correlation (1,), or shares of all combinations."""
        one, other = pair
        columns = self._rows.columns
        if columns[one].is_number and columns[other].is_number:
            return np.array([_correlation(self._ranks_of(one), self._ranks_of(other))])
        (first, _), (second, width) = self._parts_of(one), self._parts_of(other)
        size = self._parts_of(one)[1] * width
        return np.bincount(first * width + second, minlength=size) / len(self._rows)

    def _ranks_of(self, place: int) -> np.ndarray:
        """float64 (N,), equal ones in the middle of their places; NaN where missing."""
        if place not in self._ranks:
            values = self._rows.values[place]
            ordered = np.sort(values[~np.isnan(values)])
            ranks = (np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right")) / 2
            self._ranks[place] = np.where(np.isnan(values), np.nan, ranks)
        return self._ranks[place]

    def _parts_of(self, place: int) -> tuple[np.ndarray, int]:
        """int64 (N,) parts of a column that are told apart, and how many there are."""
        if place not in self._parts:
            values, edges = self._rows.values[place], self._edges[place]
            if edges is None:
                width = min(len(self._rows.columns[place].words or ()), MOST_WORDS + 1)
                self._parts[place] = np.minimum(values, width - 1), width
            else:
                tenths = np.searchsorted(edges, values, "right")
                self._parts[place] = np.where(np.isnan(values), len(edges) + 1, tenths), len(edges) + 2
        return self._parts[place]


def _edges(numbers: np.ndarray) -> np.ndarray:
    """Between the tenths of numbers."""
    present = numbers[~np.isnan(numbers)]
    return np.unique(np.quantile(present, np.arange(1, PARTS) / PARTS)) if len(present) else np.empty(0)


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Over the rows that have both; 0 where one of them is the same in all."""
    both = ~(np.isnan(one) | np.isnan(other))
    one, other = one[both], other[both]
    if len(one) < 2:
        return 0.0
    one, other = one - one.mean(), other - other.mean()
    scale = float(np.sqrt((one @ one) * (other @ other)))
    return float(one @ other) / scale if scale > 0 else 0.0
