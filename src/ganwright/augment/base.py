"""Augmentations: one differentiable function, the same for real and fake."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor

from ganwright.core.config import Part
from ganwright.core.registry import Registry

AUGMENTATIONS = Registry("augmentation", "ganwright.augment")


class Augmentation(Part, ABC):
    """A frozen dataclass of settings that changes what the discriminator sees."""

    registry = AUGMENTATIONS

    @abstractmethod
    def draws(self) -> int:
        """How many numbers in [0, 1) it needs per record."""

    @abstractmethod
    def apply(self, x: Tensor, strength: float, draws: Tensor) -> Tensor:
        """`x` (B, *shape) changed with `strength` in [0, 1] by `draws` (B, self.draws()); differentiable in `x`."""
