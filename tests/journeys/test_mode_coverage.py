"""Densities of many narrow groups: each group is found, and next to nothing is drawn between them.

The grid and the ring of Srivastava et al. 2017 (arXiv:1705.07761, VEEGAN), the usual trial of GANs that forget modes.
"""

from __future__ import annotations

import numpy as np
import pytest

from ganwright import GAN

ANGLES = np.arange(8) * (2 * np.pi / 8)
CENTRES = {
    "grid": np.stack(np.meshgrid(*[np.arange(-4.0, 5.0, 2.0)] * 2), -1).reshape(-1, 2),
    "ring": 2 * np.stack([np.cos(ANGLES), np.sin(ANGLES)], 1),
}
DEVIATIONS = {"grid": 0.05, "ring": 0.02}


def drawn(centres: np.ndarray, deviation: float, count: int = 10_000) -> np.ndarray:
    """(count, 2), from a mixture of equal groups."""
    random = np.random.default_rng(1)
    return centres[random.integers(len(centres), size=count)] + deviation * random.normal(size=(count, 2))


def coverage(points: np.ndarray, centres: np.ndarray, deviation: float) -> tuple[float, float]:
    """The share of points within three deviations of a centre, and what the poorest group got of its fair share."""
    distances = np.linalg.norm(points[:, None] - centres, axis=2)
    near = distances.min(1) < 3 * deviation
    counts = np.bincount(distances.argmin(1)[near], minlength=len(centres))
    return float(near.mean()), float(counts.min()) * len(centres) / len(points)


@pytest.mark.parametrize(("data", "steps"), [("ring", 1500), ("grid", 4000)])
def test_every_group_is_drawn_and_little_between_them(data: str, steps: int) -> None:
    centres, deviation = CENTRES[data], DEVIATIONS[data]
    gan = GAN(seed=0).fit(drawn(centres, deviation), steps=steps)
    near, poorest = coverage(gan.sample(2500, seed=7), centres, deviation)
    assert near >= 0.9
    assert poorest >= 0.25


@pytest.mark.parametrize("data", sorted(CENTRES))
def test_real_points_pass_and_collapsed_or_scattered_ones_do_not(data: str) -> None:
    centres, deviation = CENTRES[data], DEVIATIONS[data]
    near, poorest = coverage(drawn(centres, deviation, 2500), centres, deviation)
    assert near > 0.97
    assert poorest > 0.6
    assert coverage(drawn(centres[1:], deviation), centres, deviation)[1] == 0
    assert coverage(np.random.default_rng(0).uniform(-5, 5, (2500, 2)), centres, deviation)[0] < 0.1
