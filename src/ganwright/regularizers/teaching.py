"""A generator of texts that is also shown what comes next in real ones."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ganwright.core.schedule import Schedule
from ganwright.regularizers.base import Regularizer, RegularizerState, Turn, check_interval


@dataclass(frozen=True)
class Teaching(Regularizer):
    """How unlikely the generator is to write a real record, each symbol given the real ones before it: nats a record.

    Teacher forcing (Williams and Zipser 1989, doi:10.1162/neco.1989.1.2.270). The gradient that comes back from a
    discriminator through symbols says little while nothing is readable yet, so that GANs of text begin with some likelihood
    (Yu et al. 2017, arXiv:1609.05473; Nie et al. 2019, RelGAN), and forget rare symbols without any. `weight` as a schedule
    says how much of it stays. For families whose generators can tell a record's likelihood.
    """

    weight: float | Schedule = 1.0
    """Beside the adversarial loss."""
    interval: int = 1
    """Steps between two penalties; each is multiplied by the interval."""

    player = "generator"
    needs = frozenset({"real"})

    def __post_init__(self) -> None:
        check_interval(self.interval)

    def penalty(self, turn: Turn, state: RegularizerState) -> tuple[Tensor, RegularizerState]:
        assert turn.real is not None
        return -turn.log_likelihood(turn.real), state
