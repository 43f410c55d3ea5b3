"""Recurrent layers, step by step in plain operations, so that gradients of gradients exist on every device."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Annotated

import torch
import torch.nn.functional as F
from torch import Tensor

from ganwright.networks.keras.activations import SIGMOID, TANH, ActivationFunction
from ganwright.networks.keras.elementwise import AnyActivation
from ganwright.networks.keras.initializers import GLOROT_UNIFORM, ORTHOGONAL, ZEROS, Fill, Initializer, UnitForgetBias
from ganwright.networks.keras.layer import Layer, Now, Weight, need_axes
from ganwright.networks.keras.parse import Value
from ganwright.networks.keras.values import Count, Flag, Ignored, Never, NotSupported, Rate, Shape, Unsupported
from ganwright.networks.parts.dropout import dropout


def _no_rate(value: Value) -> float:
    if isinstance(value, bool) or value != 0:
        raise NotSupported("0")
    return 0.0


NoRate = Annotated[float, _no_rate]


class Recurrent(Layer, ABC):
    """Base: (steps, channels) -> (units,), or (steps, units) with return_sequences."""

    gates = 1
    units: int
    activation: ActivationFunction
    use_bias: bool
    kernel_initializer: Fill
    recurrent_initializer: Fill
    bias_initializer: Fill
    dropout: float
    return_sequences: bool
    go_backwards: bool

    def output_shape(self, *shapes: Shape) -> Shape:
        need_axes(shapes[0], 2)
        return (shapes[0][0], self.units) if self.return_sequences else (self.units,)

    def bias(self) -> Weight:
        """Of all gates."""
        return Weight("bias", (self.gates * self.units,), self.bias_initializer)

    def weights(self, *shapes: Shape) -> tuple[Weight, ...]:
        width = self.gates * self.units
        return (
            Weight("weight", (shapes[0][-1], width), self.kernel_initializer, (1, 0)),
            Weight("recurrent", (self.units, width), self.recurrent_initializer, (1, 0)),
            *((self.bias(),) if self.use_bias else ()),
        )

    @abstractmethod
    def step(self, seen: Tensor, state: tuple[Tensor, ...], now: Now) -> tuple[Tensor, ...]:
        """The next state, the output first; `seen` (B, gates * units) is what the step's input adds, bias included."""

    def input_bias(self, now: Now) -> Tensor | None:
        """The bias of what is added once for all steps."""
        return now.weights.get("bias")

    def call(self, now: Now, *inputs: Tensor) -> Tensor:
        x = inputs[0].flip(1) if self.go_backwards else inputs[0]
        if now.training and self.dropout:
            x = x * dropout(torch.ones_like(x[:, :1]), self.dropout)  # the same places at every step
        seen = F.linear(x, now.weights["weight"], self.input_bias(now))
        state: tuple[Tensor, ...] = (seen.new_zeros(x.shape[0], self.units),) * (2 if isinstance(self, LSTM) else 1)
        outputs: list[Tensor] = []
        for at in seen.unbind(1):
            state = self.step(at, state, now)
            if self.return_sequences:
                outputs.append(state[0])
        return torch.stack(outputs, 1) if self.return_sequences else state[0]


@dataclass(frozen=True)
class SimpleRNN(Recurrent):
    """h' = f(W x + U h + b)."""

    units: Count
    activation: AnyActivation = TANH
    use_bias: Flag = True
    kernel_initializer: Initializer = GLOROT_UNIFORM
    recurrent_initializer: Initializer = ORTHOGONAL
    bias_initializer: Initializer = ZEROS
    kernel_regularizer: Unsupported = None
    recurrent_regularizer: Unsupported = None
    bias_regularizer: Unsupported = None
    activity_regularizer: Unsupported = None
    kernel_constraint: Unsupported = None
    recurrent_constraint: Unsupported = None
    bias_constraint: Unsupported = None
    dropout: Rate = 0.0
    recurrent_dropout: NoRate = 0.0
    return_sequences: Flag = False
    return_state: Never = False
    go_backwards: Flag = False
    stateful: Never = False
    unroll: Ignored = False
    seed: Ignored = None

    def step(self, seen: Tensor, state: tuple[Tensor, ...], now: Now) -> tuple[Tensor, ...]:
        return (self.activation(seen + F.linear(state[0], now.weights["recurrent"])),)


@dataclass(frozen=True)
class LSTM(Recurrent):
    """Long short-term memory (Hochreiter & Schmidhuber 1997); the gates are input, forget, cell, output."""

    units: Count
    activation: AnyActivation = TANH
    recurrent_activation: AnyActivation = SIGMOID
    use_bias: Flag = True
    kernel_initializer: Initializer = GLOROT_UNIFORM
    recurrent_initializer: Initializer = ORTHOGONAL
    bias_initializer: Initializer = ZEROS
    unit_forget_bias: Flag = True
    kernel_regularizer: Unsupported = None
    recurrent_regularizer: Unsupported = None
    bias_regularizer: Unsupported = None
    activity_regularizer: Unsupported = None
    kernel_constraint: Unsupported = None
    recurrent_constraint: Unsupported = None
    bias_constraint: Unsupported = None
    dropout: Rate = 0.0
    recurrent_dropout: NoRate = 0.0
    seed: Ignored = None
    return_sequences: Flag = False
    return_state: Never = False
    go_backwards: Flag = False
    stateful: Never = False
    unroll: Ignored = False
    use_cudnn: Ignored = "auto"
    implementation: Ignored = 2
    time_major: Never = False

    gates = 4

    def bias(self) -> Weight:
        fill = UnitForgetBias(self.bias_initializer) if self.unit_forget_bias else self.bias_initializer
        return Weight("bias", (4 * self.units,), fill)

    def step(self, seen: Tensor, state: tuple[Tensor, ...], now: Now) -> tuple[Tensor, ...]:
        hidden, cell = state
        i, f, c, o = (seen + F.linear(hidden, now.weights["recurrent"])).chunk(4, 1)
        cell = self.recurrent_activation(f) * cell + self.recurrent_activation(i) * self.activation(c)
        return self.recurrent_activation(o) * self.activation(cell), cell


@dataclass(frozen=True)
class GRU(Recurrent):
    """Gated recurrent unit (Cho et al. 2014, arXiv:1406.1078); the gates are update, reset, candidate."""

    units: Count
    activation: AnyActivation = TANH
    recurrent_activation: AnyActivation = SIGMOID
    use_bias: Flag = True
    kernel_initializer: Initializer = GLOROT_UNIFORM
    recurrent_initializer: Initializer = ORTHOGONAL
    bias_initializer: Initializer = ZEROS
    kernel_regularizer: Unsupported = None
    recurrent_regularizer: Unsupported = None
    bias_regularizer: Unsupported = None
    activity_regularizer: Unsupported = None
    kernel_constraint: Unsupported = None
    recurrent_constraint: Unsupported = None
    bias_constraint: Unsupported = None
    dropout: Rate = 0.0
    recurrent_dropout: NoRate = 0.0
    seed: Ignored = None
    return_sequences: Flag = False
    return_state: Never = False
    go_backwards: Flag = False
    stateful: Never = False
    unroll: Ignored = False
    reset_after: Flag = True
    """Whether the reset gate acts after the matrix product (with a bias of its own there) or before."""
    use_cudnn: Ignored = "auto"
    implementation: Ignored = 2
    time_major: Never = False

    gates = 3

    def bias(self) -> Weight:
        shape = (2, 3 * self.units) if self.reset_after else (3 * self.units,)
        return Weight("bias", shape, self.bias_initializer)

    def input_bias(self, now: Now) -> Tensor | None:
        bias = now.weights.get("bias")
        return bias[0] if bias is not None and self.reset_after else bias

    def step(self, seen: Tensor, state: tuple[Tensor, ...], now: Now) -> tuple[Tensor, ...]:
        hidden, recurrent = state[0], now.weights["recurrent"]
        seen_gates, seen_candidate = seen.split([2 * self.units, self.units], 1)
        if self.reset_after:
            bias = now.weights.get("bias")
            product = F.linear(hidden, recurrent, None if bias is None else bias[1])
            gates, candidate = product.split([2 * self.units, self.units], 1)
            z, r = self.recurrent_activation(seen_gates + gates).chunk(2, 1)
            candidate = r * candidate
        else:
            on_gates, on_candidate = recurrent.split([2 * self.units, self.units], 0)
            z, r = self.recurrent_activation(seen_gates + F.linear(hidden, on_gates)).chunk(2, 1)
            candidate = F.linear(r * hidden, on_candidate)
        return (z * hidden + (1 - z) * self.activation(seen_candidate + candidate),)
