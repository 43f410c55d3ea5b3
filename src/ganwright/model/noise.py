"""The randomness that a generator takes, for training and for samples."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import get_args

import numpy as np
import torch
from torch import Tensor

from ganwright.core.errors import UsageError
from ganwright.networks.base import Distribution, NoiseInput
from ganwright.runtime.keys import Key

LATENT = "latent"
"""The input that says what a sample is; others are for its details."""

CHOICES = "choices"
"""The input that decides among symbols by their probabilities; how sharp those are is then told as"""
TEMPERATURE = "temperature"
"""(B,), of samples that are to be more typical."""

# Samples are drawn in blocks of this many, whatever is asked for: changing it would change what a seed gives.
BLOCK = 64
TRUNCATION = 2.0
"""Deviations beyond which "truncated" noise is drawn again (Brock et al. 2019, arXiv:1809.11096, section 3.1)."""
EQUALLY_FAR = {"sphere": "latents on a sphere", "signs": "latents of signs"}
"""Distributions whose draws are all as far from the middle, in words."""


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


@dataclass(frozen=True)
class LatentChoice:
    """How the latents of samples are drawn, where not as in training."""

    distribution: Distribution | None = None
    truncation: float = 1.0
    """Their deviation, in parts of the deviation in training: smaller gives more typical, less varied samples."""

    def __post_init__(self) -> None:
        if self.distribution is not None and self.distribution not in get_args(Distribution):
            known = ", ".join(get_args(Distribution))
            raise UsageError("E-SAMPLE-08", f"unknown noise {self.distribution!r}", hints=(f"known: {known}",))
        if not 0 < self.truncation <= 1:
            hints = ("--truncation 0.7: more typical, less varied; 1 is as in training",)
            raise UsageError("E-SAMPLE-15", f"truncation must lie above 0 and up to 1, not {self.truncation}", hints=hints)

    def inputs(self, inputs: Mapping[str, NoiseInput]) -> Mapping[str, NoiseInput]:
        """What a generator takes, with the latent from this distribution."""
        if self.distribution is None or LATENT not in inputs:
            return inputs
        return {**inputs, LATENT: replace(inputs[LATENT], distribution=self.distribution)}

    def truncated(self, drawn: Mapping[str, Tensor], inputs: Mapping[str, NoiseInput]) -> dict[str, Tensor]:
        """The noise of samples with the latent's values drawn together, and choices made at a lower temperature.

        Raises:
            UsageError: latents that are all as far from the middle, or a generator without one.
        """
        if self.truncation == 1:
            return dict(drawn)
        what = "these samples cannot be truncated"
        if LATENT not in inputs:
            raise UsageError("E-SAMPLE-15", what, why="the generator takes no latent")
        if far := EQUALLY_FAR.get(inputs[LATENT].distribution):
            hints = (f"--noise normal with it, where the model was trained with {far}",)
            raise UsageError("E-SAMPLE-15", what, why=f"{far} are all as typical", hints=hints)
        found = {**drawn, LATENT: truncated(drawn[LATENT], inputs[LATENT].distribution, self.truncation)}
        if CHOICES in inputs:
            found[TEMPERATURE] = torch.full((len(drawn[CHOICES]),), self.truncation)
        return found


AS_TRAINED = LatentChoice()


def truncated(values: Tensor, distribution: Distribution, share: float) -> Tensor:
    """Values of a latent, each moved towards the middle so that their deviation is `share` of what it was.

    Uniform values are scaled. Normal ones become those of a normal distribution without what lies beyond a threshold, which
    follows from `share` (Brock et al. 2019, arXiv:1809.11096, section 3.1, whose threshold of 2 is a share of 0.88). There,
    values beyond it are drawn again; here each value keeps its rank instead. That is the same distribution, and a sample
    stays recognisable as `share` changes.
    """
    if distribution == "uniform":
        return values * share
    before = TRUNCATION if distribution == "truncated" else math.inf
    after = _threshold(share * _deviation(before))
    ranks = torch.special.ndtr(values.double())
    if math.isfinite(before):
        ranks = (ranks - _normal_below(-before)) / (1 - 2 * _normal_below(-before))
    moved = torch.special.ndtri(_normal_below(-after) + ranks * (1 - 2 * _normal_below(-after)))
    return moved.clamp(-after, after).to(values.dtype)


def _normal_below(x: float) -> float:
    return 0.5 * math.erfc(-x / math.sqrt(2))


def _deviation(threshold: float) -> float:
    """Of normal values within the threshold on either side."""
    if math.isinf(threshold):
        return 1.0
    if threshold < 0.01:  # nearly uniform, and the formula would lose its digits
        return threshold / math.sqrt(3)
    density = math.exp(-(threshold**2) / 2) / math.sqrt(2 * math.pi)
    return math.sqrt(1 - 2 * threshold * density / (1 - 2 * _normal_below(-threshold)))


def _threshold(deviation: float) -> float:
    """Within which normal values have this deviation, which is below 1."""
    low, high = 0.0, 40.0
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if _deviation(middle) < deviation else (low, middle)
    return high


def _draw(noise: NoiseInput, count: int, generator: np.random.Generator) -> np.ndarray:
    shape = (count, *noise.shape)
    if noise.distribution == "uniform":
        return generator.random(shape, dtype=np.float32) * 2 - 1
    if noise.distribution == "signs":
        return generator.integers(0, 2, shape).astype(np.float32) * 2 - 1
    values = generator.standard_normal(shape, dtype=np.float32)
    if noise.distribution == "truncated":
        while (beyond := np.abs(values) > TRUNCATION).any():
            values[beyond] = generator.standard_normal(int(beyond.sum()), dtype=np.float32)
    if noise.distribution == "sphere":
        rows = values.reshape(count, -1)
        rows *= rows.shape[1] ** 0.5 / np.linalg.norm(rows, axis=1, keepdims=True).clip(1e-12)
    return values
