"""A number that may change while training, as a function of the samples seen."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Schedule:
    """From `start` to `end` along one curve over a share of the run, then constant.

    The cosine is that of Loshchilov and Hutter 2017 (arXiv:1608.03983), without restarts.
    """

    start: float
    """The first value."""
    end: float | None = None
    """The last value; None stays at `start`."""
    over: float = 1.0
    """The share of the run's planned samples over which the value changes."""
    curve: Literal["cosine", "linear"] = "cosine"
    """How it gets there."""

    def __post_init__(self) -> None:
        if not 0 < self.over <= 1:
            raise ValueError(f"over must lie in (0, 1], not {self.over}")

    @property
    def last(self) -> float:
        """The value it ends at."""
        return self.start if self.end is None else self.end

    def at(self, samples_seen: int, total_samples: int) -> float:
        """The value after `samples_seen` of `total_samples`."""
        if self.end is None:
            return self.start
        t = min(1.0, samples_seen / max(1.0, self.over * total_samples))
        progress = t if self.curve == "linear" else 0.5 - 0.5 * math.cos(math.pi * t)
        return self.start + progress * (self.end - self.start)


def value_at(value: float | Schedule, samples_seen: int, total_samples: int) -> float:
    """The value of a setting that may be a schedule."""
    return value.at(samples_seen, total_samples) if isinstance(value, Schedule) else value
