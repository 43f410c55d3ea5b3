"""The Gaussian that features are taken for, and the Fréchet distance of two."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor


@dataclass(frozen=True)
class Gaussian:
    """Mean and unbiased covariance of features, in float64."""

    mean: Tensor
    """(D,)."""
    deviations: Tensor
    """(N, D) features less their mean, over sqrt(N - 1)."""

    @classmethod
    def of(cls, features: Tensor) -> Gaussian:
        """Of (N, D) features, N at least 2."""
        wide = features.double()
        mean = wide.mean(dim=0)
        return cls(mean, (wide - mean).div_((len(wide) - 1) ** 0.5))

    @cached_property
    def covariance(self) -> Tensor:
        """(D, D)."""
        return self.deviations.T @ self.deviations

    @cached_property
    def root(self) -> Tensor:
        """(R, D) with root^T root = covariance, R at most N and D."""
        count, dimensions = self.deviations.shape
        if count <= dimensions:
            return self.deviations
        root, failed = torch.linalg.cholesky_ex(self.covariance, upper=True)
        if not failed:
            return root
        # Singular, as with a feature that never moves: what rounding leaves of the other directions is no part of it.
        values, vectors = torch.linalg.eigh(self.covariance)
        kept = values > values.max() * dimensions * torch.finfo(torch.float64).eps
        return (vectors[:, kept] * values[kept].sqrt()).T


def frechet_distance(a: Gaussian, b: Gaussian) -> float:
    """|m - n|^2 + tr(S + C - 2 (S C)^(1/2)) (Dowson and Landau 1982, doi:10.1016/0047-259X(82)90077-X).

    The eigenvalues of S C are those of R C R^T for any R with R^T R = S; it is symmetric, so they come out real, and what
    rounding makes of zeros is small and may be negative. A triangular R spares the decomposition of S.
    """
    few, many = (a, b) if len(a.deviations) <= len(b.deviations) else (b, a)
    values = torch.linalg.eigvalsh(few.root @ many.covariance @ few.root.T)
    overlap = float(values.clamp_min(0).sqrt().sum())
    spread = float(a.deviations.square().sum() + b.deviations.square().sum())
    gap = float((a.mean - b.mean).square().sum())
    return gap + max(spread - 2 * overlap, 0.0)
