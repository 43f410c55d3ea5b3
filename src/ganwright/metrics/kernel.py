"""How far apart two clouds of features are, by a polynomial kernel: without bias, however few records there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from torch import Tensor

from ganwright.metrics.base import Comparison
from ganwright.metrics.parts.measurement import Better
from ganwright.metrics.parts.mmd import polynomial_mmd, polynomial_mmds
from ganwright.metrics.parts.order import parts_of

WHOLE = 5_000
"""Records up to which all pairs are looked at."""
PART = 2_500
"""Records in a part, at most, where there are more."""


@dataclass(frozen=True)
class Kernel(Comparison):
    """Binkowski et al. 2018 (arXiv:1801.01401), section 4: the kernel inception distance, of any features."""

    degree: int = 3
    """Of the polynomial."""

    better: ClassVar[dict[str, Better]] = {"kernel_distance": "lower"}

    def __post_init__(self) -> None:
        if self.degree < 1:
            raise ValueError(f"degree must be at least 1, not {self.degree}")

    @property
    def protocol(self) -> str:
        return (
            f"unbiased squared MMD under the kernel (x·y / D + 1)^{self.degree}, over all pairs of up to {WHOLE:,} records, "
            f"beyond that the mean over disjoint parts of at most {PART:,}; about zero, and often below, where there is no "
            "difference"
        )

    def compare(self, real: Tensor, fake: Tensor) -> dict[str, float]:
        most = max(len(real), len(fake))
        # Each part needs two records of the smaller side at least.
        count = 1 if most <= WHOLE else min(-(-most // PART), min(len(real), len(fake)) // 2)
        if count == 1:
            return {"kernel_distance": polynomial_mmd(real, fake, self.degree)}
        parts = zip(parts_of(real, count), parts_of(fake, count), strict=True)
        return {"kernel_distance": float(np.mean([polynomial_mmd(a, b, self.degree) for a, b in parts]))}

    def compare_subsets(self, real: Tensor, fake: Tensor, drawn: Sequence[tuple[Tensor, Tensor]]) -> list[dict[str, float]]:
        if max(len(real), len(fake)) > WHOLE:
            return super().compare_subsets(real, fake, drawn)
        return [{"kernel_distance": value} for value in polynomial_mmds(real, fake, drawn, self.degree)]
