"""Whether rare words of a table's columns come again, and how often."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ganwright.metrics.base import NotMeasurable, RowComparison
from ganwright.metrics.parts.coded import Coded
from ganwright.metrics.parts.measurement import Better


@dataclass(frozen=True)
class Rare(RowComparison):
    """A generator that leaves out what is rare has good figures everywhere else."""

    below: float = 0.01
    """The share of training rows below which a word is rare."""

    better: ClassVar[dict[str, Better]] = {"rare": "higher", "rare_frequency": "near one"}

    def __post_init__(self) -> None:
        if not 0 < self.below < 1:
            raise ValueError(f"below must lie in 0..1, not {self.below}")

    def protocols(self, real: Coded) -> dict[str, str]:
        count = sum(len(words) for _, words in self._rare(real))
        which = f"the {count:,} words that fewer than {self.below:.0%} of training rows have in their column"
        return {
            "rare": f"share of {which} that come in the samples at all, which depends on how many samples there are",
            "rare_frequency": f"how frequent {which} are in all, as a multiple of how frequent they are in training rows",
        }

    def against(self, real: Coded) -> Callable[[Coded], dict[str, float]]:
        rare = self._rare(real)
        total = sum(len(words) for _, words in rare)
        if not total:
            raise NotMeasurable(f"no word is rarer than {self.below:.0%}")
        expected = sum(float(np.isin(real.values[place], words).mean()) for place, words in rare)

        def measured(fake: Coded) -> dict[str, float]:
            counts = [np.bincount(fake.values[place], minlength=len(fake.columns[place].words or ())) for place, _ in rare]
            found = [each[words] for each, (_, words) in zip(counts, rare, strict=True)]
            frequency = sum(int(each.sum()) for each in found) / len(fake)
            return {
                "rare": sum(int((each > 0).sum()) for each in found) / total,
                "rare_frequency": frequency / expected,
            }

        return measured

    def _rare(self, real: Coded) -> list[tuple[int, np.ndarray]]:
        """Columns of words by place, with the places of their rare words."""
        found: list[tuple[int, np.ndarray]] = []
        for place, (column, values) in enumerate(zip(real.columns, real.values, strict=True)):
            if column.words is None:
                continue
            shares = np.bincount(values, minlength=len(column.words)) / len(values)
            is_word = np.array([word is not None for word in column.words])
            words = np.flatnonzero((shares > 0) & (shares < self.below) & is_word)
            if len(words):
                found.append((place, words))
        return found
