"""The difference of the critic's means."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ganwright.losses.base import Loss


@dataclass(frozen=True)
class Wasserstein(Loss):
    """Arjovsky et al. 2017 (arXiv:1701.07875). It needs a Lipschitz critic: add the `gradient_penalty` regularizer."""

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return fake_logits - real_logits

    def generator(self, real_logits: Tensor | None, fake_logits: Tensor) -> Tensor:
        return -fake_logits
