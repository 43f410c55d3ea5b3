"""Fréchet and kernel distances: closed forms, and their definitions written out with other libraries."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.linalg
import torch
from torch import Tensor

from ganwright.metrics.cmmd import SCALE, Cmmd, median_distance
from ganwright.metrics.frechet import Frechet
from ganwright.metrics.kernel import Kernel
from ganwright.metrics.parts import distances
from ganwright.metrics.parts.gaussian import Gaussian, frechet_distance
from ganwright.metrics.parts.mmd import gaussian_mmd, polynomial_mmd
from ganwright.metrics.parts.order import parts_of


def normal(count: int, dimensions: int, seed: int, mean: float = 0.0, scale: float = 1.0) -> Tensor:
    draw = np.random.default_rng(seed).normal(mean, scale, (count, dimensions))
    return torch.from_numpy(draw.astype(np.float32))


def mixed(count: int, dimensions: int, seed: int, sources: int | None = None) -> Tensor:
    """Features that go together: random sums of normal ones; fewer sources than features make them singular."""
    turn = np.random.default_rng(1000 + seed).normal(size=(sources or dimensions, dimensions))
    return normal(count, len(turn), seed) @ torch.from_numpy(turn.astype(np.float32))


def frechet_by_scipy(real: Tensor, fake: Tensor) -> float:
    a, b = real.double().numpy(), fake.double().numpy()
    s, c = np.cov(a.T), np.cov(b.T)
    root = np.asarray(scipy.linalg.sqrtm(s @ c))
    return float(((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(s + c - 2 * np.real(root)))


def test_frechet_agrees_with_a_general_matrix_root() -> None:
    real, fake = mixed(400, 24, 0), mixed(300, 24, 1) + 0.5
    assert Frechet().compare(real, fake)["frechet"] == pytest.approx(frechet_by_scipy(real, fake), rel=1e-8)


def test_frechet_of_gaussians_is_the_closed_form() -> None:
    real, fake = normal(200_000, 4, 0), normal(200_000, 4, 1, mean=3.0, scale=2.0)
    assert Frechet().compare(real, fake)["frechet"] == pytest.approx(4 * 9 + 4 * 1, rel=0.01)


@pytest.mark.parametrize("counts", [(15, 12), (15, 300), (300, 15)])
def test_frechet_of_fewer_records_than_features_is_that_of_their_own_space(counts: tuple[int, int]) -> None:
    real, fake = mixed(counts[0], 40, 2), mixed(counts[1], 40, 3)
    a, b = real.double().numpy(), fake.double().numpy()
    # The trace of the root of S C is the sum of the singular values of A B^T, for S = A^T A and C = B^T B.
    deviations = [(x - x.mean(0)) / math.sqrt(len(x) - 1) for x in (a, b)]
    overlap = np.linalg.svd(deviations[0] @ deviations[1].T, compute_uv=False).sum()
    expected = ((a.mean(0) - b.mean(0)) ** 2).sum() + sum((d**2).sum() for d in deviations) - 2 * overlap
    assert Frechet().compare(real, fake)["frechet"] == pytest.approx(float(expected), rel=1e-6)


def test_frechet_of_singular_covariances_is_that_without_the_idle_features() -> None:
    real, fake = mixed(300, 12, 4), mixed(300, 12, 5)
    idle = torch.full((300, 3), 7.0)
    with_idle = Frechet().compare(torch.cat([real, idle], 1), torch.cat([fake, idle], 1))
    assert with_idle["frechet"] == pytest.approx(Frechet().compare(real, fake)["frechet"], rel=1e-9)
    low = mixed(300, 30, 6, sources=4)
    assert frechet_distance(Gaussian.of(low), Gaussian.of(low)) == pytest.approx(0, abs=1e-4)


def test_frechet_unbiased_is_right_on_average_and_frechet_is_too_large() -> None:
    truth = 16 * (0.3**2 + 0.2**2)
    found = [Frechet().compare(normal(150, 16, 2 * i), normal(200, 16, 2 * i + 1, 0.3, 1.2)) for i in range(40)]
    means = {name: float(np.mean([each[name] for each in found])) for name in found[0]}
    spread = float(np.std([each["frechet_unbiased"] for each in found]) / math.sqrt(40))
    assert means["frechet"] - truth > 10 * spread
    assert means["frechet_unbiased"] == pytest.approx(truth, abs=4 * spread)


def kid_by_definition(x: Tensor, y: Tensor) -> float:
    a, b = x.double().numpy(), y.double().numpy()
    k_aa, k_bb, k_ab = ((p @ q.T / a.shape[1] + 1) ** 3 for p, q in ((a, a), (b, b), (a, b)))
    n, m = len(a), len(b)
    within = (k_aa.sum() - np.trace(k_aa)) / (n * (n - 1)) + (k_bb.sum() - np.trace(k_bb)) / (m * (m - 1))
    return float(within - 2 * k_ab.mean())


def test_kernel_distance_is_the_unbiased_estimator_written_out() -> None:
    real, fake = mixed(90, 16, 7), mixed(70, 16, 8)
    assert Kernel().compare(real, fake)["kernel_distance"] == pytest.approx(kid_by_definition(real, fake), rel=1e-9)


def test_kernel_distance_is_zero_on_average_without_a_difference() -> None:
    found = [polynomial_mmd(normal(50, 8, 2 * i), normal(50, 8, 2 * i + 1)) for i in range(200)]
    assert abs(np.mean(found)) < 4 * np.std(found) / math.sqrt(200)
    assert min(found) < 0


def test_kernel_distance_of_many_records_is_the_mean_over_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganwright.metrics.kernel.WHOLE", 100)
    monkeypatch.setattr("ganwright.metrics.kernel.PART", 40)
    real, fake = mixed(120, 8, 9), mixed(110, 8, 10)
    parts = zip(parts_of(real, 3), parts_of(fake, 3), strict=True)
    expected = np.mean([kid_by_definition(a, b) for a, b in parts])
    assert Kernel().compare(real, fake)["kernel_distance"] == pytest.approx(float(expected), rel=1e-9)


def test_cmmd_is_the_estimator_with_the_diagonal_written_out() -> None:
    real, fake = normal(80, 6, 11), normal(60, 6, 12, 0.5)

    def mean_kernel(x: Tensor, y: Tensor) -> float:
        gaps = x.double().numpy()[:, None] - y.double().numpy()[None]
        return float(np.exp(-(gaps**2).sum(-1) / (2 * 10.0**2)).mean())

    expected = mean_kernel(real, real) + mean_kernel(fake, fake) - 2 * mean_kernel(real, fake)
    assert Cmmd(sigma=10.0).compare(real, fake)["cmmd"] == pytest.approx(SCALE * expected, rel=1e-6)
    assert Cmmd().compare(real, fake) == Cmmd(sigma=median_distance(real)).compare(real, fake)


def test_cmmd_of_points_far_apart_counts_the_diagonal() -> None:
    """Two sets of n points with no two near: each mean holds n ones among n^2 values."""
    points = torch.eye(8) * 1e4
    assert gaussian_mmd(points[:4], points[4:], 1.0) == pytest.approx(1 / 4 + 1 / 4)


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    real, fake = mixed(300, 8, 13), mixed(200, 8, 14)
    metrics = (Frechet(), Kernel(), Cmmd())
    whole = [metric.compare(real, fake) for metric in metrics]
    monkeypatch.setattr(distances, "BLOCK_BYTES", 20_000)
    for metric, expected in zip(metrics, whole, strict=True):
        assert metric.compare(real, fake) == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_parts_are_disjoint_and_follow_from_the_rows_alone() -> None:
    records = normal(101, 5, 15)
    parts = parts_of(records, 4)
    assert sorted(map(len, parts)) == [25, 25, 25, 26]
    assert sorted(map(tuple, torch.cat(parts).tolist())) == sorted(map(tuple, records.tolist()))
    for part, again in zip(parts, parts_of(records.flip(0), 4), strict=True):
        assert sorted(map(tuple, part.tolist())) == sorted(map(tuple, again.tolist()))


def test_parts_are_random_with_respect_to_what_is_in_the_rows() -> None:
    gaps = [float((a.mean(0) - b.mean(0)).square().sum()) for a, b in (parts_of(normal(400, 4, s), 2) for s in range(100))]
    # The squared gap between means of two halves of 200 has the mean 4 (1/200 + 1/200).
    assert np.mean(gaps) == pytest.approx(0.04, rel=0.3)
