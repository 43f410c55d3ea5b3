"""Convolutions over steps and pictures, channels last, with TensorFlow's padding."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import torch.nn.functional as F
from torch import Tensor

from ganwright.networks.keras.activations import LINEAR, ActivationFunction
from ganwright.networks.keras.elementwise import AnyActivation
from ganwright.networks.keras.initializers import GLOROT_UNIFORM, ZEROS, Fill, Initializer
from ganwright.networks.keras.layer import MAX_VALUES, Activated, Now, Weight, need_axes
from ganwright.networks.keras.values import (
    CausalPadding,
    ChannelsLast,
    Count,
    Flag,
    Padding,
    Shape,
    Sizes1,
    Sizes2,
    Unsupported,
    whole,
)
from ganwright.networks.parts.convolution import learned_conv2d

Groups = Annotated[int, whole(1)]


def same_padding(size: int, kernel: int, stride: int, dilation: int = 1) -> tuple[int, int]:
    """TensorFlow's zeros before and after: as many places out as ceil(size / stride), the odd zero at the end."""
    total = max((-(-size // stride) - 1) * stride + (kernel - 1) * dilation + 1 - size, 0)
    return total // 2, total - total // 2


def convolve(
    x: Tensor, weight: Tensor, bias: Tensor | None, strides: Shape, padding: str, dilation: Shape, groups: int = 1
) -> Tensor:
    """(B, C, *sizes) -> (B, out, *sizes): a convolution with padding "valid", "same" or, over steps, "causal"."""
    around = [(0, 0) for _ in strides]
    if padding == "same":
        sides = zip(x.shape[2:], weight.shape[2:], strides, dilation, strict=True)
        around = [same_padding(size, kernel, stride, apart) for size, kernel, stride, apart in sides]
    elif padding == "causal":
        around = [((weight.shape[2] - 1) * dilation[0], 0)]
    if any(before != after for before, after in around):
        x = F.pad(x, [side for pair in reversed(around) for side in pair])
        around = [(0, 0) for _ in strides]
    sides = [before for before, _ in around]
    if len(strides) == 1:
        return F.conv1d(x, weight, bias, strides, sides, dilation, groups)
    if strides[0] == strides[1] and sides[0] == sides[1] and max(dilation) == 1:
        return learned_conv2d(x, weight, bias, padding=sides[0], groups=groups, stride=strides[0])
    return F.conv2d(x, weight, bias, strides, sides, dilation, groups)


def convolved_sizes(shape: Shape, kernel: Shape, strides: Shape, padding: str, dilation: Shape) -> Shape:
    """The sizes that `convolve` gives of records (*sizes, channels).

    Raises:
        ValueError: nothing is left, the padding is absurd, or strides and dilation are both above 1, which Keras refuses.
    """
    if max(strides) > 1 and max(dilation) > 1:
        raise ValueError("takes strides or dilation_rate above 1, not both")
    sizes, spans = shape[:-1], [(taps - 1) * apart + 1 for taps, apart in zip(kernel, dilation, strict=True)]
    if padding == "valid":
        sizes = tuple(size - span + 1 for size, span in zip(sizes, spans, strict=True))
    elif math.prod(size + span for size, span in zip(sizes, spans, strict=True)) * shape[-1] > 4 * MAX_VALUES:
        raise ValueError(f"has a kernel that needs records {shape} with too much padding")
    if min(sizes) < 1:
        raise ValueError("leaves nothing: its kernel is larger than the record")
    return tuple(-(-size // stride) for size, stride in zip(sizes, strides, strict=True))


def torch_order(rank: int) -> tuple[int, ...]:
    """From Keras's (*kernel, in, out) to torch's (out, in, *kernel)."""
    return (rank + 1, rank, *range(rank))


class Convolution(Activated):
    """Base of the plain convolutions."""

    filters: int
    kernel_size: Shape
    strides: Shape
    padding: str
    dilation_rate: Shape
    groups: int
    use_bias: bool
    activation: ActivationFunction
    kernel_initializer: Fill
    bias_initializer: Fill

    def output_shape(self, *shapes: Shape) -> Shape:
        need_axes(shapes[0], len(self.kernel_size) + 1)
        if shapes[0][-1] % self.groups or self.filters % self.groups:
            raise ValueError(f"cannot part {shapes[0][-1]} channels and {self.filters} filters into {self.groups} groups")
        sizes = convolved_sizes(shapes[0], self.kernel_size, self.strides, self.padding, self.dilation_rate)
        return (*sizes, self.filters)

    def weights(self, *shapes: Shape) -> tuple[Weight, ...]:
        shape = (*self.kernel_size, shapes[0][-1] // self.groups, self.filters)
        kernel = Weight("weight", shape, self.kernel_initializer, torch_order(len(self.kernel_size)))
        return (kernel, Weight("bias", (self.filters,), self.bias_initializer)) if self.use_bias else (kernel,)

    def call(self, now: Now, *inputs: Tensor) -> Tensor:
        weight, bias = now.weights["weight"], now.weights.get("bias")
        x = inputs[0].movedim(-1, 1)
        x = convolve(x, weight, bias, self.strides, self.padding, self.dilation_rate, self.groups)
        return self.activation(x.movedim(1, -1))


@dataclass(frozen=True)
class Conv1D(Convolution):
    """(steps, channels) -> (steps, filters)."""

    filters: Count
    kernel_size: Sizes1
    strides: Sizes1 = (1,)
    padding: CausalPadding = "valid"
    data_format: ChannelsLast = None
    dilation_rate: Sizes1 = (1,)
    groups: Groups = 1
    activation: AnyActivation = LINEAR
    use_bias: Flag = True
    kernel_initializer: Initializer = GLOROT_UNIFORM
    bias_initializer: Initializer = ZEROS
    kernel_regularizer: Unsupported = None
    bias_regularizer: Unsupported = None
    activity_regularizer: Unsupported = None
    kernel_constraint: Unsupported = None
    bias_constraint: Unsupported = None


@dataclass(frozen=True)
class Conv2D(Convolution):
    """(height, width, channels) -> (height, width, filters)."""

    filters: Count
    kernel_size: Sizes2
    strides: Sizes2 = (1, 1)
    padding: Padding = "valid"
    data_format: ChannelsLast = None
    dilation_rate: Sizes2 = (1, 1)
    groups: Groups = 1
    activation: AnyActivation = LINEAR
    use_bias: Flag = True
    kernel_initializer: Initializer = GLOROT_UNIFORM
    bias_initializer: Initializer = ZEROS
    kernel_regularizer: Unsupported = None
    bias_regularizer: Unsupported = None
    activity_regularizer: Unsupported = None
    kernel_constraint: Unsupported = None
    bias_constraint: Unsupported = None


class Depthwise(Activated):
    """Base of the convolutions of each channel by itself."""

    kernel_size: Shape
    strides: Shape
    padding: str
    depth_multiplier: int
    dilation_rate: Shape
    use_bias: bool
    activation: ActivationFunction
    depthwise_initializer: Fill
    bias_initializer: Fill

    def _sizes(self, shape: Shape) -> Shape:
        need_axes(shape, len(self.kernel_size) + 1)
        return convolved_sizes(shape, self.kernel_size, self.strides, self.padding, self.dilation_rate)

    def output_shape(self, *shapes: Shape) -> Shape:
        return (*self._sizes(shapes[0]), shapes[0][-1] * self.depth_multiplier)

    def _depthwise(self, name: str, shape: Shape) -> Weight:
        rank = len(self.kernel_size)
        shape = (*self.kernel_size, shape[-1], self.depth_multiplier)
        return Weight(name, shape, self.depthwise_initializer, (rank, rank + 1, *range(rank)))

    def weights(self, *shapes: Shape) -> tuple[Weight, ...]:
        bias = Weight("bias", (shapes[0][-1] * self.depth_multiplier,), self.bias_initializer)
        return (self._depthwise("weight", shapes[0]), *((bias,) if self.use_bias else ()))

    def _convolve(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """(B, C, *sizes) with weight (C, depth, *kernel)."""
        kernel = weight.reshape(-1, 1, *weight.shape[2:])
        return convolve(x, kernel, bias, self.strides, self.padding, self.dilation_rate, x.shape[1])

    def call(self, now: Now, *inputs: Tensor) -> Tensor:
        x = self._convolve(inputs[0].movedim(-1, 1), now.weights["weight"], now.weights.get("bias"))
        return self.activation(x.movedim(1, -1))


@dataclass(frozen=True)
class DepthwiseConv2D(Depthwise):
    """(height, width, channels) -> (height, width, channels * depth_multiplier)."""

    kernel_size: Sizes2
    strides: Sizes2 = (1, 1)
    padding: Padding = "valid"
    depth_multiplier: Count = 1
    data_format: ChannelsLast = None
    dilation_rate: Sizes2 = (1, 1)
    activation: AnyActivation = LINEAR
    use_bias: Flag = True
    depthwise_initializer: Initializer = GLOROT_UNIFORM
    bias_initializer: Initializer = ZEROS
    depthwise_regularizer: Unsupported = None
    bias_regularizer: Unsupported = None
    activity_regularizer: Unsupported = None
    depthwise_constraint: Unsupported = None
    bias_constraint: Unsupported = None


@dataclass(frozen=True)
class SeparableConv2D(Depthwise):
    """A convolution of each channel by itself, then one across channels, (H, W, C) -> (H, W, filters)."""

    filters: Count
    kernel_size: Sizes2
    strides: Sizes2 = (1, 1)
    padding: Padding = "valid"
    data_format: ChannelsLast = None
    dilation_rate: Sizes2 = (1, 1)
    depth_multiplier: Count = 1
    activation: AnyActivation = LINEAR
    use_bias: Flag = True
    depthwise_initializer: Initializer = GLOROT_UNIFORM
    pointwise_initializer: Initializer = GLOROT_UNIFORM
    bias_initializer: Initializer = ZEROS
    depthwise_regularizer: Unsupported = None
    pointwise_regularizer: Unsupported = None
    bias_regularizer: Unsupported = None
    activity_regularizer: Unsupported = None
    depthwise_constraint: Unsupported = None
    pointwise_constraint: Unsupported = None
    bias_constraint: Unsupported = None

    def output_shape(self, *shapes: Shape) -> Shape:
        return (*self._sizes(shapes[0]), self.filters)

    def weights(self, *shapes: Shape) -> tuple[Weight, ...]:
        across = (1, 1, shapes[0][-1] * self.depth_multiplier, self.filters)
        return (
            self._depthwise("depthwise", shapes[0]),
            Weight("pointwise", across, self.pointwise_initializer, torch_order(2)),
            *((Weight("bias", (self.filters,), self.bias_initializer),) if self.use_bias else ()),
        )

    def call(self, now: Now, *inputs: Tensor) -> Tensor:
        x = self._convolve(inputs[0].movedim(-1, 1), now.weights["depthwise"], None)
        x = F.conv2d(x, now.weights["pointwise"], now.weights.get("bias"))
        return self.activation(x.movedim(1, -1))


def zeros_after(sizes: Sequence[int]) -> list[int]:
    """What F.pad takes to add `sizes` at the end of the last axes."""
    return [side for size in reversed(sizes) for side in (0, size)]
