"""Whether a classifier can tell sampled rows of a table from real ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ganwright.metrics.base import Evidence, Metric, NotMeasurable
from ganwright.metrics.parts.coded import Coded
from ganwright.metrics.parts.measurement import Measurement
from ganwright.metrics.parts.rank_test import RankTest, rank_test
from ganwright.metrics.parts.trees import MOST_WORDS, learn_classes
from ganwright.runtime.keys import Key

FEWEST = 30
"""Rows of each side that it needs."""
FOLDS = 3


@dataclass(frozen=True)
class Detection(Metric):
    """A classifier two-sample test (Lopez-Paz and Oquab 2017, arXiv:1610.06545) with the area under the curve: whatever
    differs in any combination of columns gives samples away."""

    most: int = 10_000
    """Rows of each side that are looked at."""

    def __post_init__(self) -> None:
        if self.most < FEWEST:
            raise ValueError(f"most must be at least {FEWEST}, not {self.most}")

    def measure(self, evidence: Evidence) -> dict[str, Measurement]:
        train, fake, held_out = evidence.tables.train, evidence.tables.fake, evidence.tables.held_out
        if (fewest := min(len(train), len(fake))) < FEWEST:
            raise NotMeasurable(f"at least {FEWEST} rows of each side are needed, not {fewest}")
        count = min(len(train), len(fake), self.most)
        value = told_apart(train, fake, count)
        floor = at_floor = None
        floor_count = None
        if held_out is not None and len(held_out) >= FEWEST:
            floor_count = min(len(held_out), count)
            floor = told_apart(train, held_out, floor_count)
            at_floor = value if floor_count == count else told_apart(train, fake, floor_count)
        return {
            "detection": Measurement(
                value.smaller,
                "lower",
                count=len(fake),
                reference=len(train),
                protocol="area under the curve of gradient-boosted trees that learn to tell samples from as many training "
                f"rows, at most {self.most:,} of each, {FOLDS}-fold cross-validation; one half where they cannot, and more "
                "the more rows there are to learn from",
                error=value.error,
                floor=floor and floor.smaller,
                floor_error=floor and floor.error,
                floor_count=floor_count,
                at_floor_count=at_floor and at_floor.smaller,
            )
        }


def told_apart(real: Coded, fake: Coded, count: int) -> RankTest:
    """How well trees tell the first `count` of each apart: real rows should get the smaller chances of being samples."""
    rows = np.concatenate([each.take(slice(count)).numbers(MOST_WORDS) for each in (real, fake)])
    labels = np.repeat([0, 1], count)
    # Whatever the seed of an evaluation: the value is a function of the records.
    draw = Key(0, turn="metrics").generator("folds")
    folds = np.concatenate([draw.permutation(np.arange(count) % FOLDS) for _ in range(2)])
    chances = np.empty(len(rows))
    for fold in range(FOLDS):
        mine = folds == fold
        read = learn_classes(rows[~mine], labels[~mine], 2, real.columns)
        chances[mine] = read(rows[mine])[:, 1]
    return rank_test(chances[:count], chances[count:], folds[:count], folds[count:])
