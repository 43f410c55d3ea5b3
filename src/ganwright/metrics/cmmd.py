"""How far apart two clouds of features are, by a Gaussian kernel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from ganwright.metrics.base import Comparison, Evidence
from ganwright.metrics.parts.measurement import Better, Measurement
from ganwright.metrics.parts.mmd import gaussian_mmd, gaussian_mmds

SCALE = 1000
"""The paper's, for numbers that read well."""
WHOLE = 5_000
"""Records up to which one look at all pairs is quicker than one at those of each subset."""
FOR_SIGMA = 1_000
"""Real records whose median distance is the bandwidth."""


@dataclass(frozen=True)
class Cmmd(Comparison):
    """Jayasumana et al. 2024 (arXiv:2401.09603), section 4, who take CLIP embeddings of length one and sigma 10."""

    sigma: float | None = None
    """Bandwidth of the kernel exp(-d^2 / 2 sigma^2); the median distance of real records by default."""

    better: ClassVar[dict[str, Better]] = {"cmmd": "lower"}

    def __post_init__(self) -> None:
        if self.sigma is not None and self.sigma <= 0:
            raise ValueError(f"sigma must be above zero, not {self.sigma}")

    @property
    def protocol(self) -> str:
        bandwidth = "the median distance of real records" if self.sigma is None else f"{self.sigma:.4g}"
        return (
            f"{SCALE} times the squared MMD of least variance under a Gaussian kernel of bandwidth {bandwidth}: the form of "
            "CMMD, which says CLIP embeddings of length one and bandwidth 10, on the features of this evaluation; of few "
            "records it is a little too large"
        )

    def measure(self, evidence: Evidence) -> dict[str, Measurement]:
        if self.sigma is not None:
            return super().measure(evidence)
        # One bandwidth for value, floor and error: with one each they would be on different scales.
        return replace(self, sigma=median_distance(evidence.train.features)).measure(evidence)

    def compare(self, real: Tensor, fake: Tensor) -> dict[str, float]:
        sigma = median_distance(real) if self.sigma is None else self.sigma
        return {"cmmd": SCALE * gaussian_mmd(real, fake, sigma)}

    def compare_subsets(self, real: Tensor, fake: Tensor, drawn: Sequence[tuple[Tensor, Tensor]]) -> list[dict[str, float]]:
        if self.sigma is None or max(len(real), len(fake)) > WHOLE:
            return super().compare_subsets(real, fake, drawn)
        return [{"cmmd": SCALE * value} for value in gaussian_mmds(real, fake, drawn, self.sigma)]


def median_distance(records: Tensor) -> float:
    """Of the first records among (N, D); 1 where more than half of the distances are zero."""
    median = float(torch.nn.functional.pdist(records[:FOR_SIGMA].double()).median()) if len(records) > 1 else 0.0
    return median or 1.0
