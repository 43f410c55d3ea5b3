"""Real i against fake i: only their difference counts."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import softplus

from ganwright.losses.base import Loss


@dataclass(frozen=True)
class Relativistic(Loss):
    """Relativistic pairing loss, Jolicoeur-Martineau 2019 (arXiv:1807.00734) with the logistic function.

    Every fake has a real record to be measured against, so dropping modes does not pay (Sun et al. 2020, arXiv:2011.04926).
    """

    generator_needs_real = True

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return softplus(fake_logits - real_logits)  # -log sigmoid(D(x) - D(G(z)))

    def generator(self, real_logits: Tensor | None, fake_logits: Tensor) -> Tensor:
        assert real_logits is not None
        return softplus(real_logits - fake_logits)  # -log sigmoid(D(G(z)) - D(x))

    def told(self, real_logits: Tensor, fake_logits: Tensor) -> tuple[Tensor, Tensor]:
        """Of a pair both or neither is told right: a logit alone says nothing."""
        right = (real_logits > fake_logits).float()
        return right, right
