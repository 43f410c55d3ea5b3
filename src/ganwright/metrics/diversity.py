"""How different samples are from each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from ganwright.metrics.base import NEIGHBOURS_SUBSET, Comparison, NotMeasurable
from ganwright.metrics.parts.distances import centred, row_blocks, squared_distances
from ganwright.metrics.parts.measurement import Better
from ganwright.metrics.parts.neighbours import nearest_others, same_within

NEAR = 0.01
"""The share of real records with another one this near."""


@dataclass(frozen=True)
class Diversity(Comparison):
    """Distances among the samples, held against those among as many real records."""

    largest_subset: ClassVar[int] = NEIGHBOURS_SUBSET
    better: ClassVar[dict[str, Better]] = {"diversity": "near one", "near_duplicates": "lower", "duplicates": "lower"}

    @property
    def protocol(self) -> str:
        return (
            "at equal counts: the mean distance of two samples over that of two real records; the share of samples with "
            f"another one as near as the nearest {NEAR:.0%} of real records have; and of those with their double"
        )

    def compare(self, real: Tensor, fake: Tensor) -> dict[str, float]:
        spread = mean_distance(real)
        if spread == 0:
            raise NotMeasurable("the real records all look the same in these features")
        apart = nearest_others(fake).distances[:, 0]
        near = torch.quantile(nearest_others(real).distances[:, 0], NEAR)
        return {
            "diversity": mean_distance(fake) / spread,
            "near_duplicates": float((apart <= near).double().mean()),
            "duplicates": float((apart <= same_within(fake)).double().mean()),
        }


def mean_distance(records: Tensor) -> float:
    """Of two different ones of (N, D)."""
    x, _ = centred(records, records, torch.float64)
    total = 0.0
    for rows in row_blocks(len(x), 8 * len(x)):
        block = squared_distances(x[rows], x[rows.start :]).sqrt_()
        own = block[:, : len(block)]
        own.fill_diagonal_(0)
        total += 2 * float(block.sum()) - float(own.sum())
    return total / (len(x) * (len(x) - 1))
