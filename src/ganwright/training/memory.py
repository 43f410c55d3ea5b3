"""What a loop knows beside the state, so that a run that goes on speaks, scores and keeps as if it had never stopped."""

from __future__ import annotations

from dataclasses import dataclass

from ganwright.training.events import Scored


@dataclass(frozen=True)
class Memory:
    """Of a loop at one step."""

    seconds: float = 0.0
    """That it has trained, all sittings together."""
    scores: tuple[Scored, ...] = ()
    gaps: tuple[float, ...] = ()
    """Between the halves of the samples of each score."""
    recall: float | None = None
    best_recall: float = 0.0
    warned: tuple[str, ...] = ()
    """Sentences that were said."""
