"""Layers around other layers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, Self

import torch
import torch.nn.functional as F
from torch import Tensor

from ganwright.networks.keras.binding import bind, find_layer
from ganwright.networks.keras.convolution import Conv1D, Conv2D
from ganwright.networks.keras.dense import Dense, Embedding
from ganwright.networks.keras.initializers import TruncatedNormal
from ganwright.networks.keras.layer import KerasWeights, Layer, Weight
from ganwright.networks.keras.parse import Call, Value
from ganwright.networks.keras.recurrent import GRU, LSTM, Recurrent, SimpleRNN
from ganwright.networks.keras.transposed import Conv1DTranspose, Conv2DTranspose
from ganwright.networks.keras.values import Shape, Unsupported, one_of, optional, whole

_KINDS = (Dense, Embedding, Conv1D, Conv2D, Conv1DTranspose, Conv2DTranspose)
WITH_KERNEL: dict[str, type[Layer]] = {kind.__name__: kind for kind in _KINDS}
RECURRENT: dict[str, type[Layer]] = {kind.__name__: kind for kind in (LSTM, GRU, SimpleRNN)}


def kernel_layer(value: Value) -> Layer:
    """A reader of a layer with one kernel."""
    if not isinstance(value, Call):
        raise ValueError("a layer such as layers.Conv2D(...)")
    return bind(value, find_layer(value, WITH_KERNEL))


def recurrent_layer(value: Value) -> Layer:
    """A reader of LSTM(...), GRU(...) or SimpleRNN(...)."""
    if not isinstance(value, Call):
        raise ValueError("a layer such as layers.LSTM(...)")
    return bind(value, find_layer(value, RECURRENT))


@dataclass(frozen=True)
class SpectralNormalization(Layer):
    """A layer whose kernel is brought to a spectral norm of one at each call in training (arXiv:1802.05957)."""

    layer: Annotated[Any, kernel_layer]
    power_iterations: Annotated[int, whole(1, 100)] = 1

    def output_shape(self, *shapes: Shape) -> Shape:
        return self.layer.output_shape(*shapes)

    def weights(self, *shapes: Shape) -> tuple[Weight, ...]:
        inner = self.layer.weights(*shapes)
        vector = Weight("vector_u", (1, inner[0].shape[-1]), TruncatedNormal(stddev=0.02), learned=False)
        return (inner[0], vector, *inner[1:])

    def module(self, *shapes: Shape) -> KerasWeights:
        return SpectralModule(self, shapes)

    def without_sigmoid(self) -> Self | None:
        inner = self.layer.without_sigmoid()
        return inner and replace(self, layer=inner)


class SpectralModule(KerasWeights):
    """Keras's own way: the stored kernel itself is divided by its estimated norm, and no gradient knows of the division."""

    hold_statistics: bool
    """While True, a call in training uses the kernel and the vector as they are, as one in evaluation does."""

    def __init__(self, settings: SpectralNormalization, shapes: tuple[Shape, ...]) -> None:
        super().__init__()
        self.hold_statistics = False
        self.power_iterations = settings.power_iterations
        self.make_weights(weight for weight in settings.weights(*shapes) if not weight.learned)
        self.layer = settings.layer.module(*shapes)

    def keras_tensors(self) -> list[Tensor]:
        kernel, *others = self.layer.keras_tensors()
        return [kernel, *super().keras_tensors(), *others]

    def forward(self, *inputs: Tensor) -> Tensor:
        if self.training and not self.hold_statistics:
            self._normalise()
        return self.layer(*inputs)

    @torch.no_grad()
    def _normalise(self) -> None:
        """Power iterations on the kernel as a matrix (everything else, last axis of Keras's order)."""
        kernel = self.layer.stored(self.layer.keras_weights[0])
        matrix, u = kernel.reshape(-1, kernel.shape[-1]), self.get_buffer("vector_u")
        v = u
        for _ in range(self.power_iterations):
            v = F.normalize(u @ matrix.T, dim=None, eps=1e-12)  # type: ignore[arg-type]
            u = F.normalize(v @ matrix, dim=None, eps=1e-12)  # type: ignore[arg-type]
        norm = v @ matrix @ u.T
        empty = (kernel == 0).all()
        self.get_buffer("vector_u").copy_(torch.where(empty, self.get_buffer("vector_u"), u))
        kernel.div_(torch.where(empty, torch.ones_like(norm), norm).reshape(()))


@dataclass(frozen=True)
class Bidirectional(Layer):
    """A recurrent layer and its like that reads from the end."""

    layer: Annotated[Any, recurrent_layer]
    merge_mode: Annotated[str, one_of("concat", "sum", "ave", "mul")] = "concat"
    weights_given: Unsupported = None
    backward_layer: Annotated[Any, optional(recurrent_layer)] = None

    old_names: ClassVar = {"weights": "weights_given"}

    def __post_init__(self) -> None:
        other = self.backward_layer or self.layer
        if other.return_sequences != self.layer.return_sequences:
            raise ValueError("needs the same return_sequences in both layers")
        if self.backward_layer and other.go_backwards == self.layer.go_backwards:
            raise ValueError("needs go_backwards in one of its two layers")

    @property
    def backward(self) -> Recurrent:
        """The layer that reads the other way."""
        return self.backward_layer or replace(self.layer, go_backwards=not self.layer.go_backwards)

    def output_shape(self, *shapes: Shape) -> Shape:
        one, other = self.layer.output_shape(*shapes), self.backward.output_shape(*shapes)
        if self.merge_mode == "concat":
            return (*one[:-1], one[-1] + other[-1])
        if one != other:
            raise ValueError(f"needs equally many units both ways for {self.merge_mode}")
        return one

    def weights(self, *shapes: Shape) -> tuple[Weight, ...]:
        return (*self.layer.weights(*shapes), *self.backward.weights(*shapes))

    def module(self, *shapes: Shape) -> KerasWeights:
        return BidirectionalModule(self, shapes)


class BidirectionalModule(KerasWeights):
    """Both layers, and what is made of their results."""

    def __init__(self, settings: Bidirectional, shapes: tuple[Shape, ...]) -> None:
        super().__init__()
        self.settings = settings
        self.forward_layer = settings.layer.module(*shapes)
        self.backward_layer = settings.backward.module(*shapes)

    def keras_tensors(self) -> list[Tensor]:
        return [*self.forward_layer.keras_tensors(), *self.backward_layer.keras_tensors()]

    def forward(self, *inputs: Tensor) -> Tensor:
        one, other = self.forward_layer(*inputs), self.backward_layer(*inputs)
        if self.settings.layer.return_sequences:
            other = other.flip(1)
        match self.settings.merge_mode:
            case "sum":
                return one + other
            case "ave":
                return (one + other) / 2
            case "mul":
                return one * other
            case _:
                return torch.cat([one, other], -1)
