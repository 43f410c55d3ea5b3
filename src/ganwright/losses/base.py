"""Adversarial losses on logits, per row and unreduced."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor

from ganwright.core.config import Part
from ganwright.core.registry import Registry

LOSSES = Registry("loss", "ganwright.losses", aliases={"binary_crossentropy": "non_saturating"})


class Loss(Part, ABC):
    """What each player minimises, as a frozen dataclass of settings.

    All logits are float32 and of one shape, (B,) or (B, patches); row i of the real ones and row i of the fake ones share
    their condition. The step averages what comes back.
    """

    registry = LOSSES
    generator_needs_real: ClassVar[bool] = False
    """Whether the generator's turn compares with real logits; fresh reals are then drawn for it."""

    @abstractmethod
    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """The discriminator's loss, of the logits' shape."""

    @abstractmethod
    def generator(self, real_logits: Tensor | None, fake_logits: Tensor) -> Tensor:
        """The generator's loss, of the logits' shape; `real_logits` is None unless `generator_needs_real`."""

    def told(self, real_logits: Tensor, fake_logits: Tensor) -> tuple[Tensor, Tensor]:
        """Which verdicts on reals, and which on fakes, are right: 1.0 or 0.0, of the logits' shape."""
        return (real_logits > 0).float(), (fake_logits < 0).float()
