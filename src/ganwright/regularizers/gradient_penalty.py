"""A critic whose slope between real and fake is one."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ganwright.core.schedule import Schedule
from ganwright.regularizers.base import Regularizer, RegularizerState, Turn, check_interval, slope


@dataclass(frozen=True)
class GradientPenalty(Regularizer):
    """Gulrajani et al. 2017 (arXiv:1704.00028), equation 3: lambda * (|grad D(x)| - 1)^2 on lines from real to fake."""

    weight: float | Schedule = 10.0
    """lambda."""
    interval: int = 1
    """Steps between two penalties; each is multiplied by the interval."""
    slope: float = 1.0
    """The gradient norm that costs nothing; 0 gives the zero-centred form."""

    player = "discriminator"

    def __post_init__(self) -> None:
        check_interval(self.interval)

    def penalty(self, turn: Turn, state: RegularizerState) -> tuple[Tensor, RegularizerState]:
        assert turn.real is not None
        real, fake = turn.real.detach(), turn.fake.detach()
        shape = (real.shape[0], *(1 for _ in real.shape[1:]))
        between = real.lerp(fake, turn.uniform("between", shape).to(real.dtype)).requires_grad_(True)
        return (slope(turn.judge(between), between) - self.slope).square(), state
