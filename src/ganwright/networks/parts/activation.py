"""LeakyReLU in the memory of what it is applied to."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.nn.functional import leaky_relu, leaky_relu_

from ganwright.networks.parts.constants import traced


class LeakyReLU(nn.LeakyReLU):
    """As torch's, for the result of a layer that nobody else looks at: its memory is written over.

    A map is kept once instead of twice for the backward pass. And where a penalty differentiates a gradient, torch's second
    derivative makes a map of zeros to say that the kink has none; this one says nothing.
    """

    def forward(self, input: Tensor) -> Tensor:
        return leaky(input, self.negative_slope)


def leaky(x: Tensor, slope: float) -> Tensor:
    """max(x, slope * x), of a slope in 0..1, written over x: the result of an operation that does not remember it."""
    if traced():
        return leaky_relu(x, slope)
    return _Leaky.apply(x, slope) if torch.is_grad_enabled() and x.requires_grad else leaky_relu_(x, slope)


class _Leaky(Function):
    """Remembers its result, whose sign is that of what it was applied to."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, slope: float) -> Tensor:
        ctx.mark_dirty(x)
        leaky_relu_(x, slope)
        ctx.save_for_backward(x)
        ctx.slope = slope
        return x

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor, None]:
        (slope,) = slopes
        (result,) = ctx.saved_tensors
        return _Masked.apply(slope, result.detach(), ctx.slope), None


class _Masked(Function):
    """Linear in the gradient that comes in; its derivative is the same operation."""

    @staticmethod
    def forward(ctx: Any, gradient: Tensor, result: Tensor, slope: float) -> Tensor:
        ctx.save_for_backward(result)
        ctx.slope = slope
        # Of two maps that lie otherwise in memory (past a flattened one), torch takes ten times as long as of two alike.
        return torch.ops.aten.leaky_relu_backward(_laid_like(result, gradient), result, slope, True)

    @staticmethod
    def backward(ctx: Any, *probes: Tensor) -> tuple[Tensor, None, None]:
        (probe,) = probes
        (result,) = ctx.saved_tensors
        return _Masked.apply(probe, result, ctx.slope), None, None


def _laid_like(result: Tensor, gradient: Tensor) -> Tensor:
    if gradient.stride() == result.stride() or not result.is_contiguous(memory_format=torch.channels_last):
        return gradient
    return gradient.contiguous(memory_format=torch.channels_last)
