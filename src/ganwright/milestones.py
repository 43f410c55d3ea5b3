"""What `fit` and `resume` say before and between what the loop says."""

from __future__ import annotations

from dataclasses import dataclass

from ganwright.data.dataset import DataReport, Dataset
from ganwright.plan import Plan
from ganwright.starting import Carriage
from ganwright.training.run_folder import RunFolder


@dataclass(frozen=True)
class DataReady:
    """Emitted by `fit` once the data are packed."""

    report: DataReport
    dataset: Dataset
    """What is learned from."""
    held_out: Dataset | None = None
    """What is kept for evaluation."""


@dataclass(frozen=True)
class PlanReady:
    """Emitted by `fit` before the first step that counts."""

    plan: Plan
    run: RunFolder | None


@dataclass(frozen=True)
class CarriedOver:
    """Emitted by `fit` before the first step of a run that starts from a model."""

    carriage: Carriage


@dataclass(frozen=True)
class Resuming:
    """Emitted by `resume` before the first new step."""

    run: RunFolder
    step: int
    """Of the checkpoint; 0 where it starts over."""
    total_steps: int
    """Planned."""
    seconds: float
    """Trained so far."""


@dataclass(frozen=True)
class Preparing:
    """Emitted by `fit` while the data are read: what is being done, how many are done, of how many."""

    what: str
    done: int
    total: int
