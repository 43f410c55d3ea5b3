"""The loss of most GANs: binary cross-entropy, the generator's labels turned round."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import softplus

from ganwright.losses.base import Loss


@dataclass(frozen=True)
class NonSaturating(Loss):
    """Goodfellow et al. 2014 (arXiv:1406.2661), section 3: what a Keras loop with `binary_crossentropy` trains."""

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return softplus(-real_logits) + softplus(fake_logits)  # -log D(x) - log(1 - D(G(z)))

    def generator(self, real_logits: Tensor | None, fake_logits: Tensor) -> Tensor:
        return softplus(-fake_logits)  # -log D(G(z))
