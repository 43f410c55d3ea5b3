"""Twice the height and width, and a convolution, in one operation."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import conv_transpose2d, pad


class UpsampleConv2d(nn.Module):
    """Nearest-neighbour upsampling by 2 followed by a 3x3 convolution, (B, C, H, W) -> (B, out_channels, 2H, 2W).

    Free of the checkerboards of a learned transposed convolution (Odena et al. 2016, doi:10.23915/distill.00003). Computed
    as the transposed 4x4 convolution that is exactly the same function: its kernel sums the 3x3 taps which fall on one input
    pixel, so the large map is never multiplied by nine taps.
    """

    def __init__(self, in_channels: int, out_channels: int, bias: bool = True) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels, 3, 3))
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None
        nn.init.kaiming_uniform_(self.weight, a=5**0.5)  # torch.nn.Conv2d's own

    def forward(self, x: Tensor) -> Tensor:
        taps = self.weight.transpose(0, 1)  # (in, out, 3, 3)
        # Along each axis: K = [w2, w1 + w2, w0 + w1, w0], that is two shifted copies of the reversed taps.
        taps = taps.flip(2, 3)
        kernel = pad(taps, (0, 1, 0, 1)) + pad(taps, (1, 0, 0, 1)) + pad(taps, (0, 1, 1, 0)) + pad(taps, (1, 0, 1, 0))
        return conv_transpose2d(x, kernel, self.bias, stride=2, padding=1)
