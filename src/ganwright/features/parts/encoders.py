"""Networks that learn to describe records of one data set: quick to train on a CPU."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

LARGEST_SEEN = 64
"""Longer sides are averaged down to it: beyond, a minute on two cores teaches less than it costs."""
LARGEST_MAP = 32
"""The first layer takes every second place of larger pictures, but its filters see every pixel."""
WIDTHS = (32, 64, 96, 192)
HIDDEN = 256


class Encoder(nn.Module, ABC):
    """Its top says what a record is, its bottom how it is drawn."""

    top: int
    """Values of the penultimate layer, the one that is trained through."""
    bottom: int
    """Values that training gives no reason to forget: of the lowest layers."""

    @abstractmethod
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Top (B, top) and bottom (B, bottom) of records (B, *shape)."""


class PictureEncoder(Encoder):
    """A convolutional network of about 15 million multiplications for a picture of 32x32 or 64x64 px."""

    def __init__(self, channels: int, height: int, width: int) -> None:
        super().__init__()
        self.shrink = -(-height // LARGEST_SEEN), -(-width // LARGEST_SEEN)
        down, across = (
            2 if -(-side // by) > LARGEST_MAP else 1 for side, by in zip((height, width), self.shrink, strict=True)
        )
        self.first = nn.Sequential(
            nn.Conv2d(channels, WIDTHS[0], (down + 2, across + 2), (down, across), padding=1, bias=False),
            nn.BatchNorm2d(WIDTHS[0]),
            nn.ReLU(),
        )
        self.second = _convolution(WIDTHS[0], WIDTHS[1], 2)
        self.rest = nn.Sequential(
            _convolution(WIDTHS[1], WIDTHS[2], 2),
            _convolution(WIDTHS[2], WIDTHS[2], 1),
            _convolution(WIDTHS[2], WIDTHS[3], 2),
        )
        self.top = WIDTHS[3]
        self.bottom = 2 * (WIDTHS[0] + WIDTHS[1])

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        if max(self.shrink) > 1:
            x = avg_pool2d(x, self.shrink, ceil_mode=True)
        low = self.first(x)
        middle = self.second(low)
        return self.rest(middle).mean((2, 3)), torch.cat([*_mean_and_deviation(low), *_mean_and_deviation(middle)], 1)


class RowEncoder(Encoder):
    """Three layers for rows of numbers; the bottom is the row itself, which the top need not keep."""

    LONGEST_BOTTOM = 128

    def __init__(self, columns: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *(nn.Linear(columns, HIDDEN, bias=False), nn.BatchNorm1d(HIDDEN), nn.ReLU()),
            *(nn.Linear(HIDDEN, HIDDEN, bias=False), nn.BatchNorm1d(HIDDEN), nn.ReLU()),
            *(nn.Linear(HIDDEN, HIDDEN // 2, bias=False), nn.BatchNorm1d(HIDDEN // 2), nn.ReLU()),
        )
        self.top, self.bottom = HIDDEN // 2, min(columns, self.LONGEST_BOTTOM)
        self.turned: Tensor
        self.register_buffer("turned", nn.init.orthogonal_(torch.empty(columns, self.bottom)))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.layers(x), x @ self.turned


def _convolution(channels: int, filters: int, stride: int) -> nn.Sequential:
    layer = nn.Conv2d(channels, filters, 3, stride, padding=1, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(filters), nn.ReLU())


def _mean_and_deviation(answers: Tensor) -> tuple[Tensor, Tensor]:
    mean = answers.mean((2, 3))
    variance = answers.square().mean((2, 3)) - mean.square()
    return mean, variance.clamp(min=1e-6).sqrt()
