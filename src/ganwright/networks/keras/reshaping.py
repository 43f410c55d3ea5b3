"""Layers that move values, repeat them, leave some out or put zeros around them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

import torch.nn.functional as F
from torch import Tensor

from ganwright.networks.keras.layer import Layer, Now, need_axes
from ganwright.networks.keras.values import ChannelsLast, Count, Integers, Shape, Sizes2, margins, one_of, whole

Margins1 = Annotated[tuple[tuple[int, int], ...], margins(1)]
Margins2 = Annotated[tuple[tuple[int, int], ...], margins(2)]


@dataclass(frozen=True)
class Flatten(Layer):
    """All values of a record in one row."""

    data_format: ChannelsLast = None

    only_shape = True

    def output_shape(self, *shapes: Shape) -> Shape:
        return (math.prod(shapes[0]),)

    def call(self, now: Now, *inputs: Tensor) -> Tensor:
        return inputs[0].reshape(inputs[0].shape[0], -1)


@dataclass(frozen=True)
class Reshape(Layer):
    """The same values in the same order under another shape; one size may be -1."""

    target_shape: Integers

    only_shape = True

    def __post_init__(self) -> None:
        if min(self.target_shape, default=1) < -1 or self.target_shape.count(-1) > 1:
            raise ValueError("takes sizes above zero, one of which may be -1 for what is left")

    def output_shape(self, *shapes: Shape) -> Shape:
        values, known = math.prod(shapes[0]), math.prod(size for size in self.target_shape if size != -1)
        left = values // known if -1 in self.target_shape and known else 1
        if known * left != values:
            raise ValueError(f"{self.target_shape} has not the {values} values of {shapes[0]}")
        return tuple(left if size == -1 else size for size in self.target_shape)

    def call(self, now: Now, *inputs: Tensor) -> Tensor:
        return inputs[0].reshape(inputs[0].shape[0], *self.output_shape(tuple(inputs[0].shape[1:])))


@dataclass(frozen=True)
class Permute(Layer):
    """Axes in another order; the first is 1."""

    dims: Integers

    only_shape = True

    def __post_init__(self) -> None:
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ValueError(f"takes each axis from 1 on once, not {self.dims}")

    def output_shape(self, *shapes: Shape) -> Shape:
        if len(shapes[0]) != len(self.dims):
            raise ValueError(f"{self.dims} orders {len(self.dims)} axes, records are {shapes[0]}")
        return tuple(shapes[0][axis - 1] for axis in self.dims)

    def call(self, now: Now, *inputs: Tensor) -> Tensor:
        return inputs[0].permute(0, *self.dims)


@dataclass(frozen=True)
class RepeatVector(Layer):
    """(F,) -> (n, F)."""

    n: Count

    only_shape = True

    def output_shape(self, *shapes: Shape) -> Shape:
        if len(shapes[0]) != 1:
            raise ValueError(f"needs records of one axis, not {shapes[0]}")
        return (self.n, *shapes[0])

    def call(self, now: Now, *inputs: Tensor) -> Tensor:
        return inputs[0].unsqueeze(1).expand(-1, self.n, -1)


@dataclass(frozen=True)
class UpSampling1D(Layer):
    """Each step `size` times."""

    size: Annotated[int, whole(1)] = 2

    def output_shape(self, *shapes: Shape) -> Shape:
        need_axes(shapes[0], 2)
        return (shapes[0][0] * self.size, shapes[0][1])

    def call(self, now: Now, *inputs: Tensor) -> Tensor:
        return inputs[0].unsqueeze(2).expand(-1, -1, self.size, -1).flatten(1, 2)


@dataclass(frozen=True)
class UpSampling2D(Layer):
    """Each pixel as a block, or bilinear between pixel centres."""

    size: Sizes2 = (2, 2)
    data_format: ChannelsLast = None
    interpolation: Annotated[str, one_of("nearest", "bilinear")] = "nearest"

    def output_shape(self, *shapes: Shape) -> Shape:
        need_axes(shapes[0], 3)
        height, width, channels = shapes[0]
        return (height * self.size[0], width * self.size[1], channels)

    def call(self, now: Now, *inputs: Tensor) -> Tensor:
        x = inputs[0].permute(0, 3, 1, 2)
        size = [x.shape[2] * self.size[0], x.shape[3] * self.size[1]]
        align = None if self.interpolation == "nearest" else False
        return F.interpolate(x, size, mode=self.interpolation, align_corners=align).permute(0, 2, 3, 1)


def _padded(shape: Shape, around: tuple[tuple[int, int], ...]) -> Shape:
    need_axes(shape, len(around) + 1)
    return (*(size + sum(pair) for size, pair in zip(shape, around, strict=False)), shape[-1])


def _pad(x: Tensor, around: tuple[tuple[int, int], ...]) -> Tensor:
    """Zeros around (B, ..., C); negative margins cut."""
    return F.pad(x, [0, 0, *(side for pair in reversed(around) for side in pair)])


def _cropped(shape: Shape, around: tuple[tuple[int, int], ...]) -> Shape:
    left = _padded(shape, tuple((-before, -after) for before, after in around))
    if min(left) < 1:
        raise ValueError(f"leaves nothing of records {shape}")
    return left


@dataclass(frozen=True)
class ZeroPadding1D(Layer):
    """Zeros before the first and after the last step."""

    padding: Margins1 = ((1, 1),)
    data_format: ChannelsLast = None

    def output_shape(self, *shapes: Shape) -> Shape:
        return _padded(shapes[0], self.padding)

    def call(self, now: Now, *inputs: Tensor) -> Tensor:
        return _pad(inputs[0], self.padding)


@dataclass(frozen=True)
class ZeroPadding2D(Layer):
    """Zeros around a picture."""

    padding: Margins2 = ((1, 1), (1, 1))
    data_format: ChannelsLast = None

    def output_shape(self, *shapes: Shape) -> Shape:
        return _padded(shapes[0], self.padding)

    def call(self, now: Now, *inputs: Tensor) -> Tensor:
        # As (B, C, H, W), so that the copy keeps the memory's order of channels last.
        (top, bottom), (left, right) = self.padding
        return F.pad(inputs[0].permute(0, 3, 1, 2), [left, right, top, bottom]).permute(0, 2, 3, 1)


@dataclass(frozen=True)
class Cropping1D(Layer):
    """Without the first and the last steps."""

    cropping: Margins1 = ((1, 1),)

    def output_shape(self, *shapes: Shape) -> Shape:
        return _cropped(shapes[0], self.cropping)

    def call(self, now: Now, *inputs: Tensor) -> Tensor:
        before, after = self.cropping[0]
        return inputs[0][:, before : inputs[0].shape[1] - after]


@dataclass(frozen=True)
class Cropping2D(Layer):
    """Without a picture's edges."""

    cropping: Margins2 = ((0, 0), (0, 0))
    data_format: ChannelsLast = None

    def output_shape(self, *shapes: Shape) -> Shape:
        return _cropped(shapes[0], self.cropping)

    def call(self, now: Now, *inputs: Tensor) -> Tensor:
        (top, bottom), (left, right) = self.cropping
        return inputs[0][:, top : inputs[0].shape[1] - bottom, left : inputs[0].shape[2] - right]
