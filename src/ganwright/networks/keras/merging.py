"""Layers of several inputs."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import torch
import torch.nn.functional as F
from torch import Tensor

from ganwright.networks.keras.layer import Layer, Now, axis_within
from ganwright.networks.keras.values import Axis, Flag, Integers, Shape


class Merge(Layer, ABC):
    """Base of the layers that combine values place by place; sizes of 1 stretch, and missing axes are the first ones."""

    inputs = (2, 64)

    def output_shape(self, *shapes: Shape) -> Shape:
        rank = max(map(len, shapes))
        aligned = [(1,) * (rank - len(shape)) + shape for shape in shapes]
        sizes = [{size for size in column if size != 1} or {1} for column in zip(*aligned, strict=True)]
        if any(len(size) > 1 for size in sizes):
            raise ValueError(f"needs inputs of one shape, not {' and '.join(map(str, shapes))}")
        return tuple(size.pop() for size in sizes)

    @abstractmethod
    def merge(self, inputs: Sequence[Tensor]) -> Tensor:
        """Of tensors with equally many axes."""

    def call(self, now: Now, *inputs: Tensor) -> Tensor:
        rank = max(x.ndim for x in inputs)
        return self.merge([x.reshape(x.shape[0], *(1,) * (rank - x.ndim), *x.shape[1:]) for x in inputs])


@dataclass(frozen=True)
class Add(Merge):
    """The sum."""

    def merge(self, inputs: Sequence[Tensor]) -> Tensor:
        return reduce(torch.add, inputs)


@dataclass(frozen=True)
class Subtract(Merge):
    """The first less the second."""

    inputs = (2, 2)

    def merge(self, inputs: Sequence[Tensor]) -> Tensor:
        return inputs[0] - inputs[1]


@dataclass(frozen=True)
class Multiply(Merge):
    """The product."""

    def merge(self, inputs: Sequence[Tensor]) -> Tensor:
        return reduce(torch.mul, inputs)


@dataclass(frozen=True)
class Average(Merge):
    """The mean."""

    def merge(self, inputs: Sequence[Tensor]) -> Tensor:
        return reduce(torch.add, inputs) / len(inputs)


@dataclass(frozen=True)
class Maximum(Merge):
    """The largest."""

    def merge(self, inputs: Sequence[Tensor]) -> Tensor:
        return reduce(torch.maximum, inputs)


@dataclass(frozen=True)
class Minimum(Merge):
    """The smallest."""

    def merge(self, inputs: Sequence[Tensor]) -> Tensor:
        return reduce(torch.minimum, inputs)


@dataclass(frozen=True)
class Concatenate(Layer):
    """One after the other along an axis."""

    axis: Axis = -1

    inputs = (2, 64)

    def output_shape(self, *shapes: Shape) -> Shape:
        place = axis_within(self.axis, shapes[0]) - 1
        rests = {(*shape[:place], *shape[place + 1 :]) for shape in shapes}
        if len(rests) > 1 or len({len(shape) for shape in shapes}) > 1:
            raise ValueError(f"needs inputs that differ along axis {self.axis} only, not {' and '.join(map(str, shapes))}")
        return (*shapes[0][:place], sum(shape[place] for shape in shapes), *shapes[0][place + 1 :])

    def call(self, now: Now, *inputs: Tensor) -> Tensor:
        return torch.cat(inputs, self.axis)


@dataclass(frozen=True)
class Dot(Layer):
    """Sums of products along one axis of each input."""

    axes: Integers
    normalize: Flag = False

    inputs = (2, 2)

    def __post_init__(self) -> None:
        if len(self.axes) not in (1, 2):
            raise ValueError(f"takes one axis or two, not {self.axes}")

    def _places(self, *shapes: Shape) -> tuple[int, int]:
        return axis_within(self.axes[0], shapes[0]) - 1, axis_within(self.axes[-1], shapes[1]) - 1

    def output_shape(self, *shapes: Shape) -> Shape:
        one, other = self._places(*shapes)
        if shapes[0][one] != shapes[1][other]:
            raise ValueError(
                f"needs axes of one size, not {shapes[0][one]} of {shapes[0]} and {shapes[1][other]} of {shapes[1]}"
            )
        rests = (*shapes[0][:one], *shapes[0][one + 1 :], *shapes[1][:other], *shapes[1][other + 1 :])
        return rests or (1,)

    def call(self, now: Now, *inputs: Tensor) -> Tensor:
        shapes = [tuple(x.shape[1:]) for x in inputs]
        # Each as (B, rest, summed), so that one matrix product of a batch does it.
        columns = [x.movedim(place + 1, -1) for x, place in zip(inputs, self._places(*shapes), strict=True)]
        if self.normalize:
            columns = [F.normalize(x, dim=-1, eps=1e-12) for x in columns]
        one, other = (x.reshape(x.shape[0], math.prod(x.shape[1:-1]), x.shape[-1]) for x in columns)
        return (one @ other.mT).reshape(one.shape[0], *self.output_shape(*shapes))
