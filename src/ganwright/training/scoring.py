"""How often a run is scored, and how: what the score is for is `selection`'s business."""

from __future__ import annotations

from dataclasses import dataclass

from ganwright.core.config import from_plain
from ganwright.core.errors import UsageError
from ganwright.data.modalities.base import Codec
from ganwright.features.base import Features

PLANS = ((32, 2000), (32, 1000), (16, 1000), (16, 500), (8, 500), (4, 500), (4, 250))
"""(scores in a run, samples in each), the best first: the first that fits into the share of the time is taken."""
SHORTEST_SECONDS = 20.0
"""A shorter run is not scored: there is no time to, and hardly anything to choose from."""


@dataclass(frozen=True)
class Scoring:
    """How often a run is scored, and how."""

    share: float = 0.05
    """Of the run's time, at most; 0 for no scores, and then the last model is kept."""
    every_samples: int = 0
    """Samples seen between scores; 0 until planned, and for a run that is too short to be scored."""
    samples: int = 1000
    """Samples drawn for each score; always of the same latents."""
    features: Features | None = None
    """What is compared: encoded rows of a table and random features of all else, unless others are named."""
    patience: int | None = None
    """Training ends after so many scores in a row that are no better than the best one."""

    def __post_init__(self) -> None:
        if not 0 <= self.share < 1:
            raise UsageError("E-CONFIG-04", f"scoring.share must lie in 0..1, not {self.share}")
        if self.samples < 20:
            raise UsageError("E-CONFIG-04", f"scoring.samples must be at least 20, not {self.samples}")
        if self.every_samples < 0 or (self.patience is not None and self.patience < 1):
            raise UsageError("E-CONFIG-04", "scoring.every_samples and scoring.patience must not be below 0 and 1")

    def features_for(self, codec: Codec) -> Features:
        """What is compared of such records."""
        if self.features is not None:
            return self.features
        found: Features = from_plain(Features, codec.scoring_features, "scoring.features")
        return found


@dataclass(frozen=True)
class ScoringTimes:
    """What scores take, in seconds."""

    once: float
    """Describing the real records."""
    each_score: float
    """Beside its samples."""
    each_sample: float
    """Drawing and describing it."""

    def all(self, scores: int, samples: int) -> float:
        """So many scores of so many samples each."""
        return self.once + scores * (self.each_score + samples * self.each_sample)


def choose_scoring(share: float, seconds: float, times: ScoringTimes) -> tuple[int, int] | None:
    """(scores, samples in each) that fit into a share of a run of `seconds`, None where none do."""
    fitting = (plan for plan in PLANS if times.all(*plan) <= share * seconds)
    return next(fitting, None)
