"""A flat discriminator at the real data."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ganwright.core.schedule import Schedule
from ganwright.regularizers.base import Regularizer, RegularizerState, Turn, check_interval, squared_gradient


@dataclass(frozen=True)
class R1(Regularizer):
    """Mescheder et al. 2018 (arXiv:1801.04406), equation 9: gamma/2 * |grad D(x)|^2 at real records."""

    weight: float | Schedule = 1.0
    """gamma."""
    interval: int = 8
    """Steps between two penalties; each is multiplied by the interval (Karras et al. 2020, arXiv:1912.04958, appendix B)."""

    player = "discriminator"
    needs = frozenset({"gradient_on_real"})

    def __post_init__(self) -> None:
        check_interval(self.interval)

    def penalty(self, turn: Turn, state: RegularizerState) -> tuple[Tensor, RegularizerState]:
        assert turn.real is not None
        return 0.5 * squared_gradient(turn.real_logits, turn.real), state
