"""Which way up is a picture? Told by a small classifier that saw others turned by 0, 90, 180 and 270 degrees."""

from __future__ import annotations

import numpy as np
from sklearn.neural_network import MLPClassifier

SIDE = 16
QUARTERS = 4


def upright(others: np.ndarray, pictures: np.ndarray) -> float:
    """The share of `pictures` (N, H, W, C) that a classifier of quarter turns, learned from `others`, takes to be unturned.

    Real pictures get the share of those whose top is easily told, which is what samples are to be compared with.
    """
    x = np.concatenate([_seen(np.rot90(others, turn, (1, 2))) for turn in range(QUARTERS)])
    y = np.repeat(range(QUARTERS), len(others))
    judge = MLPClassifier((128,), alpha=1.0, max_iter=100, early_stopping=True, random_state=0).fit(x, y)
    return float(np.mean(judge.predict(_seen(pictures)) == 0))


def _seen(pictures: np.ndarray) -> np.ndarray:
    """(N, H, W, C) of any bytes to (N, 256): grey, small, and of equal contrast."""
    count, height, width = pictures.shape[:3]
    grey = pictures.astype(np.float32).mean(3)[:, : height // SIDE * SIDE, : width // SIDE * SIDE]
    small = grey.reshape(count, SIDE, height // SIDE, SIDE, width // SIDE).mean((2, 4)).reshape(count, -1)
    return (small - small.mean(1, keepdims=True)) / (small.std(1, keepdims=True) + 1e-3)
