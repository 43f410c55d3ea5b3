"""Views of a record that mean the same: what a learned description should not depend on.

Neither blur nor noise, nor anything that resamples pixels: what a network was taught to overlook, it cannot measure.
No mirroring: a letter's mirror image is another letter.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

BRIGHTNESS, CONTRAST, COLOUR = 0.2, 0.3, 0.1
"""Largest changes: of all values together, of their spread, and of each channel."""


def picture_view(x: Tensor, part: float, generator: np.random.Generator) -> Tensor:
    """A window of `part` of both sides out of each of (B, C, H, W), each at a place of its own, in another light."""
    count, channels, height, width = x.shape
    rows, columns = max(round(part * height), 1), max(round(part * width), 1)
    top = torch.from_numpy(generator.integers(0, height - rows + 1, count)).to(x.device)
    left = torch.from_numpy(generator.integers(0, width - columns + 1, count)).to(x.device)
    down = top[:, None] + torch.arange(rows, device=x.device)
    across = left[:, None] + torch.arange(columns, device=x.device)
    records = torch.arange(count, device=x.device)[:, None, None]
    window = x.permute(0, 2, 3, 1)[records, down[:, :, None], across[:, None, :]].permute(0, 3, 1, 2)
    spread = _uniform(generator, 1 - CONTRAST, 1 + CONTRAST, (count, 1, 1, 1))
    light = _uniform(generator, -BRIGHTNESS, BRIGHTNESS, (count, 1, 1, 1))
    tint = _uniform(generator, -COLOUR, COLOUR, (count, channels, 1, 1))
    return window * spread.to(x.device) + (light + tint).to(x.device)


def row_view(x: Tensor, share: float, generator: np.random.Generator) -> Tensor:
    """(B, D) with that share of the values of each row taken from other rows of the batch, column by column.

    SCARF, Bahri et al. 2021 (arXiv:2106.15147); there the values come from all of the data.
    """
    count, columns = x.shape
    taken = torch.from_numpy(generator.random((count, columns)) < share).to(x.device)
    others = torch.from_numpy(generator.integers(0, count, (count, columns))).to(x.device)
    return torch.where(taken, x.gather(0, others), x)


def _uniform(generator: np.random.Generator, low: float, high: float, shape: tuple[int, ...]) -> Tensor:
    return torch.from_numpy(generator.uniform(low, high, shape).astype(np.float32))
