"""A discriminator that can draw what it saw has looked at all of it."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ganwright.core.schedule import Schedule
from ganwright.regularizers.base import Regularizer, RegularizerState, Turn, check_interval
from ganwright.regularizers.parts.pyramid import perceptual_distance


@dataclass(frozen=True)
class Reconstruction(Regularizer):
    """Liu et al. 2021 (arXiv:2101.04775), equation 2: how far real pictures are from what the discriminator's decoders draw.

    For families whose discriminator has such decoders. Fakes are not drawn again. In place of a learned perceptual distance,
    pixels at several sizes and fixed random features.
    """

    weight: float | Schedule = 1.0
    """Beside the adversarial loss."""
    interval: int = 1
    """Steps between two penalties; each is multiplied by the interval."""

    player = "discriminator"
    needs = frozenset({"reconstruction"})

    def __post_init__(self) -> None:
        check_interval(self.interval)

    def penalty(self, turn: Turn, state: RegularizerState) -> tuple[Tensor, RegularizerState]:
        assert turn.real is not None
        first, *others = (perceptual_distance(drawn, meant) for drawn, meant in turn.reconstruct(turn.real.detach()))
        return sum(others, start=first), state
