"""Augmentation as strong as the discriminator needs it (Karras et al. 2020, arXiv:2006.06676, section 3)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

EVERY_STEPS = 4
"""Steps whose verdicts are averaged before the strength is changed."""
STRENGTH, RIGHT = "strength", "right"

Adapted = dict[str, Tensor]
"""What is remembered, two scalars on the run's device: the strength, and the share of verdicts on reals that were right,
summed over the steps since it was last changed."""


@dataclass(frozen=True)
class Adaptive:
    """The strength rises while the discriminator is too often right about real records, and falls while it is not.

    How often: 1 when always, 0 when in half of the cases, -1 when never. It rises as the discriminator learns by heart the
    records that it learns from.
    """

    target: float = 0.6
    """How often it should be right: 0.6 are four real records of five."""
    samples_to_full: int = 500_000
    """Samples seen in which the strength could rise from 0 to 1,"""
    share_to_full: float = 0.25
    """or this share of the run's planned samples, where that is fewer: a short run needs its augmentation sooner."""
    most: float = 0.8
    """The strength never rises beyond it: from there on changes leak into samples."""

    def __post_init__(self) -> None:
        if not -1 < self.target < 1:
            raise ValueError(f"target must lie between -1 and 1, not {self.target}")
        if self.samples_to_full < 1 or not 0 < self.share_to_full <= 1:
            raise ValueError("samples_to_full must be at least 1, and share_to_full above 0 and at most 1")
        if not 0 < self.most <= 1:
            raise ValueError(f"most must lie above 0, and at most at 1, not {self.most}")

    def initial(self, device: str) -> Adapted:
        """Before the first step there is no augmentation."""
        return {STRENGTH: torch.zeros((), device=device), RIGHT: torch.zeros((), device=device)}

    def adapt(
        self, memory: Adapted, real_called_real: Tensor, step: int, samples_per_step: int, total_samples: int
    ) -> Adapted:
        """The memory after the step with this number, none of whose values is waited for.

        Args:
            real_called_real: the share of verdicts on reals that were right in it.
        """
        right = memory[RIGHT] + real_called_real
        if (step + 1) % EVERY_STEPS:
            return {**memory, RIGHT: right}
        often = 2 * right / EVERY_STEPS - 1
        change = EVERY_STEPS * samples_per_step / self._samples_to_full(total_samples)
        strength = (memory[STRENGTH] + change * (often - self.target).sign()).clamp(0, self.most)
        return {STRENGTH: strength, RIGHT: torch.zeros_like(right)}

    def is_stuck(self, strength: float, real_called_real: float) -> bool:
        """Whether it is as strong as it may be and the discriminator is still too often right."""
        return strength > self.most - 1e-3 and 2 * real_called_real - 1 > self.target

    def _samples_to_full(self, total_samples: int) -> float:
        return min(self.samples_to_full, max(1.0, self.share_to_full * total_samples))
