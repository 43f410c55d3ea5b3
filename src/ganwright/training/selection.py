"""Which model of a run is kept: the best by its score."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable

from ganwright.data.dataset import Dataset
from ganwright.model.model import Model
from ganwright.model.model_file import ModelContents
from ganwright.training.config import TrainConfig
from ganwright.training.events import Scored
from ganwright.training.scorer import Scorer


class Selection:
    """Scores models of one run as they come, and holds a copy of the best."""

    def __init__(self, config: TrainConfig, dataset: Dataset) -> None:
        self.scores: list[Scored] = []
        self.best: Model | None = None
        """A copy of the best model; None before the first score."""
        self._config, self._dataset = config, dataset
        self._scorer: Scorer | None = None

    def consider(self, model: Model, step: int, samples_seen: int, now: Callable[[], float] = time.monotonic) -> Scored:
        """Score `model`, whose batch statistics have to be right, and keep a copy of it if none was better.

        Raises:
            FloatingPointError: what it makes is no longer finite.
        """
        began, config = now(), self._config
        if self._scorer is None:
            self._scorer = Scorer(config.scoring, self._dataset, config.seed, config.device)
        score = self._scorer.score(model)
        best = min(self.scores, key=lambda each: each.frechet, default=None)
        is_best = best is None or score.frechet < best.frechet
        scored = Scored(
            step=step,
            samples_seen=samples_seen,
            frechet=score.frechet,
            recall=score.recall,
            best=is_best,
            best_frechet=score.frechet if best is None or is_best else best.frechet,
            best_step=step if best is None or is_best else best.step,
            features=self._scorer.features,
            samples=config.scoring.samples,
            seconds=now() - began,
        )
        self.scores.append(scored)
        if is_best:
            facts = {**model.facts, "scores": score_facts(scored)}
            generator, judge = copy.deepcopy(model.generator), copy.deepcopy(model.discriminator)
            contents = ModelContents(model.family, model.spec, model.codec, generator, facts, judge)
            self.best = Model(contents, model.device)
        return scored

    def best_step(self, latest: int) -> int:
        """The step of the model to keep: of the best, or `latest` where none was scored."""
        return self.scores[-1].best_step if self.scores else latest

    @property
    def out_of_patience(self) -> bool:
        """Whether as many scores in a row as the user would wait for were no better."""
        patience = self._config.scoring.patience
        if patience is None or not self.scores:
            return False
        return sum(score.step > self.scores[-1].best_step for score in self.scores) >= patience


def score_facts(scored: Scored) -> dict[str, float | int | str]:
    """A score as a model file tells of it."""
    return {
        "frechet": scored.frechet,
        "recall": scored.recall,
        "features": scored.features,
        "samples": scored.samples,
    }
