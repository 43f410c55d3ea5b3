"""An order of records that follows from the records: the same parts of a set, however the set is ordered."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ganwright.metrics.parts.distances import row_blocks
from ganwright.runtime.keys import Key

MIX = np.uint64(0xFF51AFD7ED558CCD)  # The first multiplier of MurmurHash3's finalizer (Austin Appleby, public domain).


def parts_of(features: Tensor, count: int) -> list[Tensor]:
    """`count` random disjoint parts of (N, D) float32 that differ by one record at most, as tensors of rows.

    Every row is dealt out by the rank of a digest of its bits, so the parts depend neither on the order of the rows nor on
    anything that a seed would have to be kept for.
    """
    order = torch.from_numpy(np.argsort(_digests(features), kind="stable"))
    return [features[order[part::count]] for part in range(count)]


def _digests(features: Tensor) -> np.ndarray:
    """uint64 (N,): a sum of each row's bits times fixed odd numbers, modulo 2^64, and mixed."""
    bits = features.contiguous().view(torch.int32).numpy().view(np.uint32)
    draw = Key(0, turn="metrics").generator("digests of rows")
    factors = draw.integers(0, 1 << 63, bits.shape[1], dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    sums = [bits[rows].astype(np.uint64) @ factors for rows in row_blocks(len(bits), 8 * bits.shape[1])]
    digest = np.concatenate(sums)
    digest ^= digest >> np.uint64(33)
    digest *= MIX
    digest ^= digest >> np.uint64(33)
    return digest
