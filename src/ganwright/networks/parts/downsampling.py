"""A convolution, and half the height and width, in one operation."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, pad


class ConvDownsample2d(nn.Conv2d):
    """A 3x3 convolution followed by means over 2x2, (B, C, H, W) -> (B, out_channels, H / 2, W / 2), halved upwards.

    Computed as the strided 4x4 convolution that is exactly the same function: its kernel is the mean of the four places of
    the 3x3 kernel, with 16 taps in the place of 36. An odd side gets a row of zeros more. The weight is (out, in, 3, 3).
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels, 3)

    def forward(self, input: Tensor) -> Tensor:
        height, width = input.shape[2:]
        x = pad(input, (0, width % 2, 0, height % 2)) if height % 2 or width % 2 else input
        weight = self.weight
        kernel = (weight.reshape(-1, 9) @ _mean_of_places(weight.device, weight.dtype)).view(*weight.shape[:2], 4, 4)
        return conv2d(x, kernel, self.bias, stride=2, padding=1)


@cache
def _mean_of_places(device: torch.device, dtype: torch.dtype) -> Tensor:
    """(9, 16): where each of 3x3 taps goes among 4x4. Along each axis the four are w0, w0 + w1, w1 + w2, w2, halved."""
    with torch.inference_mode(False):  # first asked for while scoring, it must serve training too
        axis = torch.tensor([[0.5, 0.5, 0.0, 0.0], [0.0, 0.5, 0.5, 0.0], [0.0, 0.0, 0.5, 0.5]])
        return torch.kron(axis, axis).to(device, dtype)
