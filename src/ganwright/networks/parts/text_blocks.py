"""Residual convolutions along a text."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool1d, leaky_relu

SLOPE = 0.2


class TextBlock(nn.Module):
    """x + share * two convolutions of it, (B, C, L) to (B, C, L)."""

    def __init__(self, channels: int, kernel: int, share: float = 1.0, slope: float = SLOPE) -> None:
        super().__init__()
        self.first = nn.Conv1d(channels, channels, kernel, padding=kernel // 2)
        self.second = nn.Conv1d(channels, channels, kernel, padding=kernel // 2)
        self.share, self.slope = share, slope

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.first(leaky_relu(x, self.slope))
        return torch.add(x, self.second(leaky_relu(hidden, self.slope)), alpha=self.share)


def halved(x: Tensor) -> Tensor:
    """(B, C, L) to (B, C, L / 2), upwards where odd: means of two neighbours."""
    return avg_pool1d(x, 2, ceil_mode=True) if x.shape[2] > 1 else x
