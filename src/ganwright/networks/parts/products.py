"""The gradient at a convolution's weight as one product of matrices: quick on a CPU in bf16 where maps are small."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import pad

MOST_PIXELS = 12
"""Of the maps that come out, for each row of the weight, for it to pay.

In bf16 on two cores with matrix units (AMX): maps of 4x4 of 512 channels from 8x8 of 256, batch 64, took torch 34 ms and
take 4 (a quarter of a pixel for a row; 2: 11 and 7; 57: four times as long). At 16 to 19 pixels a row, whole steps of the
published DCGAN and of the HPCC bundle's are up to a tenth quicker by torch. In single precision torch is as quick.
"""


def pays(weight: Tensor, dtype: torch.dtype, pixels: int, groups: int) -> bool:
    """Whether `of_weight` is quicker than torch: for a weight (out, C, k, k), the type that is computed in, and so many
    pixels of one channel of all that comes out."""
    if weight.device.type != "cpu" or dtype != torch.bfloat16 or groups != 1 or weight.shape[2] == 1:
        return False
    return pixels <= MOST_PIXELS * math.prod(weight.shape[1:])


def of_weight(slope: Tensor, x: Tensor, kernel: tuple[int, int], stride: int, padding: int) -> Tensor:
    """The gradient (out, C, *kernel) at the weight of a convolution of x (B, C, H, W), where `slope` (B, out, h, w) is that
    at its output.

    What each pixel of the output has seen is a row of a matrix, and the slopes there a row of another.
    """
    batch, out, height, width = slope.shape
    channels = x.shape[1]
    seen = pad(x.permute(0, 2, 3, 1), (0, 0, padding, padding, padding, padding)).contiguous()
    of_picture, of_row = seen.stride()[:2]
    size = (batch, height, width, *kernel, channels)
    steps = (of_picture, stride * of_row, stride * channels, of_row, channels, 1)
    rows = seen.as_strided(size, steps).reshape(batch * height * width, -1)
    slopes = slope.permute(0, 2, 3, 1).reshape(len(rows), out)
    return (slopes.t() @ rows).view(out, *kernel, channels).permute(0, 3, 1, 2)
