"""How far apart two clouds of features are, taken for Gaussians."""

from __future__ import annotations

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
        whole = frechet_distance(Gaussian.of(real), Gaussian.of(fake))
        halves = zip(parts_of(real, 2), parts_of(fake, 2), strict=True)
        of_halves = float(np.mean([frechet_distance(Gaussian.of(a), Gaussian.of(b)) for a, b in halves]))
        return {"frechet": whole, "frechet_unbiased": 2 * whole - of_halves}
