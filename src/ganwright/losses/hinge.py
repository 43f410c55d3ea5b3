"""A margin for the discriminator, a plain mean for the generator."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import relu

from ganwright.losses.base import Loss


@dataclass(frozen=True)
class Hinge(Loss):
    """Lim and Ye 2017 (arXiv:1705.02894); the form of Miyato et al. 2018 (arXiv:1802.05957), equations 16 and 17."""

    margin: float = 1.0
    """Logits beyond it earn the discriminator nothing."""

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return relu(self.margin - real_logits) + relu(self.margin + fake_logits)

    def generator(self, real_logits: Tensor | None, fake_logits: Tensor) -> Tensor:
        return -fake_logits
