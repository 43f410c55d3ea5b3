"""Residual blocks without normalisation: wide inside, in groups, and nothing at all at first."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from ganwright.networks.parts.activation import leaky
from ganwright.networks.parts.convolution import conv2d

SLOPE = 0.2
"""LeakyReLU's below zero."""


class Convolution(nn.Module):
    """A square convolution that keeps the size, with first weights of a given deviation and biases of 0."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int = 1, *, groups: int = 1, bias: bool = False, gain: float = 1.0
    ) -> None:
        super().__init__()
        self.groups, self.padding = groups, kernel // 2
        self.weight = nn.Parameter(torch.empty(outputs, inputs // groups, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None
        if gain:
            nn.init.normal_(self.weight, std=gain / math.sqrt(self.weight[0].numel()))
        else:
            nn.init.zeros_(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        return conv2d(x, self.weight, self.bias, padding=self.padding, groups=self.groups)


class GroupedBlock(nn.Module):
    """x plus a 1x1, a grouped 3x3 and a 1x1 convolution of it, `expansion` times as wide in between.

    Inverted bottleneck and groups as in ConvNeXt and ResNeXt (Liu et al. 2022, arXiv:2201.03545; Xie et al. 2017,
    arXiv:1611.05431), put together by Huang et al. 2024 (arXiv:2501.05441). In place of a normalisation, first weights by
    Zhang et al. 2019 (arXiv:1901.09321): the last convolution starts at 0, so that a deep network starts as the identity,
    and the m - 1 before it at the deviation for LeakyReLU times L^(-1 / (2m - 2)), with m = 3 convolutions in each of L
    blocks.
    """

    def __init__(self, channels: int, *, expansion: int, group_channels: int, blocks: int) -> None:
        """blocks: L, all residual blocks of the network."""
        super().__init__()
        wide = channels * expansion
        gain = math.sqrt(2 / (1 + SLOPE**2)) * blocks**-0.25
        self.widen = Convolution(channels, wide, bias=True, gain=gain)
        self.mix = Convolution(wide, wide, 3, groups=groups_of(wide, group_channels), bias=True, gain=gain)
        self.narrow = Convolution(wide, channels, gain=0)

    def forward(self, x: Tensor) -> Tensor:
        inner = leaky(self.mix(leaky(self.widen(x), SLOPE)), SLOPE)
        return x + self.narrow(inner)


def groups_of(channels: int, group_channels: int) -> int:
    """Into how many groups `channels` fall evenly, each of `group_channels` or, where that is no divisor, some more."""
    return next(groups for groups in range(max(1, channels // group_channels), 0, -1) if channels % groups == 0)
