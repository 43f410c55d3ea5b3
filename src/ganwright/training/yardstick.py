"""What samples are held against while a run trains, and how: each kind of data has its yardstick."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from ganwright.data.dataset import Dataset
from ganwright.data.modalities.base import Codec
from ganwright.data.texts.lines import Texts
from ganwright.data.texts.ngrams import Coding, Counts, covered, divergence
from ganwright.metrics.parts.gaussian import Gaussian, frechet_distance
from ganwright.metrics.precision_recall import PrecisionRecall
from ganwright.training.scoring import Scoring

ORDERS = (1, 2, 3, 4)
"""Lengths of n-grams that texts are scored by."""
REHEARSED = 1000


@dataclass(frozen=True)
class Score:
    """One look at how good the generator is."""

    frechet: float
    """How far samples are from real records, lower is better: of texts the n-gram divergence from held-out ones, of all else
    the squared Fréchet distance from training records in the scoring's features."""
    recall: float
    """Share of the real records that have samples around them, or of real n-grams that samples have: it falls when the
    generator collapses."""
    gap: float
    """Between the distances of the first and the second half of the samples: how much is chance."""


class Yardstick(ABC):
    """Describes records, and scores samples against them."""

    measure: ClassVar[str]
    """What a score is, in two words for people."""
    against_held_out: ClassVar[bool] = False
    """Whether samples are held against records that are not learned from, where there are enough."""
    identity: str
    """Of what records are described by: scores of others do not compare."""

    @abstractmethod
    def describe(self, batches: Iterable[Tensor]) -> Any:
        """Records (B, *shape) as they are compared."""

    @abstractmethod
    def against(self, real: Any) -> Callable[[Any], Score]:
        """What scores described samples against described records."""

    @abstractmethod
    def rehearsal(self, some: Any) -> Callable[[], Score]:
        """A comparison as long as one of REHEARSED samples, to be timed; `some` are a few described records."""

    def finite(self, described: Any) -> bool:
        """Whether what was described is made of numbers."""
        return True


class Frechet(Yardstick):
    """Fréchet distance and recall in some features."""

    measure = "Fréchet distance"

    def __init__(self, scoring: Scoring, dataset: Dataset, device: str) -> None:
        self._extractor = scoring.features_for(dataset.codec).extractor(dataset.head, device)
        self.identity = self._extractor.identity

    def describe(self, batches: Iterable[Tensor]) -> Tensor:
        return self._extractor.extract(batches)

    def against(self, real: Tensor) -> Callable[[Tensor], Score]:
        gaussian = Gaussian.of(real)

        def score(fake: Tensor) -> Score:
            count = min(len(real), len(fake))
            recall = PrecisionRecall().compare(real[:count], fake[:count])["recall"]
            halves = [frechet_distance(gaussian, Gaussian.of(half)) for half in fake.chunk(2)]
            return Score(frechet_distance(gaussian, Gaussian.of(fake)), recall, abs(halves[0] - halves[1]))

        return score

    def rehearsal(self, some: Tensor) -> Callable[[], Score]:
        real, fake = (
            torch.randn(REHEARSED, self._extractor.dimensions, generator=torch.Generator().manual_seed(seed))
            for seed in (0, 1)
        )
        score = self.against(real)
        return lambda: score(fake)

    def finite(self, described: Tensor) -> bool:
        return bool(described.isfinite().all())


class Divergence(Yardstick):
    """The mean Jensen-Shannon divergence of n-grams, and the share of real ones that samples have."""

    measure = "n-gram divergence"
    against_held_out = True

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self.identity = f"n-grams of length {ORDERS[0]} to {ORDERS[-1]}"

    def describe(self, batches: Iterable[Tensor]) -> Texts:
        return Texts.join([self._texts(batch) for batch in batches])

    def against(self, real: Texts) -> Callable[[Texts], Score]:
        coding = Coding()
        mine = coding.coded(real)
        counts = {n: mine.counts(n) for n in ORDERS}

        def far(some: dict[int, Counts]) -> float:
            return sum(divergence(counts[n], some[n]) for n in ORDERS) / len(ORDERS)

        def score(fake: Texts) -> Score:
            made = coding.coded(fake)
            found = {n: made.counts(n) for n in ORDERS}
            half = len(made) // 2
            halves = [
                far({n: part.counts(n) for n in ORDERS}) for part in (made.take(slice(half)), made.take(slice(half, None)))
            ]
            return Score(far(found), covered(counts[ORDERS[-1]], found[ORDERS[-1]]), abs(halves[0] - halves[1]))

        return score

    def rehearsal(self, some: Texts) -> Callable[[], Score]:
        lines = (some.lines * -(-REHEARSED // max(1, len(some))))[:REHEARSED]
        texts = Texts(lines, some.unit, some.whole)
        score = self.against(texts)
        return lambda: score(texts)

    def _texts(self, batch: Tensor) -> Texts:
        texts = self._codec.texts(batch)
        assert texts is not None
        return texts


def yardstick_for(scoring: Scoring, dataset: Dataset, device: str) -> Yardstick:
    """Divergence for texts, unless features are named; Fréchet for all else."""
    if dataset.codec.spec.kind == "text" and scoring.features is None:
        return Divergence(dataset.codec)
    return Frechet(scoring, dataset, device)
