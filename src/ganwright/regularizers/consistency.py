"""The same verdict on a picture and on the picture moved a little."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ganwright.core.errors import UsageError
from ganwright.core.schedule import Schedule
from ganwright.regularizers.base import Regularizer, RegularizerState, Turn, check_interval


@dataclass(frozen=True)
class Consistency(Regularizer):
    """Balanced consistency, Zhao et al. 2020 (arXiv:2002.04724), equations 2 and 3: (D(x) - D(T(x)))^2 on reals and fakes.

    T mirrors half of the pictures and shifts each by whole pixels, its border repeated. D is what judges in this turn, with
    its augmentation: of a picture and of its twin that was changed by T first, both augmented by the same draws.
    """

    weight: float | Schedule = 10.0
    """Of both sums."""
    interval: int = 1
    """Steps between two penalties; each is multiplied by the interval."""
    shift: float = 0.125
    """The longest shift, as a share of the side: 4 of 32 pixels."""
    mirror: bool = True
    """Whether T mirrors; not for digits and letters."""

    player = "discriminator"

    def __post_init__(self) -> None:
        check_interval(self.interval)
        if not 0 <= self.shift <= 1:
            raise ValueError(f"shift must lie in 0..1, not {self.shift}")

    def penalty(self, turn: Turn, state: RegularizerState) -> tuple[Tensor, RegularizerState]:
        assert turn.real is not None
        draws = turn.uniform("consistency", (len(turn.fake), 3))
        values = torch.zeros(len(turn.fake), device=turn.fake.device)
        for x, before in ((turn.real, turn.real_logits), (turn.fake, turn.fake_logits)):
            for one, other in zip(before, turn.judge(self.changed(x.detach(), draws)), strict=True):
                squared = (one - other).square()
                values = values + (squared.flatten(1).mean(1) if squared.ndim > 1 else squared)
        return values, state

    def changed(self, x: Tensor, draws: Tensor) -> Tensor:
        """T(x) for x (B, C, H, W), by draws (B, 3): mirrored if below a half, and shifts along each side.

        Raises:
            UsageError: records that are no pictures.
        """
        if x.ndim != 4:
            what = f"consistency moves pictures, not records of shape {tuple(x.shape[1:])}"
            raise UsageError("E-PENALTY-01", what, hints=("another penalty: r1, lecam",))
        height, width = x.shape[2:]
        rows, columns = (self._places(side, draw) for side, draw in zip((height, width), draws[:, 1:].T, strict=True))
        if self.mirror:
            columns = torch.where(draws[:, :1] < 0.5, columns.flip(1), columns)
        record, channel = torch.arange(len(x), device=x.device), torch.arange(x.shape[1], device=x.device)
        return x[record[:, None, None, None], channel[:, None, None], rows[:, None, :, None], columns[:, None, None, :]]

    def _places(self, side: int, draw: Tensor) -> Tensor:
        """Where each row of the result comes from, (B, side); shifts from -longest to longest are equally likely."""
        longest = round(self.shift * side)
        shift = (draw * (2 * longest + 1)).floor().long() - longest
        return (torch.arange(side, device=draw.device) + shift[:, None]).clamp(0, side - 1)
