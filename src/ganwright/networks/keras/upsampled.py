"""UpSampling2D() and the 3x3 convolution behind it as one operation, which is what most generators spend their time on."""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from ganwright.networks.keras.convolution import Conv2D
from ganwright.networks.keras.layer import Layer, Now
from ganwright.networks.keras.reshaping import UpSampling2D
from ganwright.networks.parts.convolution import doubling


@dataclass(frozen=True)
class UpsampledConv2D(Conv2D):
    """Conv2D(..., 3, padding="same") of an enlarged picture, computed from the picture before it was enlarged.

    Every 2x2 block of the enlarged picture holds one pixel four times, so the nine taps fall on four pixels. A transposed
    convolution by 4x4 sums of taps is the same function, with less than half of the products.
    """

    def call(self, now: Now, *inputs: Tensor) -> Tensor:
        kernel = _spread(_spread(now.weights["weight"], 3), 2).transpose(0, 1)
        x = doubling(inputs[0].permute(0, 3, 1, 2), kernel, now.weights.get("bias"))
        return self.activation(x.permute(0, 2, 3, 1))


def merged(enlarging: Layer, convolution: Layer) -> UpsampledConv2D | None:
    """The one operation that two rows can be, if they can."""
    if not isinstance(enlarging, UpSampling2D) or type(convolution) is not Conv2D:
        return None
    found = (enlarging.size, enlarging.interpolation, convolution.kernel_size, convolution.padding)
    plain = (convolution.strides, convolution.dilation_rate, convolution.groups) == ((1, 1), (1, 1), 1)
    if found != ((2, 2), "nearest", (3, 3), "same") or not plain:
        return None
    return UpsampledConv2D(**{field.name: getattr(convolution, field.name) for field in fields(convolution)})


def _spread(weight: Tensor, axis: int) -> Tensor:
    """Three taps along an axis to four, in the order in which a transposed convolution lays them down."""
    first, second, third = weight.unbind(axis)
    return torch.stack([third, second + third, first + second, first], axis)
