"""Left and right exchanged."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ganwright.augment.base import Augmentation, Strength


@dataclass(frozen=True)
class Flip(Augmentation):
    """Mirrors half of the pictures (at full strength): right for faces and landscapes, wrong for digits and texts."""

    def draws(self) -> int:
        return 1

    def apply(self, x: Tensor, strength: Strength, draws: Tensor) -> Tensor:
        mirrored = (draws[:, 0] < 0.5 * strength).view(-1, *(1 for _ in x.shape[1:]))
        return torch.where(mirrored, x.flip(-1), x)
