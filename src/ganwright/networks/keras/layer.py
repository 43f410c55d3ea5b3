"""What a layer is: settings with Keras's names, order and defaults, which say what they make of a record's shape."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, is_dataclass, replace
from typing import ClassVar, Self

import numpy as np
import torch
from torch import Tensor, nn

from ganwright.networks.keras.activations import LINEAR, SIGMOID, ActivationFunction
from ganwright.networks.keras.binding import Written
from ganwright.networks.keras.initializers import Fill
from ganwright.networks.keras.values import Shape

MAX_VALUES = 2**24
"""Of one record between two layers."""
MAX_WEIGHT = 2**28
"""Values of one weight."""
MAX_WEIGHTS = 2**31
"""Values of all weights of a network."""


@dataclass(frozen=True)
class Weight:
    """One tensor that a layer keeps."""

    name: str
    shape: Shape
    """In Keras's order of axes."""
    fill: Fill
    order: tuple[int, ...] = ()
    """Torch's order of axes, as places in Keras's; empty where the two are the same."""
    learned: bool = True
    """False for what moves without a gradient."""

    def in_keras_order(self, tensor: Tensor) -> Tensor:
        """A view of the stored tensor as Keras has it."""
        return tensor.permute([self.order.index(axis) for axis in range(len(self.order))]) if self.order else tensor

    def make(self) -> Tensor:
        """A new tensor with its first values, in torch's order of axes."""
        tensor = torch.empty([self.shape[axis] for axis in self.order] if self.order else self.shape)
        if not tensor.is_meta:
            self.fill(self.in_keras_order(tensor))
        return tensor


@dataclass(frozen=True)
class Now:
    """What a layer has at hand when it is run."""

    weights: Mapping[str, Tensor]
    training: bool


class Layer(Written):
    """Base of the layers' settings, each a frozen dataclass."""

    inputs: ClassVar[tuple[int, int]] = (1, 1)
    """The least and the most predecessors."""
    only_shape: ClassVar[bool] = False
    """Whether the values pass through it unchanged."""
    by_itself: ClassVar[bool] = True
    """Whether what it makes of a record while training is the same whatever else is in the batch."""

    def output_shape(self, *shapes: Shape) -> Shape:
        """Of one record, from the shapes of its inputs.

        Raises:
            ValueError: they do not fit; the message says what the layer needs.
        """
        return shapes[0]

    def weights(self, *shapes: Shape) -> tuple[Weight, ...]:
        """What it keeps, in the order of Keras's `get_weights()`."""
        return ()

    def call(self, now: Now, *inputs: Tensor) -> Tensor:
        """A batch (B, *output_shape) from batches (B, *shape); an input and a wrapper are not run by themselves."""
        raise AssertionError(type(self).__name__)

    def module(self, *shapes: Shape) -> KerasWeights:
        """It, with weights, to be run."""
        return LayerModule(self, shapes)

    def without_sigmoid(self) -> Self | None:
        """The same layer without the sigmoid at its end; None where it has none."""
        return None


class KerasWeights(nn.Module):
    """Base of the layers' modules: their weights by Keras's names, shapes and order."""

    keras_weights: tuple[Weight, ...] = ()

    def make_weights(self, weights: Iterable[Weight]) -> None:
        """Register and fill them."""
        self.keras_weights = tuple(weights)
        for weight in self.keras_weights:
            tensor = weight.make()
            if weight.learned:
                self.register_parameter(weight.name, nn.Parameter(tensor))
            else:
                self.register_buffer(weight.name, tensor)

    def stored(self, weight: Weight) -> Tensor:
        """The tensor of `weight`, as Keras orders its axes; a view."""
        return weight.in_keras_order(self.get_parameter(weight.name) if weight.learned else self.get_buffer(weight.name))

    def keras_tensors(self) -> list[Tensor]:
        """All weights as Keras's `get_weights()` lists and shapes them; views."""
        return [self.stored(weight) for weight in self.keras_weights]

    @torch.no_grad()
    def load_keras(self, arrays: Sequence[np.ndarray]) -> None:
        """Take over the weights that `get_weights()` of the same Keras layer returned.

        Raises:
            ValueError: their number or shapes are not those of `keras_tensors()`.
        """
        targets = self.keras_tensors()
        wanted, found = [tuple(target.shape) for target in targets], [tuple(array.shape) for array in arrays]
        if found != wanted:
            raise ValueError(f"the weights have shapes {found}, not {wanted}")
        for target, array in zip(targets, arrays, strict=True):
            target.copy_(torch.from_numpy(np.ascontiguousarray(array)))


class LayerModule(KerasWeights):
    """A layer with its weights; (B, *shape) for each input -> (B, *output_shape)."""

    def __init__(self, layer: Layer, shapes: Sequence[Shape]) -> None:
        super().__init__()
        self.layer = layer
        self.make_weights(layer.weights(*shapes))

    def forward(self, *inputs: Tensor) -> Tensor:
        weights = {name: value for name, value in (*self._parameters.items(), *self._buffers.items()) if value is not None}
        return self.layer.call(Now(weights, self.training), *inputs)


class Activated(Layer):
    """Base of the layers whose last act is an activation function."""

    activation: ActivationFunction

    def without_sigmoid(self) -> Self | None:
        assert is_dataclass(self)
        return replace(self, activation=LINEAR) if self.activation == SIGMOID else None


AXES = {2: "(steps, channels)", 3: "(height, width, channels)"}


def need_axes(shape: Shape, count: int) -> None:
    """Raise ValueError unless records have `count` axes."""
    if len(shape) != count:
        raise ValueError(f"needs records {AXES[count]}, not {shape}")


def axis_within(axis: int, shape: Shape) -> int:
    """Keras's axis, which counts the batch or counts from the end, as a place in (B, *shape).

    Raises:
        ValueError: there is no such axis, or it is the batch's.
    """
    place = axis if axis >= 0 else axis + len(shape) + 1
    if not 1 <= place <= len(shape):
        raise ValueError(f"has no axis {axis} in records {shape}; the batch is axis 0, the last axis -1")
    return place
