"""How good a generator is while it trains, at little cost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np
from torch import Tensor

from ganwright.data.dataset import Dataset
from ganwright.data.spec import DataSpec
from ganwright.features.base import BATCH
from ganwright.model.model import Model
from ganwright.model.model_file import ModelContents
from ganwright.runtime.interrupt import StopRequest
from ganwright.runtime.keys import Key
from ganwright.training.average import LOOK_STATISTICS_BATCHES
from ganwright.training.config import TrainConfig
from ganwright.training.scoring import Scoring, ScoringTimes
from ganwright.training.state import initial_state
from ganwright.training.yardstick import Score, yardstick_for

REFERENCE = 2_000
"""Real records that samples are compared with, at most."""
FEWEST_HELD_OUT = 200
"""Records that are not learned from, to be compared with."""


class Scorer:
    """Scores models of one run, all in the same way."""

    def __init__(self, scoring: Scoring, dataset: Dataset, seed: int, device: str, held_out: Dataset | None = None) -> None:
        """held_out: records that are not learned from; texts are scored against these, if there are enough of them."""
        self._samples, self._seed = scoring.samples, seed
        self._yardstick = yardstick_for(scoring, dataset, device)
        self.measure = self._yardstick.measure
        """What a score is, for people."""
        self.features = self._yardstick.identity
        """What the scores are in: scores of other features do not compare."""
        real = dataset.head
        if self._yardstick.against_held_out and held_out is not None and len(held_out) >= FEWEST_HELD_OUT:
            real = held_out
        self._score = self._yardstick.against(self._yardstick.describe(_some(real, REFERENCE, seed)))

    def score(self, model: Model, stop: StopRequest) -> Score:
        """The score of `model` as it is now; its batch statistics have to be right.

        Raises:
            Stopped: someone asked to.
            FloatingPointError: what it makes is not finite.
        """
        fake = self._yardstick.describe(_recorded(model, self._samples, self._seed, stop))
        if not self._yardstick.finite(fake):
            raise FloatingPointError("samples are not finite")
        return self._score(fake)


def time_scoring(
    config: TrainConfig, spec: DataSpec, dataset: Dataset, now: Callable[[], float] = time.monotonic
) -> ScoringTimes:
    """What scores would take, from a network that was not trained."""
    state = initial_state(config, spec)
    yardstick = yardstick_for(config.scoring, dataset, config.device)
    contents = ModelContents(config.network, spec, dataset.codec, state.average.generator, {})
    model = Model(contents, config.device)

    def seconds(act: Callable[[], object]) -> float:
        took: list[float] = []
        for _ in range(2):  # the first one fills caches
            began = now()
            act()
            took.append(now() - began)
        return took[-1]

    each = seconds(lambda: yardstick.describe(_recorded(model, BATCH, config.seed, StopRequest()))) / BATCH
    statistics = seconds(lambda: state.average.estimate_statistics(config.seed, config.device, LOOK_STATISTICS_BATCHES))
    comparing = seconds(yardstick.rehearsal(yardstick.describe(_some(dataset.head, BATCH, 0))))
    describing = seconds(lambda: yardstick.describe(_some(dataset.head, BATCH, 0))) / min(BATCH, len(dataset.head))
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
