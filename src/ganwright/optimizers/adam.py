"""The optimizer of nearly every GAN."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch.nn import Parameter

from ganwright.core.schedule import Schedule, value_at
from ganwright.optimizers.base import Optimizer, eager, has_fused


@dataclass(frozen=True, kw_only=True)
class Adam(Optimizer):
    """Adam (Kingma and Ba 2015, arXiv:1412.6980)."""

    beta1: float = 0.5
    """Decay of the gradient's mean."""
    beta2: float | Schedule = 0.99
    """Decay of the gradient's square."""
    epsilon: float = 1e-8
    """Added to the denominator."""
    form: Literal["torch", "keras"] = "torch"
    """Where epsilon is added. torch: after the square's bias is corrected, as the paper's algorithm 1 has it. keras: before,
    as the reordered form at the end of its section 2 does, which makes the first steps smaller where gradients are tiny."""

    def __post_init__(self) -> None:
        squares = (self.beta2.start, self.beta2.last) if isinstance(self.beta2, Schedule) else (self.beta2,)
        if not (all(0 <= beta < 1 for beta in (self.beta1, *squares)) and self.epsilon > 0):
            raise ValueError("beta1 and beta2 must lie in 0..1 (1 left out), epsilon above zero")

    def build(self, parameters: Iterable[Parameter], device: str) -> torch.optim.Adam:
        settings: dict[str, Any] = {"lr": 0.0, "betas": (self.beta1, value_at(self.beta2, 0, 1)), "eps": self.epsilon}
        kind = eager(torch.optim.Adam) if self.form == "torch" else KerasAdam
        return kind(parameters, **settings, fused=has_fused(device))

    def follow(self, optimizer: torch.optim.Optimizer, samples_seen: int, total_samples: int) -> None:
        super().follow(optimizer, samples_seen, total_samples)
        for group in optimizer.param_groups:
            group["betas"] = (self.beta1, value_at(self.beta2, samples_seen, total_samples))


class KerasAdam(eager(torch.optim.Adam)):
    """Adam with epsilon beside the uncorrected square: torch's is divided by the correction, which is the same thing."""

    def __init__(self, parameters: Iterable[Parameter], **settings: Any) -> None:
        super().__init__(parameters, **settings)
        for group in self.param_groups:
            group["uncorrected_eps"], group["steps"] = group["eps"], 0

    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        for group in self.param_groups:
            group["steps"] += 1
            group["eps"] = group["uncorrected_eps"] / (1 - group["betas"][1] ** group["steps"]) ** 0.5
        return super().step(closure)
