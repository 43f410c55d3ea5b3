"""Squared distance of the logits to targets."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ganwright.losses.base import Loss


@dataclass(frozen=True)
class LeastSquares(Loss):
    """Mao et al. 2017 (arXiv:1611.04076), equation 2 with a = 0 and b = c = 1."""

    fake_target: float = 0.0
    """a: what the discriminator should say of fakes."""
    real_target: float = 1.0
    """b: what the discriminator should say of reals."""
    generator_target: float = 1.0
    """c: what the generator wants the discriminator to say of fakes."""

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return 0.5 * ((real_logits - self.real_target).square() + (fake_logits - self.fake_target).square())

    def generator(self, real_logits: Tensor | None, fake_logits: Tensor) -> Tensor:
        return 0.5 * (fake_logits - self.generator_target).square()
