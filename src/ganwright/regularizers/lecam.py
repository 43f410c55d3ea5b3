"""Verdicts that do not run away from what they were on the other kind."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ganwright.core.schedule import Schedule
from ganwright.regularizers.base import Regularizer, RegularizerState, Turn, check_interval, mean_logit


@dataclass(frozen=True)
class Lecam(Regularizer):
    """Tseng et al. 2021 (arXiv:2104.03310), equation 6, for few records: (D(x) - a_fake)^2 + (D(G(z)) - a_real)^2.

    The anchors a are moving averages of the verdicts on fakes and on reals. They start at zero. A verdict is the mean over
    heads and patches.
    """

    weight: float | Schedule = 0.1
    """lambda. It grows as logits do: what is right for one loss and one pair is too much for another."""
    interval: int = 1
    """Steps between two penalties; each is multiplied by the interval."""
    decay: float = 0.99
    """How much of an anchor is left after each turn that the penalty is due in."""

    player = "discriminator"

    def __post_init__(self) -> None:
        check_interval(self.interval)
        if not 0 <= self.decay < 1:
            raise ValueError(f"decay must lie in 0..1, below 1, not {self.decay}")

    def initial_state(self) -> RegularizerState:
        return {"real": torch.zeros(()), "fake": torch.zeros(())}

    def penalty(self, turn: Turn, state: RegularizerState) -> tuple[Tensor, RegularizerState]:
        verdicts = {"real": mean_logit(turn.real_logits), "fake": mean_logit(turn.fake_logits)}
        values = (verdicts["real"] - state["fake"]).square() + (verdicts["fake"] - state["real"]).square()
        now = {name: verdict.detach().mean() for name, verdict in verdicts.items()}
        return values, {name: self.decay * state[name] + (1 - self.decay) * now[name] for name in state}
