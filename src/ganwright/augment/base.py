"""Augmentations: one differentiable function, the same for real and fake."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor

from ganwright.core.config import Part
from ganwright.core.registry import Registry

AUGMENTATIONS = Registry("augmentation", "ganwright.augment")
Strength = float | Tensor
"""In 0..1; a tensor () on the device where it is adapted while training, so that nobody waits for its value."""


class Augmentation(Part, ABC):
    """A frozen dataclass of settings that changes what the discriminator sees."""

    registry = AUGMENTATIONS
    kinds: ClassVar[frozenset[str]] = frozenset({"image"})
    """What it can change, as `DataSpec.kind` says it; empty: anything."""

    @abstractmethod
    def draws(self) -> int:
        """How many numbers in [0, 1) it needs per record."""

    @abstractmethod
    def apply(self, x: Tensor, strength: Strength, draws: Tensor) -> Tensor:
        """`x` (B, *shape) changed with `strength` by `draws` (B, self.draws()); differentiable in `x`, any number of times.

        Row i follows from row i of `x` and of `draws`. At strength 0 all records come back as they are.
        """
