"""Which model of a run is kept: the latest of those whose score is the best, or as good but for chance."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np

from ganwright.data.dataset import Dataset
from ganwright.model.model import Model
from ganwright.runtime.interrupt import StopRequest
from ganwright.training.config import TrainConfig
from ganwright.training.events import Scored
from ganwright.training.scorer import Scorer

CHANCE = 2.0
"""Standard errors by which a score may be worse than the best one and still count as good."""


class Selection:
    """Scores models of one run as they come, and holds a copy of the one to keep.

    A later model has learned longer, at lower rates; what it gained may be finer than a score can tell. So of models that
    score alike the last is kept, and an earlier one only if it is clearly better.
    """

    def __init__(self, config: TrainConfig, dataset: Dataset, held_out: Dataset | None = None) -> None:
        self.scores: list[Scored] = []
        self.kept: Model | None = None
        """A copy of the model to keep; None before the first score."""
        self._gaps: list[float] = []
        """Between the two halves of the samples of each score."""
        self._config, self._dataset, self._held_out = config, dataset, held_out
        self._scorer: Scorer | None = None

    def consider(
        self,
        model: Model,
        step: int,
        samples_seen: int,
        now: Callable[[], float] = time.monotonic,
        stop: StopRequest | None = None,
    ) -> Scored:
        """Score `model`, whose batch statistics have to be right, and keep a copy of it if none was clearly better.

        Raises:
            Stopped: someone asked to stop meanwhile; then nothing is changed.
            FloatingPointError: what it makes is no longer finite.
        """
        began, config = now(), self._config
        if self._scorer is None:
            self._scorer = Scorer(config.scoring, self._dataset, config.seed, config.device, self._held_out)
        score = self._scorer.score(model, StopRequest() if stop is None else stop)
        self._gaps.append(score.gap)
        lowest = min((each.frechet for each in self.scores), default=score.frechet)
        is_kept = score.frechet <= lowest + CHANCE * self.error
        last = self.scores[-1] if self.scores else None
        scored = Scored(
            step=step,
            samples_seen=samples_seen,
            frechet=score.frechet,
            recall=score.recall,
            error=self.error,
            kept=is_kept,
            kept_frechet=score.frechet if last is None or is_kept else last.kept_frechet,
            kept_step=step if last is None or is_kept else last.kept_step,
            features=self._scorer.features,
            measure=self._scorer.measure,
            samples=config.scoring.samples,
            seconds=now() - began,
        )
        self.scores.append(scored)
        if is_kept:
            self.kept = model.copy()
            self.kept.facts = {**model.facts, "scores": score_facts(scored)}
        return scored

    @property
    def gaps(self) -> tuple[float, ...]:
        """Between the two halves of the samples of each score."""
        return tuple(self._gaps)

    def go_on(self, scores: Sequence[Scored], gaps: Sequence[float], kept: Model | None) -> None:
        """Take over what another selection of the same run had."""
        self.scores, self._gaps, self.kept = [*scores], [*gaps], kept

    @property
    def error(self) -> float:
        """The standard error of a score, as far as is known: from how the two halves of the samples differ.

        Half the samples have twice the variance, and the difference of two halves twice that.
        """
        return float(np.sqrt(np.mean(np.square(self._gaps)))) / 2 if self._gaps else 0.0

    def kept_step(self, latest: int) -> int:
        """The step of the model to keep, or `latest` where none was scored."""
        return self.scores[-1].kept_step if self.scores else latest

    @property
    def out_of_patience(self) -> bool:
        """Whether as many scores in a row as the user would wait for were no better."""
        patience = self._config.scoring.patience
        if patience is None or not self.scores:
            return False
        best = min(self.scores, key=lambda each: each.frechet)
        return sum(score.step > best.step for score in self.scores) >= patience


def score_facts(scored: Scored) -> dict[str, float | int | str]:
    """A score as a model file tells of it."""
    return {
        "frechet": scored.frechet,
        "recall": scored.recall,
        "features": scored.features,
        "measure": scored.measure,
        "samples": scored.samples,
    }
