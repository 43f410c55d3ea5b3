"""Activations as layers of their own, and what may stand in an `activation=`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Annotated, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from ganwright.networks.keras.activations import ActivationFunction, named_activation
from ganwright.networks.keras.binding import bind, find_layer
from ganwright.networks.keras.initializers import ZEROS, Initializer
from ganwright.networks.keras.layer import Activated, Layer, Now, Weight, axis_within
from ganwright.networks.keras.parse import Call, Value
from ganwright.networks.keras.values import (
    Axis,
    MaybeIntegers,
    MaybeReal,
    Positive,
    Real,
    Shape,
    Unsupported,
)


class Elementwise(Layer, ABC):
    """Base of the layers that are an activation function with settings."""

    @abstractmethod
    def function(self, x: Tensor) -> Tensor:
        """Of each value by itself, or along an axis of (B, ...)."""

    def call(self, now: Now, *inputs: Tensor) -> Tensor:
        return self.function(inputs[0])


@dataclass(frozen=True)
class LeakyReLU(Elementwise):
    """x above zero, a share of it below (Maas et al. 2013)."""

    negative_slope: Positive = 0.3

    old_names: ClassVar = {"alpha": "negative_slope"}

    def function(self, x: Tensor) -> Tensor:
        return F.leaky_relu(x, self.negative_slope)


@dataclass(frozen=True)
class ReLU(Elementwise):
    """max(x, 0), with Keras's three variations."""

    max_value: MaybeReal = None
    negative_slope: Positive = 0.0
    threshold: Positive = 0.0

    def function(self, x: Tensor) -> Tensor:
        if self.threshold == 0 and self.max_value is None:
            return F.leaky_relu(x, self.negative_slope) if self.negative_slope else F.relu(x)
        above = torch.where(x > self.threshold, x, 0) if self.threshold else F.relu(x)
        if self.max_value is not None:
            above = above.clamp(max=self.max_value)
        return above - self.negative_slope * F.relu(self.threshold - x) if self.negative_slope else above


@dataclass(frozen=True)
class ELU(Elementwise):
    """x above zero, alpha (exp x - 1) below."""

    alpha: Real = 1.0

    def function(self, x: Tensor) -> Tensor:
        return F.elu(x, self.alpha)


@dataclass(frozen=True)
class Softmax(Elementwise):
    """Shares along an axis."""

    axis: Axis = -1

    def output_shape(self, *shapes: Shape) -> Shape:
        axis_within(self.axis, shapes[0])
        return shapes[0]

    def function(self, x: Tensor) -> Tensor:
        return F.softmax(x, self.axis)


ELEMENTWISE: dict[str, type[Layer]] = {kind.__name__: kind for kind in (LeakyReLU, ReLU, ELU, Softmax)}


@dataclass(frozen=True)
class LayerActivation(ActivationFunction):
    """A layer in an activation's place: `activation=layers.LeakyReLU(0.2)`."""

    layer: Layer = field(default_factory=Layer)


def activation(value: Value) -> ActivationFunction:
    """A reader of 'relu', tf.nn.relu, None and layers.LeakyReLU(0.2)."""
    if not isinstance(value, Call):
        return named_activation(value)
    layer = bind(value, find_layer(value, ELEMENTWISE))
    assert isinstance(layer, Elementwise)
    return LayerActivation(value.name, layer.function, layer)


AnyActivation = Annotated[ActivationFunction, activation]


@dataclass(frozen=True)
class Activation(Activated):
    """A function by its name."""

    activation: AnyActivation

    def call(self, now: Now, *inputs: Tensor) -> Tensor:
        return self.activation(inputs[0])


@dataclass(frozen=True)
class PReLU(Layer):
    """A leaky ReLU that learns its slope (He et al. 2015, arXiv:1502.01852)."""

    alpha_initializer: Initializer = ZEROS
    alpha_regularizer: Unsupported = None
    alpha_constraint: Unsupported = None
    shared_axes: MaybeIntegers = None

    def weights(self, *shapes: Shape) -> tuple[Weight, ...]:
        shared = {axis_within(axis, shapes[0]) for axis in self.shared_axes or ()}
        shape = tuple(1 if axis in shared else size for axis, size in enumerate(shapes[0], 1))
        return (Weight("alpha", shape, self.alpha_initializer),)

    def call(self, now: Now, *inputs: Tensor) -> Tensor:
        return F.relu(inputs[0]) - now.weights["alpha"] * F.relu(-inputs[0])
