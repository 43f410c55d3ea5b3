"""How densely samples lie among the real records, and how many real records have a sample near."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from ganwright.metrics.base import NEIGHBOURS_SUBSET, Comparison
from ganwright.metrics.parts.measurement import Better
from ganwright.metrics.parts.neighbours import inside_balls, nearest_others


@dataclass(frozen=True)
class DensityCoverage(Comparison):
    """Naeem et al. 2020 (arXiv:2002.09797), equations 3 and 4: balls around real records only, so that stray samples, whose
    balls are large, cover nothing."""

    k: int = 5
    """Each real record's ball reaches to its k-th nearest other real record."""

    largest_subset: ClassVar[int] = NEIGHBOURS_SUBSET
    better: ClassVar[dict[str, Better]] = {"density": "near one", "coverage": "higher"}

    def __post_init__(self) -> None:
        if not 1 <= self.k < self.fewest:
            raise ValueError(f"k must lie in 1..{self.fewest - 1}, not {self.k}")

    @property
    def protocol(self) -> str:
        return (
            f"balls around real records that reach to the {self.k}. nearest other: the mean number of balls that hold a "
            f"sample, over {self.k}, and the share of balls with a sample in them, at equal counts"
        )

    def compare(self, real: Tensor, fake: Tensor) -> dict[str, float]:
        radii = nearest_others(real, self.k).distances[:, -1]
        samples = torch.cat([inside.sum(dim=1) for _, inside in inside_balls(real, radii, fake, closed=False)])
        density = float(samples.sum()) / (self.k * len(fake))
        return {"density": density, "coverage": float((samples > 0).double().mean())}
