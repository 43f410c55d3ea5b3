"""The largest or the mean of windows and of whole records."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from ganwright.networks.keras.convolution import convolved_sizes, same_padding
from ganwright.networks.keras.layer import Layer, Now, need_axes
from ganwright.networks.keras.values import (
    ChannelsLast,
    Flag,
    MaybeSizes1,
    MaybeSizes2,
    Padding,
    Shape,
    Sizes1,
    Sizes2,
)


class Pooling(Layer, ABC):
    """Base of the layers that look at windows."""

    pool_size: Shape
    strides: Shape | None
    padding: str

    def output_shape(self, *shapes: Shape) -> Shape:
        need_axes(shapes[0], len(self.pool_size) + 1)
        one = (1,) * len(self.pool_size)
        sizes = convolved_sizes(shapes[0], self.pool_size, self.strides or self.pool_size, self.padding, one)
        return (*sizes, shapes[0][-1])

    @abstractmethod
    def pool(self, x: Tensor, strides: Shape, around: Sequence[tuple[int, int]]) -> Tensor:
        """(B, C, *sizes), with room around it that counts for nothing."""

    def call(self, now: Now, *inputs: Tensor) -> Tensor:
        x, strides = inputs[0].movedim(-1, 1), self.strides or self.pool_size
        around = [(0, 0) for _ in strides]
        if self.padding == "same":
            sides = zip(x.shape[2:], self.pool_size, strides, strict=True)
            around = [same_padding(size, window, stride) for size, window, stride in sides]
        return self.pool(x, strides, around).movedim(1, -1)


def _pad(x: Tensor, around: Sequence[tuple[int, int]], value: float) -> Tensor:
    sides = [side for pair in reversed(around) for side in pair]
    return F.pad(x, sides, value=value) if any(sides) else x


class MaxPooling(Pooling):
    """Base: the largest of each window."""

    def pool(self, x: Tensor, strides: Shape, around: Sequence[tuple[int, int]]) -> Tensor:
        function = F.max_pool1d if len(strides) == 1 else F.max_pool2d
        return function(_pad(x, around, -math.inf), self.pool_size, strides)


class AveragePooling(Pooling):
    """Base: the mean of each window, over the places within the record."""

    def pool(self, x: Tensor, strides: Shape, around: Sequence[tuple[int, int]]) -> Tensor:
        function = F.avg_pool1d if len(strides) == 1 else F.avg_pool2d
        window, step = list(self.pool_size), list(strides)
        means = function(_pad(x, around, 0.0), window, step)
        if not any(map(any, around)):
            return means
        inside = x.new_ones(1, 1, *x.shape[2:])
        return means / function(_pad(inside, around, 0.0), window, step)


@dataclass(frozen=True)
class MaxPooling1D(MaxPooling):
    """(steps, channels) -> (fewer steps, channels)."""

    pool_size: Sizes1 = (2,)
    strides: MaybeSizes1 = None
    padding: Padding = "valid"
    data_format: ChannelsLast = None


@dataclass(frozen=True)
class MaxPooling2D(MaxPooling):
    """(height, width, channels) -> (smaller height, smaller width, channels)."""

    pool_size: Sizes2 = (2, 2)
    strides: MaybeSizes2 = None
    padding: Padding = "valid"
    data_format: ChannelsLast = None


@dataclass(frozen=True)
class AveragePooling1D(AveragePooling):
    """(steps, channels) -> (fewer steps, channels)."""

    pool_size: Sizes1 = (2,)
    strides: MaybeSizes1 = None
    padding: Padding = "valid"
    data_format: ChannelsLast = None


@dataclass(frozen=True)
class AveragePooling2D(AveragePooling):
    """(height, width, channels) -> (smaller height, smaller width, channels)."""

    pool_size: Sizes2 = (2, 2)
    strides: MaybeSizes2 = None
    padding: Padding = "valid"
    data_format: ChannelsLast = None


class GlobalPooling(Layer):
    """Base of the layers that look at whole records."""

    rank = 1
    keepdims: bool

    def output_shape(self, *shapes: Shape) -> Shape:
        need_axes(shapes[0], self.rank + 1)
        return (*(1,) * self.rank, shapes[0][-1]) if self.keepdims else shapes[0][-1:]


class GlobalAverage(GlobalPooling):
    """Base: the mean of each channel."""

    def call(self, now: Now, *inputs: Tensor) -> Tensor:
        return inputs[0].mean(tuple(range(1, self.rank + 1)), keepdim=self.keepdims)


class GlobalMax(GlobalPooling):
    """Base: the largest of each channel."""

    def call(self, now: Now, *inputs: Tensor) -> Tensor:
        return inputs[0].amax(tuple(range(1, self.rank + 1)), keepdim=self.keepdims)


@dataclass(frozen=True)
class GlobalAveragePooling1D(GlobalAverage):
    """(steps, channels) -> (channels,)."""

    data_format: ChannelsLast = None
    keepdims: Flag = False


@dataclass(frozen=True)
class GlobalAveragePooling2D(GlobalAverage):
    """(height, width, channels) -> (channels,)."""

    data_format: ChannelsLast = None
    keepdims: Flag = False

    rank = 2


@dataclass(frozen=True)
class GlobalMaxPooling1D(GlobalMax):
    """(steps, channels) -> (channels,)."""

    data_format: ChannelsLast = None
    keepdims: Flag = False


@dataclass(frozen=True)
class GlobalMaxPooling2D(GlobalMax):
    """(height, width, channels) -> (channels,)."""

    data_format: ChannelsLast = None
    keepdims: Flag = False

    rank = 2
