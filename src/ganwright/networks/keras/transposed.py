"""Transposed convolutions: the gradient of a convolution with TensorFlow's padding, taken as a layer."""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from ganwright.networks.keras.activations import LINEAR, ActivationFunction
from ganwright.networks.keras.convolution import torch_order, zeros_after
from ganwright.networks.keras.elementwise import AnyActivation
from ganwright.networks.keras.initializers import GLOROT_UNIFORM, ZEROS, Fill, Initializer
from ganwright.networks.keras.layer import Activated, Now, Weight, need_axes
from ganwright.networks.keras.values import (
    ChannelsLast,
    Count,
    Flag,
    MaybeExtra1,
    MaybeExtra2,
    Padding,
    Shape,
    Sizes1,
    Sizes2,
    Unsupported,
)


class Transposed(Activated):
    """Base of the transposed convolutions."""

    filters: int
    kernel_size: Shape
    strides: Shape
    padding: str
    output_padding: Shape | None
    dilation_rate: Shape
    use_bias: bool
    activation: ActivationFunction
    kernel_initializer: Fill
    bias_initializer: Fill

    def __post_init__(self) -> None:
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError("takes strides or dilation_rate above 1, not both")
        for extra, stride in zip(self.output_padding or (), self.strides, strict=False):
            if extra >= stride:
                raise ValueError(f"takes an output_padding below its strides, not {extra}")

    def _spans(self) -> list[int]:
        return [(taps - 1) * apart + 1 for taps, apart in zip(self.kernel_size, self.dilation_rate, strict=True)]

    def _sizes(self, sizes: Shape) -> Shape:
        """Of the result: every place that an input reaches, less what the padding of the forward convolution was."""
        found: list[int] = []
        for axis, (size, span, stride) in enumerate(zip(sizes, self._spans(), self.strides, strict=True)):
            extra = self.output_padding[axis] if self.output_padding else None
            if self.padding == "valid":
                found.append((size - 1) * stride + (max(span, stride) if extra is None else span + extra))
            else:
                found.append(size * stride if extra is None else (size - 1) * stride + span % 2 + extra)
        return tuple(found)

    def output_shape(self, *shapes: Shape) -> Shape:
        need_axes(shapes[0], len(self.kernel_size) + 1)
        sizes = self._sizes(shapes[0][:-1])
        if min(sizes) < 1:
            raise ValueError("leaves nothing of the record")
        return (*sizes, self.filters)

    def weights(self, *shapes: Shape) -> tuple[Weight, ...]:
        # Keras has (*kernel, out, in) here, and torch (in, out, *kernel): the same exchange of axes.
        shape = (*self.kernel_size, self.filters, shapes[0][-1])
        kernel = Weight("weight", shape, self.kernel_initializer, torch_order(len(self.kernel_size)))
        return (kernel, Weight("bias", (self.filters,), self.bias_initializer)) if self.use_bias else (kernel,)

    def call(self, now: Now, *inputs: Tensor) -> Tensor:
        x, weight, bias = inputs[0].movedim(-1, 1), now.weights["weight"], now.weights.get("bias")
        wanted = self._sizes(tuple(x.shape[2:]))
        before: list[int] = []
        extra: list[int] = []
        left: list[int] = []
        for size, span, stride, target in zip(x.shape[2:], self._spans(), self.strides, wanted, strict=True):
            # The forward convolution's padding, the odd zero at its end, is what is cut off here.
            cut = max(((size - 1) * stride + span - target) // 2, 0)
            natural = (size - 1) * stride + span - 2 * cut
            before.append(cut)
            extra.append(min(max(target - natural, 0), stride - 1))
            left.append(target - natural - extra[-1])
        function = F.conv_transpose1d if len(wanted) == 1 else F.conv_transpose2d
        beyond = any(size > 0 for size in left)  # places that no input reaches: zeros, to which the bias is added too
        x = function(x, weight, None if beyond else bias, self.strides, before, extra, 1, self.dilation_rate)
        if any(left):
            x = F.pad(x, zeros_after(left))  # negative sizes cut
        if beyond and bias is not None:
            x = x + bias.view(-1, *(1 for _ in wanted))
        return self.activation(x.movedim(1, -1))


@dataclass(frozen=True)
class Conv1DTranspose(Transposed):
    """(steps, channels) -> (more steps, filters)."""

    filters: Count
    kernel_size: Sizes1
    strides: Sizes1 = (1,)
    padding: Padding = "valid"
    output_padding: MaybeExtra1 = None
    data_format: ChannelsLast = None
    dilation_rate: Sizes1 = (1,)
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
class Conv2DTranspose(Transposed):
    """(height, width, channels) -> (larger height, larger width, filters)."""

    filters: Count
    kernel_size: Sizes2
    strides: Sizes2 = (1, 1)
    padding: Padding = "valid"
    output_padding: MaybeExtra2 = None
    data_format: ChannelsLast = None
    dilation_rate: Sizes2 = (1, 1)
    activation: AnyActivation = LINEAR
    use_bias: Flag = True
    kernel_initializer: Initializer = GLOROT_UNIFORM
    bias_initializer: Initializer = ZEROS
    kernel_regularizer: Unsupported = None
    bias_regularizer: Unsupported = None
    activity_regularizer: Unsupported = None
    kernel_constraint: Unsupported = None
    bias_constraint: Unsupported = None
