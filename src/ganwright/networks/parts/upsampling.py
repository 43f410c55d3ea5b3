"""Twice the height and width, and a convolution, in one operation."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ganwright.networks.parts.constants import kept
from ganwright.networks.parts.convolution import doubling


class UpsampleConv2d(nn.Module):
    """Nearest-neighbour upsampling by 2 followed by a 3x3 convolution, (B, C, H, W) -> (B, out_channels, 2H, 2W).

    Free of the checkerboards of a learned transposed convolution (Odena et al. 2016, doi:10.23915/distill.00003). Computed
    as the transposed 4x4 convolution that is exactly the same function: its kernel sums the 3x3 taps which fall on one input
    pixel, so the large map is never multiplied by nine taps. The weight is (in, out, 3, 3), as a transposed convolution has
    it.
    """

    def __init__(self, in_channels: int, out_channels: int, bias: bool = True) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(in_channels, out_channels, 3, 3))
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None
        bound = (9 * in_channels) ** -0.5  # torch.nn.Conv2d's own initial range
        nn.init.uniform_(self.weight, -bound, bound)

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight
        kernel = (weight.reshape(-1, 9) @ _spread(weight.device, weight.dtype)).view(*weight.shape[:2], 4, 4)
        return doubling(x, kernel, self.bias)


class TransposedConv2d(nn.ConvTranspose2d):
    """A learned transposed 4x4 convolution to twice the height and width, (B, C, H, W) -> (B, out_channels, 2H, 2W)."""

    def __init__(self, in_channels: int, out_channels: int, bias: bool = True) -> None:
        super().__init__(in_channels, out_channels, 4, stride=2, padding=1, bias=bias)

    def forward(self, input: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        return doubling(input, self.weight, self.bias)


@kept
def _spread(device: torch.device, dtype: torch.dtype) -> Tensor:
    """(9, 16): where each of 3x3 taps goes among 4x4. Along each axis the four are w2, w1 + w2, w0 + w1, w0."""
    axis = torch.tensor([[0.0, 0.0, 1.0, 1.0], [0.0, 1.0, 1.0, 0.0], [1.0, 1.0, 0.0, 0.0]])
    return torch.kron(axis, axis).to(device, dtype)
