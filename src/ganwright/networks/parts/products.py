"""A convolution, and the gradient at its weight, as one product of matrices: quick on a CPU in bf16 where maps are small."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import pad

MOST_PIXELS = 12
"""Of the maps that come out, for each row of the weight, for it to pay.

In bf16 on two cores with matrix units (AMX): maps of 4x4 of 512 channels from 8x8 of 256, batch 64, took torch 34 ms and
take 4 (a quarter of a pixel for a row; 2: 11 and 7; 57: four times as long). At 16 to 19 pixels a row, whole steps of the
published DCGAN and of the HPCC bundle's are up to a tenth quicker by torch. In single precision torch is as quick.
"""

MOST_PLACES, FEWEST_WEIGHTS = 16, 1 << 20
"""Of one map that comes out with a stride of 2, and in all, for a convolution as a product to pay.

In bf16 on two cores without matrix units (AVX-512), 256 channels of 8x8 to 512 of 4x4: torch took 7.8 ms for a batch of 64,
this 6.4; of 16, 3.0 and 1.7. With half of the weights there is no difference, and of maps of 8x8 torch is a fifth quicker.
"""

MOST_BYTES = 4 << 20
"""Of a matrix of what pixels see. Pictures beyond it come in parts, which is as quick and holds less memory."""


def pays(weight: Tensor, dtype: torch.dtype, pixels: int, groups: int) -> bool:
    """Whether `of_weight` is quicker than torch: for a weight (out, C, k, k), the type that is computed in, and so many
    pixels of one channel of all that comes out."""
    return _may_pay(weight, dtype, groups) and pixels <= MOST_PIXELS * math.prod(weight.shape[1:])


def pays_forwards(weight: Tensor, dtype: torch.dtype, sides: Sequence[int], stride: int, groups: int) -> bool:
    """Whether `convolved` is quicker than torch, where maps of `sides` (h, w) come out."""
    small = stride == 2 and math.prod(sides) <= MOST_PLACES and weight.numel() >= FEWEST_WEIGHTS
    return small and _may_pay(weight, dtype, groups)


def convolved(x: Tensor, weight: Tensor, bias: Tensor | None, sides: Sequence[int], stride: int, padding: int) -> Tensor:
    """torch.conv2d of x (B, C, H, W) with weight (out, C, k, k), of which maps of `sides` (h, w) come out.

    Autograd cannot look into it.
    """
    out, _, *kernel = weight.shape
    taps = weight.permute(2, 3, 1, 0).reshape(-1, out)
    # No view of another tensor, so that what comes next may write over it.
    y = torch.empty(len(x), out, *sides, dtype=x.dtype, memory_format=torch.channels_last)
    maps = y.permute(0, 2, 3, 1).copy_(x.new_zeros(()) if bias is None else bias)
    pictures = _at_once(x, kernel, sides)
    for some, theirs in zip(x.split(pictures), maps.split(pictures), strict=True):
        theirs.view(-1, out).addmm_(_seen(some, kernel, sides, stride, padding), taps)
    return y


def of_weight(slope: Tensor, x: Tensor, kernel: tuple[int, int], stride: int, padding: int) -> Tensor:
    """The gradient (out, C, *kernel) at the weight of a convolution of x (B, C, H, W), where `slope` (B, out, h, w) is that
    at its output. Autograd cannot look into it."""
    out, *sides = slope.shape[1:]
    pictures = _at_once(x, kernel, sides)
    taps = x.new_zeros(out, math.prod(kernel) * x.shape[1])
    for some, theirs in zip(x.split(pictures), slope.split(pictures), strict=True):
        taps.addmm_(theirs.permute(0, 2, 3, 1).reshape(-1, out).t(), _seen(some, kernel, sides, stride, padding))
    return taps.view(out, *kernel, x.shape[1]).permute(0, 3, 1, 2)


def _may_pay(weight: Tensor, dtype: torch.dtype, groups: int) -> bool:
    return weight.device.type == "cpu" and dtype == torch.bfloat16 and groups == 1 and weight.shape[2] > 1


def _at_once(x: Tensor, kernel: Sequence[int], sides: Sequence[int]) -> int:
    """Pictures of x (B, C, H, W) whose pixels' matrix is within MOST_BYTES; one at least."""
    return max(1, MOST_BYTES // (math.prod(sides) * math.prod(kernel) * x.shape[1] * x.element_size()))


def _seen(x: Tensor, kernel: Sequence[int], sides: Sequence[int], stride: int, padding: int) -> Tensor:
    """What each pixel of maps of `sides` (h, w) sees of x (B, C, H, W): a row a pixel, (B * h * w, k * k * C)."""
    batch, channels = x.shape[:2]
    seen = pad(x.permute(0, 2, 3, 1), (0, 0, padding, padding, padding, padding)).contiguous()
    of_picture, of_row = seen.stride()[:2]
    size = (batch, *sides, *kernel, channels)
    steps = (of_picture, stride * of_row, stride * channels, of_row, channels, 1)
    return seen.as_strided(size, steps).reshape(batch * math.prod(sides), -1)
