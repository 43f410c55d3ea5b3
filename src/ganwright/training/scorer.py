"""How good a generator is while it trains, at little cost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ganwright.data.dataset import Dataset
from ganwright.data.spec import DataSpec
from ganwright.features.base import BATCH
from ganwright.metrics.parts.gaussian import Gaussian, frechet_distance
from ganwright.metrics.precision_recall import PrecisionRecall
from ganwright.model.model import Model
from ganwright.model.model_file import ModelContents
from ganwright.runtime.interrupt import StopRequest
from ganwright.runtime.keys import Key
from ganwright.training.average import LOOK_STATISTICS_BATCHES
from ganwright.training.config import TrainConfig
from ganwright.training.scoring import Scoring, ScoringTimes
from ganwright.training.state import initial_state

REFERENCE = 2_000
"""Real records that samples are compared with, at most."""


@dataclass(frozen=True)
class Score:
    """One look at how good the generator is."""

    frechet: float
    """Squared Fréchet distance between samples and training records, in the scoring's features: lower is better."""
    recall: float
    """Share of the training records that have samples around them: it falls when the generator collapses."""
    gap: float
    """Between the distances of the first and the second half of the samples: how much is chance."""


class Reference:
    """Real records, described: what samples are held against."""

    def __init__(self, features: Tensor) -> None:
        self._features, self._gaussian = features, Gaussian.of(features)

    def score(self, fake: Tensor) -> Score:
        """Of samples' features (M, D)."""
        count = min(len(self._features), len(fake))
        recall = PrecisionRecall().compare(self._features[:count], fake[:count])["recall"]
        halves = [frechet_distance(self._gaussian, Gaussian.of(half)) for half in fake.chunk(2)]
        return Score(frechet_distance(self._gaussian, Gaussian.of(fake)), recall, abs(halves[0] - halves[1]))


class Scorer:
    """Scores models of one run, all in the same way."""

    def __init__(self, scoring: Scoring, dataset: Dataset, seed: int, device: str) -> None:
        self._samples, self._seed = scoring.samples, seed
        self._extractor = scoring.features_for(dataset.codec).extractor(dataset.head, device)
        self._reference = Reference(self._extractor.extract(_some(dataset.head, REFERENCE, seed)))
        self.features = self._extractor.identity
        """What the scores are in: scores of other features do not compare."""

    def score(self, model: Model, stop: StopRequest) -> Score:
        """The score of `model` as it is now; its batch statistics have to be right.

        Raises:
            Stopped: someone asked to.
            FloatingPointError: what it makes is not finite.
        """
        fake = self._extractor.extract(_recorded(model, self._samples, self._seed, stop))
        if not bool(fake.isfinite().all()):
            raise FloatingPointError("samples are not finite")
        return self._reference.score(fake)


def time_scoring(
    config: TrainConfig, spec: DataSpec, dataset: Dataset, now: Callable[[], float] = time.monotonic
) -> ScoringTimes:
    """What scores would take, from a network that was not trained."""
    state = initial_state(config, spec)
    extractor = config.scoring.features_for(dataset.codec).extractor(dataset.head, config.device)
    contents = ModelContents(config.network, spec, dataset.codec, state.average.generator, {})
    model = Model(contents, config.device)

    def seconds(act: Callable[[], object]) -> float:
        took: list[float] = []
        for _ in range(2):  # the first one fills caches
            began = now()
            act()
            took.append(now() - began)
        return took[-1]

    each = seconds(lambda: extractor.extract(_recorded(model, BATCH, config.seed, StopRequest()))) / BATCH
    statistics = seconds(lambda: state.average.estimate_statistics(config.seed, config.device, LOOK_STATISTICS_BATCHES))
    reference = Reference(torch.randn(1000, extractor.dimensions, generator=torch.Generator().manual_seed(0)))
    samples = torch.randn(1000, extractor.dimensions, generator=torch.Generator().manual_seed(1))
    comparing = seconds(lambda: reference.score(samples))
    describing = seconds(lambda: extractor.extract(_some(dataset.head, BATCH, 0))) / min(BATCH, len(dataset.head))
    return ScoringTimes(describing * min(REFERENCE, len(dataset.head)), statistics + comparing, each)


def _recorded(model: Model, count: int, seed: int, stop: StopRequest) -> Iterator[Tensor]:
    """Samples as they would be written."""
    for block in model.tensors(count, seed=seed):
        stop.heed()
        if not bool(block.isfinite().all()):
            raise FloatingPointError("samples are not finite")
        yield model.codec.as_recorded(block)


def _some(dataset: Dataset, most: int, seed: int) -> Iterator[Tensor]:
    """Batches of up to `most` records, a random part of them all."""
    places = Key(seed, turn="score").generator("reference").permutation(len(dataset))[:most]
    for start in range(0, len(places), BATCH):
        yield dataset.codec.expand(dataset.batch(np.sort(places[start : start + BATCH])))
