"""Activation functions by Keras's names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

from ganwright.core.suggest import unknown_name_hints
from ganwright.networks.keras.parse import Reference, Value, described
from ganwright.networks.parts.quick_tanh import quick_tanh
from ganwright.runtime.precision import at_least_single


@dataclass(frozen=True)
class ActivationFunction:
    """An elementwise function, or softmax over the last axis, with its name."""

    name: str
    function: Callable[[Tensor], Tensor] = field(compare=False, repr=False)

    def __call__(self, x: Tensor) -> Tensor:
        return self.function(x)


def _linear(x: Tensor) -> Tensor:
    return x


def _leaky_relu(x: Tensor) -> Tensor:
    return F.leaky_relu(x, 0.2)  # Keras's slope for the bare name; the layer's own default is 0.3


def _hard_sigmoid(x: Tensor) -> Tensor:
    return F.relu6(x + 3) / 6  # torch's own has no second derivative


def _sigmoid(x: Tensor) -> Tensor:
    return torch.sigmoid(at_least_single(x))


def _tanh(x: Tensor) -> Tensor:
    # Of what half precision makes of it, pictures have few levels left.
    return quick_tanh(at_least_single(x))


def _softmax(x: Tensor) -> Tensor:
    return F.softmax(x, -1)


def _log_softmax(x: Tensor) -> Tensor:
    return F.log_softmax(x, -1)


_FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "linear": _linear,
    "relu": F.relu,
    "relu6": F.relu6,
    "leaky_relu": _leaky_relu,
    "sigmoid": _sigmoid,
    "tanh": _tanh,
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "elu": F.elu,
    "celu": F.celu,
    "selu": F.selu,
    "gelu": F.gelu,
    "silu": F.silu,
    "swish": F.silu,
    "hard_silu": F.hardswish,
    "hard_swish": F.hardswish,
    "hard_sigmoid": _hard_sigmoid,
    "hard_tanh": F.hardtanh,
    "log_sigmoid": F.logsigmoid,
    "softplus": F.softplus,
    "softsign": F.softsign,
    "exponential": torch.exp,
    "mish": F.mish,
}
ACTIVATIONS = {name: ActivationFunction(name, function) for name, function in _FUNCTIONS.items()}
LINEAR, RELU, SIGMOID, TANH = (ACTIVATIONS[name] for name in ("linear", "relu", "sigmoid", "tanh"))


def named_activation(value: Value) -> ActivationFunction:
    """A reader of 'relu', tf.nn.relu and None."""
    name = value.name if isinstance(value, Reference) else "linear" if value is None else value
    if not isinstance(name, str) or name not in ACTIVATIONS:
        hints = unknown_name_hints(name if isinstance(name, str) else described(name), ACTIVATIONS)
        raise ValueError(f"an activation's name ({hints[0]})")
    return ACTIVATIONS[name]
