"""Distances between many records and many others, a block of rows at a time."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

BLOCK_BYTES = 64 << 20
"""Memory of one block of distances or kernel values."""


def row_blocks(rows: int, bytes_per_row: int) -> Iterator[slice]:
    """Slices that cover `rows`, each of at most BLOCK_BYTES."""
    size = max(1, BLOCK_BYTES // max(1, bytes_per_row))
    for start in range(0, rows, size):
        yield slice(start, min(start + size, rows))


def centred(x: Tensor, y: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """(N, D) and (M, D) less the mean of y: distances stay, and |x|^2 + |y|^2 - 2xy cancels less."""
    mean = y.double().mean(dim=0)
    return (x.double() - mean).to(dtype), (y.double() - mean).to(dtype)


def squared_distances(x: Tensor, y: Tensor) -> Tensor:
    """(N, M) of (N, D) and (M, D) by the expanded square: quick, and wrong by `rounding` at most."""
    return torch.addmm(squares(y)[None], x, y.T, alpha=-2).add_(squares(x)[:, None]).clamp_min_(0)


def squares(x: Tensor) -> Tensor:
    """|x|^2 (N,) of (N, D)."""
    return x.square().sum(dim=1)


def rounding(x: Tensor, y: Tensor) -> Tensor:
    """(N,) what `squared_distances` of each row of x may be wrong by; sums of D products run in parallel lanes."""
    units = 8 + x.shape[1] / 16
    return (squares(x) + squares(y).max()) * (units * torch.finfo(x.dtype).eps)


def squared_gaps(x: Tensor, y: Tensor) -> Tensor:
    """|x - y|^2 (..., ) in float64 of float32 (..., D), by direct difference: exact where records are equal."""
    return (x.double() - y.double()).square_().sum(dim=-1)
