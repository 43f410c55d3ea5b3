"""How many samples lie among the real records, and how many real records among the samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from ganwright.metrics.base import NEIGHBOURS_SUBSET, Comparison
from ganwright.metrics.parts.measurement import Better
from ganwright.metrics.parts.neighbours import inside_balls, nearest_others


@dataclass(frozen=True)
class PrecisionRecall(Comparison):
    """Kynkäänniemi et al. 2019 (arXiv:1904.06991), equations 1 and 2."""

    k: int = 3
    """Each record's ball reaches to its k-th nearest other record."""

    largest_subset: ClassVar[int] = NEIGHBOURS_SUBSET
    better: ClassVar[dict[str, Better]] = {"precision": "higher", "recall": "higher"}

    def __post_init__(self) -> None:
        if not 1 <= self.k < self.fewest // 2:
            raise ValueError(f"k must lie in 1..{self.fewest // 2 - 1}, not {self.k}")

    @property
    def protocol(self) -> str:
        return (
            f"share of samples nearer to some real record than its {self.k}. nearest other, and of real records nearer "
            f"to some sample than its {self.k}. nearest other, at equal counts"
        )

    def compare(self, real: Tensor, fake: Tensor) -> dict[str, float]:
        return {"precision": self._covered(real, fake), "recall": self._covered(fake, real)}

    def _covered(self, centres: Tensor, points: Tensor) -> float:
        """The share of points that lie in a ball of the centres."""
        radii = nearest_others(centres, self.k).distances[:, -1]
        covered = torch.zeros(len(points), dtype=torch.bool)
        for _, inside in inside_balls(centres, radii, points, closed=True):
            covered |= inside.any(dim=0)
        return float(covered.double().mean())
