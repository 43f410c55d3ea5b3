"""How far apart two clouds of features are, taken for Gaussians."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from torch import Tensor

from ganwright.metrics.base import Comparison
from ganwright.metrics.parts.gaussian import Gaussian, frechet_distance
from ganwright.metrics.parts.measurement import Better
from ganwright.metrics.parts.order import parts_of


@dataclass(frozen=True)
class Frechet(Comparison):
    """Heusel et al. 2017 (arXiv:1706.08500), equation 6, and the same extrapolated to infinitely many records.

    The distance of finite sets is too large, by nearly a multiple of 1/N for the samples and of 1/M for the real records
    (Chong and Forsyth 2020, arXiv:1911.07023, who extrapolate along N). Half of both sets doubles both, so twice the
    distance less that of halves is free of them.
    """

    equal_counts: ClassVar[bool] = False
    better: ClassVar[dict[str, Better]] = {"frechet": "lower", "frechet_unbiased": "lower"}

    @property
    def protocol(self) -> str:
        return (
            "squared Fréchet distance of Gaussians with the features' means and unbiased covariances, of all real records; "
            "too large by nearly a multiple of one over the number of records on either side; frechet_unbiased takes away "
            "what halves of both sets have more, may fall below zero, and is rough with fewer records than features"
        )

    def compare(self, real: Tensor, fake: Tensor) -> dict[str, float]:
        return _between(_gaussians(real), _gaussians(fake))

    def compare_subsets(self, real: Tensor, fake: Tensor, drawn: Sequence[tuple[Tensor, Tensor]]) -> list[dict[str, float]]:
        whole = _gaussians(real) if any(len(some) == len(real) for some, _ in drawn) else []
        return [
            _between(whole if len(some_real) == len(real) else _gaussians(real[some_real]), _gaussians(fake[some_fake]))
            for some_real, some_fake in drawn
        ]


def _gaussians(features: Tensor) -> list[Gaussian]:
    """Of all of them, then of each half."""
    return [Gaussian.of(part) for part in (features, *parts_of(features, 2))]


def _between(real: list[Gaussian], fake: list[Gaussian]) -> dict[str, float]:
    whole, *halves = (frechet_distance(a, b) for a, b in zip(real, fake, strict=True))
    return {"frechet": whole, "frechet_unbiased": 2 * whole - float(np.mean(halves))}
