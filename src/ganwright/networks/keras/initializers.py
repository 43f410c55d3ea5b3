"""How weights begin, as Keras draws them: from torch's global generator, in place, on any device."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from torch import Tensor, nn

from ganwright.core.suggest import unknown_name_hints
from ganwright.networks.keras.parse import Call, Reference, Value, described
from ganwright.networks.keras.values import NotSupported, Shape

Fill = Callable[[Tensor], object]
"""Fills a tensor, which has Keras's order of axes, in place."""


@dataclass(frozen=True)
class Constant:
    """One value everywhere."""

    value: float = 0.0

    def __call__(self, weight: Tensor) -> None:
        weight.fill_(self.value)


@dataclass(frozen=True)
class RandomNormal:
    """A normal distribution."""

    mean: float = 0.0
    stddev: float = 0.05

    def __call__(self, weight: Tensor) -> None:
        weight.normal_(self.mean, self.stddev)


@dataclass(frozen=True)
class TruncatedNormal:
    """A normal distribution without what lies beyond two deviations."""

    mean: float = 0.0
    stddev: float = 0.05

    def __call__(self, weight: Tensor) -> None:
        nn.init.trunc_normal_(weight, self.mean, self.stddev, self.mean - 2 * self.stddev, self.mean + 2 * self.stddev)


@dataclass(frozen=True)
class RandomUniform:
    """A uniform distribution."""

    minval: float = -0.05
    maxval: float = 0.05

    def __call__(self, weight: Tensor) -> None:
        weight.uniform_(self.minval, self.maxval)


@dataclass(frozen=True)
class VarianceScaling:
    """A variance of scale / fan (Glorot & Bengio 2010; He et al. 2015, arXiv:1502.01852)."""

    scale: float = 1.0
    mode: Literal["fan_in", "fan_out", "fan_avg"] = "fan_in"
    distribution: Literal["truncated_normal", "untruncated_normal", "uniform"] = "truncated_normal"

    def __call__(self, weight: Tensor) -> None:
        fan_in, fan_out = fans(tuple(weight.shape))
        fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, fan)
        if self.distribution == "uniform":
            RandomUniform(-math.sqrt(3 * variance), math.sqrt(3 * variance))(weight)
        elif self.distribution == "untruncated_normal":
            RandomNormal(0, math.sqrt(variance))(weight)
        else:
            # The constant is the deviation of a unit normal cut off at two deviations.
            TruncatedNormal(0, math.sqrt(variance) / 0.87962566103423978)(weight)


@dataclass(frozen=True)
class Orthogonal:
    """A matrix with orthonormal rows or columns (Saxe et al. 2014, arXiv:1312.6120)."""

    gain: float = 1.0

    def __call__(self, weight: Tensor) -> None:
        if weight.ndim < 2:
            raise ValueError("an orthogonal initializer needs a weight of two or more axes")
        columns = weight.shape[-1]
        rows = weight.numel() // columns
        q, r = torch.linalg.qr(torch.randn(max(rows, columns), min(rows, columns), device=weight.device))
        q = q * r.diagonal().sign()  # else the factorisation's choice of signs would show
        weight.copy_(self.gain * (q.T if rows < columns else q).reshape(weight.shape))


@dataclass(frozen=True)
class UnitForgetBias:
    """An LSTM's bias: ones for the forget gate, which is the second of four (Jozefowicz et al. 2015)."""

    others: Fill

    def __call__(self, weight: Tensor) -> None:
        self.others(weight)
        weight.unflatten(0, (4, -1))[1].fill_(1.0)


def fans(shape: Shape) -> tuple[int, int]:
    """(inputs, outputs) of a unit of a weight in Keras's order of axes: (..., in, out)."""
    if len(shape) < 2:
        return (shape[0], shape[0]) if shape else (1, 1)
    field = math.prod(shape[:-2])
    return shape[-2] * field, shape[-1] * field


ZEROS, ONES = Constant(0.0), Constant(1.0)
GLOROT_UNIFORM = VarianceScaling(1.0, "fan_avg", "uniform")
ORTHOGONAL = Orthogonal()
UNIFORM = RandomUniform()

_FIXED: dict[str, Fill] = {
    "Zeros": ZEROS,
    "Ones": ONES,
    "GlorotUniform": GLOROT_UNIFORM,
    "GlorotNormal": VarianceScaling(1.0, "fan_avg"),
    "HeUniform": VarianceScaling(2.0, "fan_in", "uniform"),
    "HeNormal": VarianceScaling(2.0, "fan_in"),
    "LecunUniform": VarianceScaling(1.0, "fan_in", "uniform"),
    "LecunNormal": VarianceScaling(1.0, "fan_in"),
}
_SETTABLE: dict[str, type] = {
    "Constant": Constant,
    "RandomNormal": RandomNormal,
    "RandomUniform": RandomUniform,
    "TruncatedNormal": TruncatedNormal,
    "VarianceScaling": VarianceScaling,
    "Orthogonal": Orthogonal,
}
_SHORT = {"zero": "Zeros", "one": "Ones", "normal": "RandomNormal", "uniform": "RandomUniform"}
INITIALIZERS = (*_FIXED, *_SETTABLE)
"""Every initializer's name as a class."""


def _known() -> Mapping[str, str]:
    """Every spelling, such as he_normal and HeNormal, and the class that it names."""
    snake = {"".join("_" + c.lower() if c.isupper() else c for c in name).strip("_"): name for name in INITIALIZERS}
    return {**snake, **{name: name for name in INITIALIZERS}, **_SHORT}


def initializer(value: Value) -> Fill:
    """A reader of 'he_normal' and of keras.initializers.RandomNormal(stddev=0.02)."""
    call = value if isinstance(value, Call) else None
    spelled = value.name if isinstance(value, Call | Reference) else value
    names = _known()
    if not isinstance(spelled, str) or spelled not in names:
        hint = unknown_name_hints(str(spelled), INITIALIZERS)[0]
        raise NotSupported(f"an initializer such as 'glorot_uniform' ({hint})")
    name = names[spelled]
    arguments = _arguments(name, call) if call else {}
    if name in _FIXED:
        return _FIXED[name]
    return _SETTABLE[name](**arguments)


def _arguments(name: str, call: Call) -> dict[str, float | str]:
    fields = list(_SETTABLE[name].__dataclass_fields__) if name in _SETTABLE else []
    order = [*fields, "seed"]  # Keras's last one; it changes nothing here
    if len(call.positional) > len(order):
        raise ValueError(f"{name} with at most {len(order)} arguments")
    given = [*zip(order, call.positional, strict=False), *call.named]
    arguments: dict[str, float | str] = {}
    for key, item in given:
        if key not in order or key in arguments:
            raise ValueError(f"{name} with arguments from {', '.join(order)}, each once, not {key}")
        if key != "seed":
            arguments[key] = _setting(name, key, item)
    return arguments


def _setting(name: str, key: str, item: Value) -> float | str:
    words = {"mode": ("fan_in", "fan_out", "fan_avg"), "distribution": ("truncated_normal", "untruncated_normal", "uniform")}
    if key in words:
        item = "truncated_normal" if item == "normal" else item
        if item not in words[key]:
            raise ValueError(f"{name} with {key} one of {', '.join(words[key])}")
        return str(item)
    if isinstance(item, bool) or not isinstance(item, int | float) or (key in ("stddev", "scale") and item < 0):
        raise ValueError(f"{name} with a number for {key}, not {described(item)}")
    return float(item)


Initializer = Annotated[Fill, initializer]
