"""Subsets without replacement: how sure a measured value is."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from ganwright.runtime.keys import Key

REPEATS = 20
LARGEST = 2_500
"""Records in a subset at most: half of 5,000, and quick however many there are."""


def subset_share(count: int, largest: int = LARGEST) -> float:
    """The share of `count` records that goes into a subset: half, or less where half would be slow."""
    return min(0.5, largest / count)


def subsets(count: int, size: int, key: Key, purpose: str, repeats: int = REPEATS) -> Iterator[Tensor]:
    """int64 (size,) places out of `count`, drawn without replacement; each subset anew."""
    generator = key.generator(f"subsets {purpose}")
    for _ in range(repeats):
        yield torch.from_numpy(np.sort(generator.permutation(count)[:size]))


def error_at(share: float, values: Sequence[float]) -> float:
    """The standard error of a value of whole sets from its values at subsets of that share of each of them.

    Of n independent records, values at m of them scatter around that at all n by 1/m - 1/n, where that one does by 1/n.
    """
    return float(np.std(values, ddof=1)) * math.sqrt(share / (1 - share))
