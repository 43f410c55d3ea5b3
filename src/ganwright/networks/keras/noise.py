"""Layers that disturb values while training and let them pass afterwards; they draw for the records at hand."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor

from ganwright.networks.keras.layer import Layer, Now, need_axes
from ganwright.networks.keras.values import ChannelsLast, Ignored, Rate, Shape, Unsupported, real
from ganwright.networks.parts.dropout import dropout
from ganwright.networks.parts.joint_draws import drawn


@dataclass(frozen=True)
class Dropout(Layer):
    """Zeros in a share of the places, the rest made larger by as much."""

    rate: Rate
    noise_shape: Unsupported = None
    seed: Ignored = None

    def call(self, now: Now, *inputs: Tensor) -> Tensor:
        return dropout(inputs[0], self.rate) if now.training else inputs[0]


def _drop_channels(x: Tensor, rate: float) -> Tensor:
    """Whole channels of (B, ..., C) as zeros."""
    return x * dropout(x.new_ones(x.shape[0], *(1,) * (x.ndim - 2), x.shape[-1]), rate)


@dataclass(frozen=True)
class SpatialDropout1D(Layer):
    """Dropout of whole channels of (steps, channels) (Tompson et al. 2014, arXiv:1411.4280)."""

    rate: Rate
    seed: Ignored = None

    def output_shape(self, *shapes: Shape) -> Shape:
        need_axes(shapes[0], 2)
        return shapes[0]

    def call(self, now: Now, *inputs: Tensor) -> Tensor:
        return _drop_channels(inputs[0], self.rate) if now.training else inputs[0]


@dataclass(frozen=True)
class SpatialDropout2D(Layer):
    """Dropout of whole channels of (height, width, channels)."""

    rate: Rate
    data_format: ChannelsLast = None
    seed: Ignored = None

    def output_shape(self, *shapes: Shape) -> Shape:
        need_axes(shapes[0], 3)
        return shapes[0]

    def call(self, now: Now, *inputs: Tensor) -> Tensor:
        return _drop_channels(inputs[0], self.rate) if now.training else inputs[0]


def _normal(like: Tensor) -> Tensor:
    device, dtype = like.device, like.dtype
    return drawn(tuple(like.shape), lambda shape, g: torch.randn(shape, generator=g, device=device, dtype=dtype))


@dataclass(frozen=True)
class GaussianNoise(Layer):
    """Plus noise of a deviation."""

    stddev: Annotated[float, real(0, 1)]
    seed: Ignored = None

    def call(self, now: Now, *inputs: Tensor) -> Tensor:
        return inputs[0] + _normal(inputs[0]) * self.stddev if now.training else inputs[0]


@dataclass(frozen=True)
class GaussianDropout(Layer):
    """Times noise around 1, as variable as dropout at that rate (Srivastava et al. 2014)."""

    rate: Annotated[float, real(0, 0.999)]
    seed: Ignored = None

    def call(self, now: Now, *inputs: Tensor) -> Tensor:
        deviation = math.sqrt(self.rate / (1 - self.rate))
        return inputs[0] * (1 + _normal(inputs[0]) * deviation) if now.training else inputs[0]
