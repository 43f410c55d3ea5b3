"""A convolution whose derivatives of any order are as quick as the convolution itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from ganwright.networks.parts import phases, products, taps
from ganwright.networks.parts.constants import traced
from ganwright.networks.parts.phases import doubled
from ganwright.runtime.precision import product_type


@dataclass(frozen=True)
class _Geometry:
    """What is fixed while the three tensors change places."""

    padding: int
    groups: int
    stride: int

    def forward(self, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        """The convolution, in the quickest way; autograd cannot look into it."""
        sides = self.sides(x, weight)
        if products.pays_forwards(weight, x.dtype, sides, self.stride, self.groups):
            return products.convolved(x, weight, bias, sides, self.stride, self.padding)
        return self.plain(x, weight, bias)

    def plain(self, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        """The convolution, by torch."""
        return torch.conv2d(x, weight, bias, stride=self.stride, padding=self.padding, groups=self.groups)

    def sides(self, x: Tensor, weight: Tensor) -> list[int]:
        """Height and width of what comes out."""
        before_and_span = zip(x.shape[2:], weight.shape[2:], strict=True)
        return [(before + 2 * self.padding - span) // self.stride + 1 for before, span in before_and_span]

    def halves(self, weight: Tensor) -> bool:
        """Whether it is the transpose of what `doubled` computes, of even sides."""
        return (self.stride, self.padding, self.groups, *weight.shape[2:]) == (2, 1, 1, 4, 4)

    def transpose(self, slope: Tensor, weight: Tensor, like: Tensor) -> Tensor:
        """The gradient at the input, of the shape of `like`."""
        if self.halves(weight) and tuple(like.shape[2:]) == (2 * slope.shape[2], 2 * slope.shape[3]):
            if phases.pays(weight):
                return doubled(slope, weight)
            return torch.conv_transpose2d(slope, weight, stride=2, padding=1)
        return self._torchs(slope, like, weight, of_input=True)

    def of_weight(self, slope: Tensor, x: Tensor, like: Tensor) -> Tensor:
        """The gradient at the weight, of the shape of `like`."""
        if products.pays(like, x.dtype, slope[:, 0].numel(), self.groups):
            height, width = like.shape[2:]
            return products.of_weight(slope, x, (height, width), self.stride, self.padding)
        return self._torchs(slope, x, like, of_input=False)

    def _torchs(self, slope: Tensor, x: Tensor, weight: Tensor, of_input: bool) -> Tensor:
        """The gradient at the input, or else at the weight, where `slope` is that at the output."""
        strides, sides = [self.stride, self.stride], [self.padding, self.padding]
        mask = [of_input, not of_input, False]
        results: Sequence[Tensor] = torch.ops.aten.convolution_backward(
            slope, x, weight, None, strides, sides, [1, 1], False, [0, 0], self.groups, mask
        )
        return results[0 if of_input else 1]


def conv2d(
    x: Tensor, weight: Tensor, bias: Tensor | None = None, *, padding: int = 0, groups: int = 1, stride: int = 1
) -> Tensor:
    """torch.conv2d of x (B, C, H, W) with weight (out, C / groups, k, k), for networks whose slopes are penalised.

    The sum of a convolution's output times any third tensor is linear in the input, in the weight and in that tensor, so
    every derivative is a convolution, its transpose, or the gradient of a weight. torch's own second derivative asks instead
    for a convolution with a kernel as large as the picture, group by group; here the three are each other's derivatives.
    """
    x, weight, bias = _narrowed(x, weight, bias)
    geometry = _Geometry(padding, groups, stride)
    if traced():
        return geometry.plain(x, weight, bias)
    if not torch.is_grad_enabled():
        return geometry.forward(x, weight, bias)
    carrier = _Carrier.apply(weight, bias, _Held(x), geometry)
    return _Convolution.apply(x, weight, bias, carrier, geometry)


def learned_conv2d(
    x: Tensor, weight: Tensor, bias: Tensor | None = None, *, padding: int = 0, groups: int = 1, stride: int = 1
) -> Tensor:
    """torch.conv2d of x (B, C, H, W) with weight (out, C / groups, k, k), in the quickest way there is to learn from it."""
    if taps.pays(weight, product_type(x), stride, groups):
        return taps.convolved(*_narrowed(x, weight, bias), padding)
    geometry = _Geometry(padding, groups, stride)
    pixels = len(x) * math.prod(geometry.sides(x, weight))
    picture = geometry.halves(weight) and phases.pays(weight)
    if picture or products.pays(weight, product_type(x), pixels, groups):
        return conv2d(x, weight, bias, padding=padding, groups=groups, stride=stride)
    return geometry.plain(x, weight, bias)


def doubling(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """torch.conv_transpose2d(x, weight, bias, stride=2, padding=1), x (B, in, H, W), weight (in, out, 4, 4), in the quickest
    way there is."""
    quick = phases.pays(weight) or products.pays(weight, product_type(x), x[:, 0].numel(), groups=1)
    if traced() or not quick:
        return torch.conv_transpose2d(x, weight, bias, stride=2, padding=1)
    x, weight, bias = _narrowed(x, weight, bias)
    height, width = x.shape[2:]
    like = x.new_zeros(()).expand(len(x), weight.shape[1], 2 * height, 2 * width)
    y = _OfInput.apply(x, weight, like, _Geometry(padding=1, groups=1, stride=2))
    return y if bias is None else y.add_(bias.view(-1, 1, 1))


def _narrowed(x: Tensor, weight: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor, Tensor | None]:
    """As autocast has them, which does not see what a function in Python computes."""
    if not torch.is_autocast_enabled(x.device.type):
        return x, weight, bias
    narrow = product_type(x)
    return x.to(narrow), weight.to(narrow), None if bias is None else bias.to(narrow)


@dataclass(frozen=True)
class _Held:
    """A tensor that autograd must not see as an argument."""

    x: Tensor


class _Convolution(Function):
    """Has the gradient of its input; that of its weight and bias goes through the carrier.

    A function in Python computes the gradients of all its arguments, though a penalty asks for the input's alone. In a node
    of its own the weight's is left out by autograd when nobody wants it.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, carrier: Tensor, geometry: _Geometry) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.geometry = geometry
        return geometry.forward(x, weight, bias)

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> Any:
        (slope,) = slopes
        x, weight = ctx.saved_tensors
        of_input = _OfInput.apply(slope, weight, x.detach(), ctx.geometry) if ctx.needs_input_grad[0] else None
        return of_input, None, None, slope, None


class _Carrier(Function):
    """No values of its own: where the slope of the output comes in, the gradients of weight and bias go out."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, bias: Tensor | None, held: _Held, geometry: _Geometry) -> Tensor:
        ctx.save_for_backward(weight)
        ctx.held, ctx.geometry, ctx.biased = held, geometry, bias is not None
        x, out = held.x, weight.shape[0]
        return x.new_zeros(()).expand(x.shape[0], out, *geometry.sides(x, weight))

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> Any:
        (slope,) = slopes
        (weight,) = ctx.saved_tensors
        of_bias = slope.sum((0, 2, 3)) if ctx.biased else None
        return _OfWeight.apply(slope, ctx.held.x, weight.detach(), ctx.geometry), of_bias, None, None


class _OfInput(Function):
    """The gradient at the input, linear in the slope and in the weight; `like` gives its shape."""

    @staticmethod
    def forward(ctx: Any, slope: Tensor, weight: Tensor, like: Tensor, geometry: _Geometry) -> Tensor:
        ctx.save_for_backward(slope, weight)
        ctx.geometry = geometry
        return geometry.transpose(slope, weight, like)

    @staticmethod
    def backward(ctx: Any, *probes: Tensor) -> Any:
        (probe,) = probes
        slope, weight = ctx.saved_tensors
        of_slope = conv2d_of(probe, weight, ctx.geometry) if ctx.needs_input_grad[0] else None
        of_weight = _OfWeight.apply(slope, probe, weight.detach(), ctx.geometry) if ctx.needs_input_grad[1] else None
        return of_slope, of_weight, None, None


class _OfWeight(Function):
    """The gradient at the weight, linear in the slope and in the input; `like` gives its shape."""

    @staticmethod
    def forward(ctx: Any, slope: Tensor, x: Tensor, like: Tensor, geometry: _Geometry) -> Tensor:
        ctx.save_for_backward(slope, x)
        ctx.geometry = geometry
        return geometry.of_weight(slope, x, like)

    @staticmethod
    def backward(ctx: Any, *probes: Tensor) -> Any:
        (probe,) = probes
        slope, x = ctx.saved_tensors
        of_slope = conv2d_of(x, probe, ctx.geometry) if ctx.needs_input_grad[0] else None
        of_input = _OfInput.apply(slope, probe, x.detach(), ctx.geometry) if ctx.needs_input_grad[1] else None
        return of_slope, of_input, None, None


def conv2d_of(x: Tensor, weight: Tensor, geometry: _Geometry) -> Tensor:
    """`conv2d` with a geometry that is known."""
    return conv2d(x, weight, padding=geometry.padding, groups=geometry.groups, stride=geometry.stride)
