"""What augmentation does to pictures is not learned as if it were theirs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from ganwright import GAN
from ganwright.augment.pipeline import Pipeline

SIDE = 16
TURNS_ALONE: dict[str, Any] = {**dict.fromkeys(asdict(Pipeline()), 0.0), "rotate_90": 1.0, "name": "pipeline"}


def bars(count: int) -> np.ndarray:
    """Lying bars in the upper half, (count, 16, 16): any quarter turn makes a bar that stands, or lies below."""
    random = np.random.default_rng(0)
    y, x, thickness, length = (random.uniform(low, high, (count, 1, 1)) for low, high in ((3, 6), (4, 11), (1, 2), (3, 6)))
    rows, columns = np.ogrid[:SIDE, :SIDE]
    bar = np.clip(thickness - abs(rows - y) + 0.5, 0, 1) * np.clip(length - abs(columns - x) + 0.5, 0, 1)
    return (255 * bar * random.uniform(0.6, 1, (count, 1, 1))).astype(np.uint8)


def lying_above(pictures: np.ndarray) -> float:
    """The share of pictures whose light lies in the upper half, and wider than high."""
    weights = pictures.astype(float) / pictures.sum((1, 2), keepdims=True)
    places = np.arange(SIDE)
    rows, columns = weights.sum(2), weights.sum(1)
    y, x = rows @ places, columns @ places
    high, wide = (each @ places**2 - middle**2 for each, middle in ((rows, y), (columns, x)))
    return float(((y < SIDE / 2) & (wide > high)).mean())


def drawn_after(strength: float) -> float:
    """As many of the samples lie above, after training with quarter turns of that strength."""
    settings = {
        "network": {"width": 8, "latent": 16},
        "scoring": {"share": 0.0},
        "augmentations": [TURNS_ALONE],
        "augmentation_strength": strength,
    }
    gan = GAN("dcgan", seed=1, batch=32, mirror=False, settings=settings).fit(bars(1000), steps=400)
    return lying_above(np.stack([np.asarray(picture) for picture in gan.sample(300, seed=1)]))


def test_turned_pictures_are_not_drawn_while_most_are_seen_as_they_are() -> None:
    """At a strength of 1 every picture is turned at random, and nothing says any more which way up it was."""
    assert lying_above(bars(300)) == 1.0
    assert lying_above(np.rot90(bars(300), axes=(1, 2))) == 0.0
    assert drawn_after(0.5) > 0.95
    assert drawn_after(1.0) < 0.7
