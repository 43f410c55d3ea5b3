"""A flat discriminator at the real data."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor

from ganwright.core.schedule import Schedule
from ganwright.regularizers.base import Regularizer, RegularizerState, Turn, check_interval, squared_gradient

GAMMA_VALUES = 3 * 64 * 64
"""The number of values of a record at which gamma is 1."""


def gamma_for(shape: tuple[int, ...]) -> float:
    """A gamma for records of `shape`: a squared gradient is a sum over their values, and shrinks as they grow in number.

    Found on pictures of 28x28 and 64x64 pixels; points of two values wanted about 0.05, and get 0.01.
    """
    return math.sqrt(math.prod(shape) / GAMMA_VALUES)


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
