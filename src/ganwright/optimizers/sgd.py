"""Plain gradient descent, with momentum if wished."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import Parameter

from ganwright.optimizers.base import Optimizer, eager, has_fused


@dataclass(frozen=True, kw_only=True)
class Sgd(Optimizer):
    """Stochastic gradient descent; momentum as Sutskever et al. 2013 (PMLR 28:1139) compare its two kinds."""

    momentum: float = 0.0
    """Share of the last change that is made again."""
    nesterov: bool = False
    """Take the gradient where momentum leads; needs momentum."""

    def __post_init__(self) -> None:
        if not 0 <= self.momentum < 1 or (self.nesterov and self.momentum == 0):
            raise ValueError("momentum must lie in 0..1 (1 left out), above zero with nesterov")

    def build(self, parameters: Iterable[Parameter], device: str) -> torch.optim.SGD:
        settings: dict[str, Any] = {"momentum": self.momentum, "nesterov": self.nesterov, "fused": has_fused(device)}
        return eager(torch.optim.SGD)(parameters, lr=0.0, **settings)
