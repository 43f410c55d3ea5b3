"""Whether samples tell which rows a generator learned from: an attack on privacy, tried out."""

from __future__ import annotations

from dataclasses import dataclass

from ganwright.metrics.base import Evidence, Metric, NotMeasurable
from ganwright.metrics.parts.measurement import Measurement
from ganwright.metrics.parts.neighbours import nearest
from ganwright.metrics.parts.rank_test import rank_test

FEWEST = 20
"""Rows and samples that it needs."""


@dataclass(frozen=True)
class Membership(Metric):
    """Who has a row and the samples guesses that it was learned from where a sample lies near to it: the attack of Chen et
    al. 2020 (arXiv:1909.03935) without a calibrating model."""

    most: int = 5_000
    """Training rows that are tried."""

    def __post_init__(self) -> None:
        if self.most < FEWEST:
            raise ValueError(f"most must be at least {FEWEST}, not {self.most}")

    def measure(self, evidence: Evidence) -> dict[str, Measurement]:
        held_out = evidence.held_out
        if not evidence.unseen or held_out is None:
            raise NotMeasurable("it is not known which records the generator never saw; train with some held out")
        if min(len(held_out), len(evidence.fake), len(evidence.train)) < FEWEST:
            raise NotMeasurable(f"at least {FEWEST} records of each side are needed; hold out more, or draw more")
        samples, tried = evidence.fake.features, evidence.train.features[: self.most]
        own = nearest(tried, samples).distances[:, 0].numpy()
        others = nearest(held_out.features, samples).distances[:, 0].numpy()
        test = rank_test(own, others)
        shared = {"count": len(samples), "reference": len(tried), "floor_count": len(held_out)}
        return {
            "membership": Measurement(
                test.smaller,
                "lower",
                protocol="chance that a training record lies nearer to some sample than a held-out one does: the area under "
                "the curve of an attack that guesses membership by that distance; one half where it learns nothing",
                error=test.error,
                floor=0.5,
                at_floor_count=test.smaller,
                **shared,
            ),
            "membership_p": Measurement(
                test.p,
                "higher",
                protocol="chance of as much, or more, if training records are like held-out ones to the samples; one-sided "
                "Mann-Whitney test",
                floor=0.5,
                **shared,
            ),
        }
