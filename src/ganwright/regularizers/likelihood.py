"""A generator of rows that also learns what is likely."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ganwright.core.schedule import Schedule
from ganwright.regularizers.base import Regularizer, RegularizerState, Turn, check_interval


@dataclass(frozen=True)
class Likelihood(Regularizer):
    """How unlikely the generator finds the words of a real row that it is to draw: cross-entropy in nats.

    An adversary alone leaves rare words out, and a choice among words is hard to learn from its gradient (Maddison et al.
    2017, arXiv:1611.00712); the likelihood of masked columns is what models such as TabMT (Gulati and Roysdon 2023,
    arXiv:2312.06089) learn from alone. Numbers are left to the adversary: their likelihood given the others would make
    light of the latent, which draws them together. For families that offer `log_probabilities` (B, W) and `drawn` (B, W).
    """

    weight: float | Schedule = 1.0
    """Beside the adversarial loss."""
    interval: int = 1
    """Steps between two penalties."""

    player = "generator"
    needs = frozenset({"real"})

    def __post_init__(self) -> None:
        check_interval(self.interval)

    def penalty(self, turn: Turn, state: RegularizerState) -> tuple[Tensor, RegularizerState]:
        assert turn.real is not None
        return -(turn.real * turn.extras["log_probabilities"] * turn.extras["drawn"]).sum(1), state
