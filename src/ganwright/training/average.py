"""The average generator: smoother and better than any single step's (Yazici et al. 2019, arXiv:1806.04498)."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch
from torch import Tensor

from ganwright.data.spec import Condition
from ganwright.model.conditions import draw_conditions
from ganwright.model.noise import draw_noise
from ganwright.networks.base import Generator
from ganwright.runtime.keys import Key
from ganwright.training.statistics import batch_norms, estimate_statistics

# Enough batches that the statistics differ by under a percent between two sets of draws.
STATISTICS_BATCHES = 32
# A look must not cost much of the time that it looks at.
LOOK_STATISTICS_BATCHES = 8
STATISTICS_BATCH = 64


def on_device(tensors: Mapping[str, Tensor], device: str) -> dict[str, Tensor]:
    """The same tensors there."""
    return {name: value.to(device) for name, value in tensors.items()}


class AverageGenerator:
    """An exponential average of the generator's weights, with its half-life counted in samples."""

    def __init__(self, generator: Generator, conditions: tuple[Condition, ...] = ()) -> None:
        self._conditions = conditions
        self.generator: Generator = copy.deepcopy(generator).requires_grad_(False).eval()
        self._averaged: list[Tensor] = list(self.generator.parameters())
        self._current: list[Tensor] = list(generator.parameters())
        norms = {id(buffer) for norm in batch_norms(self.generator) for buffer in norm.buffers()}
        pairs = zip(self.generator.buffers(), generator.buffers(), strict=True)
        self._copied = [(mine, theirs) for mine, theirs in pairs if id(mine) not in norms]

    @torch.no_grad()
    def update(self, samples: int, samples_seen: int, half_life_samples: float) -> None:
        """Move towards the current weights after `samples` more.

        Early on the half-life is a twentieth of the samples seen, so that the random first weights are soon forgotten
        (Karras et al. 2020, arXiv:2006.06676, who ramp it up in the same way).
        """
        half_life = max(1.0, min(half_life_samples, 0.05 * samples_seen))
        weight = 1 - 0.5 ** (samples / half_life)
        torch._foreach_lerp_(self._averaged, self._current, weight)  # pyright: ignore[reportPrivateImportUsage]
        for mine, theirs in self._copied:
            mine.copy_(theirs)

    def estimate_statistics(self, seed: int, device: str, batches: int = STATISTICS_BATCHES) -> None:
        """Set the batch statistics anew; needed before the average generator is looked at, scored or saved."""
        estimate_generator_statistics(self.generator, self._conditions, seed, device, batches)


def estimate_generator_statistics(
    generator: Generator, conditions: tuple[Condition, ...], seed: int, device: str, batches: int = STATISTICS_BATCHES
) -> None:
    """Set batch statistics anew from fixed draws: averaged weights do not have the averaged statistics.

    Deterministic. Nothing else moves them.
    """

    def run_batch(number: int) -> None:
        key = Key(seed, step=number, turn="statistics")
        noise = draw_noise(generator.noise, STATISTICS_BATCH, key)
        condition = draw_conditions(conditions, STATISTICS_BATCH, key)
        generator(on_device(noise, device), on_device(condition, device))

    estimate_statistics(generator, batches, run_batch)
