"""The original game, saturating as its first equation has it."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import softplus

from ganwright.losses.base import Loss


@dataclass(frozen=True)
class Minimax(Loss):
    """Goodfellow et al. 2014 (arXiv:1406.2661), equation 1: both players move one value function."""

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return softplus(-real_logits) + softplus(fake_logits)  # -log D(x) - log(1 - D(G(z)))

    def generator(self, real_logits: Tensor | None, fake_logits: Tensor) -> Tensor:
        return -softplus(fake_logits)  # log(1 - D(G(z)))
