"""The randomness that a generator takes, for training and for samples."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from ganwright.networks.base import NoiseInput
from ganwright.runtime.keys import Key

# Samples are drawn in blocks of this many, whatever is asked for: changing it would change what a seed gives.
BLOCK = 64
TRUNCATION = 2.0
"""Deviations beyond which "truncated" noise is drawn again (Brock et al. 2019, arXiv:1809.11096, section 3.1)."""


def draw_noise(inputs: Mapping[str, NoiseInput], count: int, key: Key) -> dict[str, Tensor]:
    """One tensor (count, *shape), float32 on the CPU, per input."""
    return {name: torch.from_numpy(_draw(noise, count, key.generator(f"noise {name}"))) for name, noise in inputs.items()}


def draw_sample_noise(
    inputs: Mapping[str, NoiseInput], start: int, stop: int, seed: int, attempt: int = 0
) -> dict[str, Tensor]:
    """The noise of samples start..stop-1: sample i depends on (seed, i), not on how many are asked for.

    Args:
        attempt: other noise for each, where a sample was not what it should be.
    """
    blocks = range(start // BLOCK, -(-stop // BLOCK))
    drawn = [draw_noise(inputs, BLOCK, Key(seed, step=block, turn="sample", repeat=attempt)) for block in blocks]
    first = blocks.start * BLOCK
    return {name: torch.cat([block[name] for block in drawn])[start - first : stop - first] for name in inputs}


def _draw(noise: NoiseInput, count: int, generator: np.random.Generator) -> np.ndarray:
    shape = (count, *noise.shape)
    if noise.distribution == "uniform":
        return generator.random(shape, dtype=np.float32) * 2 - 1
    values = generator.standard_normal(shape, dtype=np.float32)
    if noise.distribution == "truncated":
        while (beyond := np.abs(values) > TRUNCATION).any():
            values[beyond] = generator.standard_normal(int(beyond.sum()), dtype=np.float32)
    if noise.distribution == "sphere":
        rows = values.reshape(count, -1)
        rows *= rows.shape[1] ** 0.5 / np.linalg.norm(rows, axis=1, keepdims=True).clip(1e-12)
    return values
