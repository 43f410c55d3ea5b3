"""Nearest records, and the measures that count them: brute force, another library, and sets whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.neighbors import NearestNeighbors
from torch import Tensor

from ganwright.metrics.base import NotMeasurable
from ganwright.metrics.density_coverage import DensityCoverage
from ganwright.metrics.diversity import Diversity
from ganwright.metrics.parts import distances
from ganwright.metrics.parts.neighbours import nearest, nearest_others
from ganwright.metrics.precision_recall import PrecisionRecall


def normal(count: int, dimensions: int, seed: int, mean: float = 0.0, scale: float = 1.0) -> Tensor:
    draw = np.random.default_rng(seed).normal(mean, scale, (count, dimensions))
    return torch.from_numpy(draw.astype(np.float32))


def modes(count: int, seed: int, which: int = 10) -> Tensor:
    """Points around the first `which` of ten far corners."""
    return normal(count, 10, seed, scale=0.3) + 5 * torch.eye(10)[torch.arange(count) % which]


def all_distances(x: Tensor, y: Tensor) -> np.ndarray:
    return np.sqrt(((x.double().numpy()[:, None] - y.double().numpy()[None]) ** 2).sum(-1))


def radii(records: Tensor, k: int) -> np.ndarray:
    return np.sort(all_distances(records, records), axis=1)[:, k]


def test_nearest_agrees_with_another_library() -> None:
    queries, records = normal(60, 20, 0), normal(150, 20, 1)
    expected, places = NearestNeighbors(n_neighbors=4, algorithm="brute").fit(records.double()).kneighbors(queries.double())
    found = nearest(queries, records, 4)
    np.testing.assert_allclose(found.distances, expected, rtol=1e-9)
    np.testing.assert_array_equal(found.places, places)
    others, _ = NearestNeighbors(n_neighbors=3, algorithm="brute").fit(records.double()).kneighbors()
    np.testing.assert_allclose(nearest_others(records, 3).distances, others, rtol=1e-9)


@pytest.mark.parametrize("spread", [1e-1, 1e-3, 1e-5])
def test_nearest_is_exact_where_single_precision_cancels(spread: float) -> None:
    """A tight crowd far from everything: products in single precision cannot tell its members apart."""
    records = torch.cat([normal(100, 8, 2, mean=1.0, scale=spread), normal(100, 8, 3, mean=-1.0)])
    found = nearest_others(records, 2)
    expected = np.sort(all_distances(records, records), axis=1)[:, 1:3]
    np.testing.assert_allclose(found.distances, expected, rtol=1e-7)


def test_nearest_of_many_equal_records_is_at_zero() -> None:
    records = torch.cat([torch.ones(50, 6), normal(50, 6, 4)])
    found = nearest_others(records, 3).distances
    assert (found[:50] == 0).all()
    assert (found[50:] > 0).all()


@pytest.mark.parametrize("k", [1, 3, 5])
def test_precision_recall_density_and_coverage_are_their_definitions(k: int) -> None:
    real, fake = normal(120, 5, 5), normal(100, 5, 6, 0.4)
    between, of_real, of_fake = all_distances(real, fake), radii(real, k), radii(fake, k)
    if k < 5:
        found = PrecisionRecall(k=k).compare(real, fake)
        assert found["precision"] == pytest.approx((between <= of_real[:, None]).any(0).mean(), rel=1e-12)
        assert found["recall"] == pytest.approx((between <= of_fake[None]).any(1).mean(), rel=1e-12)
    found = DensityCoverage(k=k).compare(real, fake)
    assert found["density"] == pytest.approx((between < of_real[:, None]).sum() / (k * 100), rel=1e-12)
    assert found["coverage"] == pytest.approx((between.min(1) < of_real).mean(), rel=1e-12)


def test_diversity_is_the_ratio_of_mean_distances() -> None:
    real, fake = normal(90, 7, 7), normal(80, 7, 8, scale=0.5)
    upper = [all_distances(x, x)[np.triu_indices(len(x), 1)].mean() for x in (real, fake)]
    assert Diversity().compare(real, fake)["diversity"] == pytest.approx(upper[1] / upper[0], rel=1e-9)


def test_lost_modes_show_in_recall_and_coverage_and_not_in_precision() -> None:
    real, whole, half = modes(400, 9), modes(400, 10), modes(400, 11, which=5)
    before = PrecisionRecall().compare(real, whole) | DensityCoverage().compare(real, whole)
    after = PrecisionRecall().compare(real, half) | DensityCoverage().compare(real, half)
    assert after["precision"] == pytest.approx(before["precision"], abs=0.1)
    assert after["recall"] < 0.6 * before["recall"]
    assert after["coverage"] < 0.6 * before["coverage"]


def test_noise_shows_in_precision_and_density() -> None:
    real, clean = modes(400, 12), modes(400, 13)
    noisy = clean + normal(400, 10, 14, scale=0.5)
    assert PrecisionRecall().compare(real, noisy)["precision"] < 0.4 * PrecisionRecall().compare(real, clean)["precision"]
    assert DensityCoverage().compare(real, noisy)["density"] < 0.4 * DensityCoverage().compare(real, clean)["density"]


def test_copies_of_the_real_records_lie_on_spheres_as_the_definitions_say() -> None:
    real = normal(150, 12, 15)
    assert PrecisionRecall().compare(real, real.flip(0)) == {"precision": 1.0, "recall": 1.0}
    # Each ball holds its centre and the nearer of its k neighbours, the k-th being on the sphere and outside.
    assert DensityCoverage(k=5).compare(real, real.flip(0)) == {"density": 1.0, "coverage": 1.0}


def test_doubles_show_as_such_and_in_less_diversity() -> None:
    real, fake = normal(400, 6, 16), normal(400, 6, 17)
    doubled = torch.cat([fake[:300], fake[:100]])
    assert Diversity().compare(real, fake)["duplicates"] == 0
    found = Diversity().compare(real, doubled)
    assert found["duplicates"] == 0.5
    assert found["near_duplicates"] >= 0.5
    collapsed = fake[:4].repeat(100, 1) + 1e-3 * fake
    found = Diversity().compare(real, collapsed)
    assert found["duplicates"] == 0
    assert found["near_duplicates"] == 1
    assert found["diversity"] < 0.95


def test_a_double_may_differ_in_the_last_bits_but_no_more() -> None:
    fake = normal(100, 6, 18) + 100
    rounded = torch.cat([fake, torch.nextafter(fake, torch.full_like(fake, torch.inf))])
    assert Diversity().compare(normal(200, 6, 19), rounded)["duplicates"] == 1
    assert Diversity().compare(normal(200, 6, 19), torch.cat([fake, fake + 0.01]))["duplicates"] == 0


def test_diversity_needs_real_records_that_differ() -> None:
    with pytest.raises(NotMeasurable, match="look the same"):
        Diversity().compare(torch.ones(20, 3), normal(20, 3, 20))


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    real, fake = normal(300, 8, 21), normal(300, 8, 22, 0.2)
    metrics = (PrecisionRecall(), DensityCoverage(), Diversity())
    whole = [metric.compare(real, fake) for metric in metrics]
    monkeypatch.setattr(distances, "BLOCK_BYTES", 20_000)
    for metric, expected in zip(metrics, whole, strict=True):
        assert metric.compare(real, fake) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("kind", [PrecisionRecall, DensityCoverage])
def test_k_must_leave_neighbours(kind: type[PrecisionRecall] | type[DensityCoverage]) -> None:
    for k in (0, 10):
        with pytest.raises(ValueError, match="k must lie in"):
            kind(k=k)
