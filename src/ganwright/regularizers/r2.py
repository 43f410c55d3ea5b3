"""A flat discriminator at the fakes."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ganwright.core.schedule import Schedule
from ganwright.regularizers.base import Regularizer, RegularizerState, Turn, check_interval, squared_gradient


@dataclass(frozen=True)
class R2(Regularizer):
    """Mescheder et al. 2018 (arXiv:1801.04406), section 4.1: gamma/2 * |grad D(G(z))|^2; with R1 it lets a relativistic pair
    converge (Huang et al. 2024, arXiv:2501.05441)."""

    weight: float | Schedule = 1.0
    """gamma."""
    interval: int = 8
    """Steps between two penalties; each is multiplied by the interval."""

    player = "discriminator"
    needs = frozenset({"gradient_on_fake"})

    def __post_init__(self) -> None:
        check_interval(self.interval)

    def penalty(self, turn: Turn, state: RegularizerState) -> tuple[Tensor, RegularizerState]:
        return 0.5 * squared_gradient(turn.fake_logits, turn.fake), state
