"""Squared maximum mean discrepancy (Gretton et al. 2012, jmlr.org/papers/v13/gretton12a), a block of kernel at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from ganwright.metrics.parts.distances import centred, row_blocks, squared_distances

Kernel = Callable[[Tensor, Tensor], Tensor]
"""Values (N, M) for float64 (N, D) and (M, D); symmetric."""
Places = tuple[Tensor, Tensor]
"""int64 places of some records of either set."""


def polynomial_mmd(x: Tensor, y: Tensor, degree: int = 3) -> float:
    """The unbiased squared MMD of (N, D) and (M, D) features under (x·y / D + 1)^degree.

    Binkowski et al. 2018 (arXiv:1801.01401), section 4: KID.
    """
    return polynomial_mmds(x, y, [_everything(x, y)], degree)[0]


def polynomial_mmds(x: Tensor, y: Tensor, subsets: Sequence[Places], degree: int = 3) -> list[float]:
    """The same of subsets."""

    def kernel(a: Tensor, b: Tensor) -> Tensor:
        base = (a @ b.T).mul_(1 / a.shape[1]).add_(1)
        power = base.clone()
        for _ in range(degree - 1):  # Several times as quick as a power.
            power *= base
        return power

    return _squared_mmds(x.double(), y.double(), kernel, subsets, unbiased=True)


def gaussian_mmd(x: Tensor, y: Tensor, sigma: float) -> float:
    """The squared MMD of least variance of (N, D) and (M, D) features under exp(-|x - y|^2 / 2 sigma^2)."""
    return gaussian_mmds(x, y, [_everything(x, y)], sigma)[0]


def gaussian_mmds(x: Tensor, y: Tensor, subsets: Sequence[Places], sigma: float) -> list[float]:
    """The same of subsets."""

    def kernel(a: Tensor, b: Tensor) -> Tensor:
        return squared_distances(a, b).mul_(-0.5 / sigma**2).exp_()

    # Centred, since distances are taken by the expanded square.
    return _squared_mmds(*centred(x, y, torch.float64), kernel, subsets, unbiased=False)


def _everything(x: Tensor, y: Tensor) -> Places:
    return torch.arange(len(x)), torch.arange(len(y))


def _squared_mmds(x: Tensor, y: Tensor, kernel: Kernel, subsets: Sequence[Places], *, unbiased: bool) -> list[float]:
    """Of subsets of (N, D) and (M, D), from one look at the kernel: each is a sum over it with a weight of 0 or 1.

    Args:
        unbiased: without the pairs of a record with itself: right on average, and below zero where there is no difference.
            With them it is the estimator of least variance, too large by a multiple of 1/N.
    """
    of_x, of_y = _weights(len(x), [a for a, _ in subsets]), _weights(len(y), [b for _, b in subsets])
    between = torch.zeros(len(subsets), dtype=torch.float64)
    for rows in row_blocks(len(x), 2 * 8 * len(y)):
        between += (of_x[rows] * (kernel(x[rows], y) @ of_y)).sum(dim=0)
    between /= of_x.sum(dim=0) * of_y.sum(dim=0)
    within = sum(_means_within(z, kernel, weights, unbiased=unbiased) for z, weights in ((x, of_x), (y, of_y)))
    return (within - 2 * between).tolist()


def _weights(count: int, chosen: Sequence[Tensor]) -> Tensor:
    """(count, subsets) float64, 1 for the records in each."""
    weights = torch.zeros(count, len(chosen), dtype=torch.float64)
    for place, some in enumerate(chosen):
        weights[some, place] = 1
    return weights


def _means_within(x: Tensor, kernel: Kernel, weights: Tensor, *, unbiased: bool) -> Tensor:
    """(subsets,) means over pairs of records, each pair computed once."""
    diagonal, apart = torch.zeros(2, weights.shape[1], dtype=torch.float64)
    for rows in row_blocks(len(x), 2 * 8 * len(x)):
        block = kernel(x[rows], x[rows.start :])
        own = block[:, : len(block)]
        own_diagonal = own.diagonal() @ weights[rows]
        diagonal += own_diagonal
        apart += (weights[rows] * (2 * (block @ weights[rows.start :]) - own @ weights[rows])).sum(dim=0) - own_diagonal
    count = weights.sum(dim=0)
    return apart / (count * (count - 1)) if unbiased else (apart + diagonal) / count**2
