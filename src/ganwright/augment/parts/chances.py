"""A batch's draws, handed out one operation after another."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ganwright.augment.base import Strength


class Chances:
    """Whether an operation happens to each record, and by how much.

    All operations are asked in the same order whatever their settings, so that the draws of one do not depend on another's.
    """

    def __init__(self, draws: Tensor, strength: Strength) -> None:
        """
        Args:
            draws: (B, numbers) in [0, 1).
            strength: the probability of an operation whose weight is 1.
        """
        self._numbers = iter(draws.unbind(1))
        self._strength = strength

    def happens(self, weight: float = 1.0, times: int = 1) -> Tensor:
        """Bool (B,), true with the probability weight * strength; uses one number.

        Args:
            times: the operation is asked so many times, and this is the probability that it happens at all.
        """
        probability = weight * self._strength
        if times > 1:
            probability = 1 - (1 - probability) ** (1 / times)
        return next(self._numbers) < probability

    def between(self, low: float, high: float) -> Tensor:
        """(B,), uniform in low..high; uses one number."""
        return low + (high - low) * next(self._numbers)

    def normal(self) -> tuple[Tensor, Tensor]:
        """Two independent standard normal numbers (B,); uses two numbers (Box and Muller 1958)."""
        radius = (-2 * torch.log1p(-next(self._numbers))).sqrt()
        angle = 2 * math.pi * next(self._numbers)
        return radius * angle.cos(), radius * angle.sin()
