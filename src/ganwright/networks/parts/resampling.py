"""Twice and half the size with a soft filter, so that no detail is folded onto a coarser one."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.nn.functional import conv2d, conv_transpose2d, pad

from ganwright.networks.parts.constants import kept
from ganwright.runtime.precision import product_type

TAPS = (1.0, 3.0, 3.0, 1.0)
"""Binomial, [1, 2, 1] convolved with [1, 1]; Karras et al. 2020 (arXiv:1912.04958) and Huang et al. 2024 (arXiv:2501.05441)
resample with it. Doubling with it is bilinear interpolation."""


def upsample(x: Tensor, size: tuple[int, int]) -> Tensor:
    """(B, C, h, w) to (B, C, H, W), where H is 2h or 2h - 1, and W likewise: the surplus row or column is cut off.

    Beyond the edge lies zero, as in the convolutions. As a depthwise convolution in channels-last memory this is the fastest
    of the forms that were tried on a CPU (32 to 128 channels, 64x64, batch 32): interpolation, slices, products of matrices
    and shuffled phases took 3 to 30 times as long with their gradients.
    """
    doubled = _Doubled.apply(x, 4.0)
    return doubled if doubled.shape[2:] == size else doubled[:, :, : size[0], : size[1]]


def downsample(x: Tensor) -> Tensor:
    """(B, C, H, W) to (B, C, h, w), odd sides halved upwards: a quarter of the transpose of `upsample`."""
    odd = (x.shape[2] % 2, x.shape[3] % 2)
    return _Halved.apply(pad(x, (0, odd[1], 0, odd[0])) if any(odd) else x, 1.0)


class _Doubled(Function):
    """Linear, so that its derivative is its transpose, and theirs are each other's.

    torch's second derivative of a depthwise convolution goes through the channels one by one, for a gradient of the kernel
    that nobody wants.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, total: float) -> Tensor:
        ctx.total = total
        if x.device.type != "cpu" or (narrow := product_type(x)) != torch.bfloat16:
            return _spread(x, total)
        # In half precision a CPU takes 14 to 70 times as long for it as in single.
        with torch.autocast("cpu", enabled=False):
            return _spread(x.float(), total).to(narrow)

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor, None]:
        (slope,) = slopes
        return _Halved.apply(slope, ctx.total), None


def _spread(x: Tensor, total: float) -> Tensor:
    kernel = _kernel(x.shape[1], x.device, x.dtype, total)
    return conv_transpose2d(x, kernel, stride=2, padding=1, groups=x.shape[1])


class _Halved(Function):
    """The other way round."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, total: float) -> Tensor:
        ctx.total = total
        kernel = _kernel(x.shape[1], x.device, x.dtype, total)
        return conv2d(x, kernel, stride=2, padding=1, groups=x.shape[1])

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor, None]:
        (slope,) = slopes
        return _Doubled.apply(slope, ctx.total), None


@kept
def _kernel(channels: int, device: torch.device, dtype: torch.dtype, total: float) -> Tensor:
    """(C, 1, 4, 4): the outer product of the taps with themselves, of sum `total`."""
    taps = torch.tensor(TAPS)
    kernel = torch.outer(taps, taps) * (total / taps.sum().square())
    return kernel.repeat(channels, 1, 1, 1).to(device, dtype)
