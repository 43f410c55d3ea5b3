"""A discriminator whose slope is one around the real data."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ganwright.core.schedule import Schedule
from ganwright.regularizers.base import Regularizer, RegularizerState, Turn, check_interval, slope

LEAST_UNIFORM = 1e-7
"""The smallest number that is turned into a normal one: -5.2 deviations."""


@dataclass(frozen=True)
class Dragan(Regularizer):
    """Kodali et al. 2017 (arXiv:1705.07215), section 2.4: lambda * (|grad D(x + noise)| - k)^2 at real x."""

    weight: float | Schedule = 10.0
    """lambda."""
    interval: int = 1
    """Steps between two penalties; each is multiplied by the interval."""
    slope: float = 1.0
    """k, the gradient norm that costs nothing."""
    deviation: float = 0.25
    """Of the normal noise, in the units of the records, which lie in -1..1."""

    player = "discriminator"

    def __post_init__(self) -> None:
        check_interval(self.interval)
        if not 0 <= self.deviation < float("inf"):
            raise ValueError(f"deviation must be at least 0, not {self.deviation}")

    def penalty(self, turn: Turn, state: RegularizerState) -> tuple[Tensor, RegularizerState]:
        assert turn.real is not None
        real = turn.real.detach()
        noise = torch.special.ndtri(turn.uniform("around", tuple(real.shape)).clamp(min=LEAST_UNIFORM))
        around = (real + self.deviation * noise).requires_grad_(True)
        return (slope(turn.judge(around), around) - self.slope).square(), state
