"""What an argument of a layer may be: the annotation of a setting says how text becomes its value.

A reader takes what `parse` read and returns the value, or raises ValueError with what it should have been.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeVar

from ganwright.networks.keras.parse import Call, Reference, Value, described

Shape = tuple[int, ...]
"""Of one record without the batch, channels last."""

Reader = Callable[[Value], Any]
T = TypeVar("T")

MAX_COUNT = 2**24
"""The largest number of units, steps or pixels that is read; a record has at most that many values anyway."""


def whole(least: int, most: int = MAX_COUNT) -> Callable[[Value], int]:
    """A reader of whole numbers; 8.0 counts as one, as `16 / 2` gives it."""

    def read(value: Value) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise ValueError(f"a whole number from {least} to {most}")
        return value

    return read


def real(least: float, most: float = math.inf) -> Callable[[Value], float]:
    """A reader of numbers."""

    def read(value: Value) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            raise ValueError(f"a number from {least} to {most}" if most < math.inf else f"a number of at least {least}")
        return float(value)

    return read


def one_of(*allowed: str) -> Callable[[Value], str]:
    """A reader of words; upper case counts as lower case."""

    def read(value: Value) -> str:
        if not isinstance(value, str) or value.lower() not in allowed:
            raise ValueError("one of " + ", ".join(map(repr, allowed)))
        return value.lower()

    return read


def sizes(count: int, least: int = 1) -> Callable[[Value], Shape]:
    """A reader of `count` whole numbers, or of one that counts for all."""
    read_one = whole(least)

    def read(value: Value) -> Shape:
        values = value if isinstance(value, tuple) else (value,) * count
        if len(values) != count:
            raise ValueError(f"a whole number or {count} of them" if count > 1 else "a whole number")
        return tuple(map(read_one, values))

    return read


def margins(count: int) -> Callable[[Value], tuple[tuple[int, int], ...]]:
    """A reader of (before, after) for each of `count` sides: one number, one number a side, or one pair a side."""
    read_pair = sizes(2, least=0)

    def read(value: Value) -> tuple[tuple[int, int], ...]:
        if not isinstance(value, tuple):
            value = (value,) * count
        if count == 1 and len(value) == 2:
            value = (value,)
        if len(value) != count:
            raise ValueError(f"a whole number, or {count} of them, or {count} pairs")
        return tuple((pair[0], pair[1]) for pair in map(read_pair, value))

    return read


def optional(read: Callable[[Value], T]) -> Callable[[Value], T | None]:
    """A reader that takes None too."""
    return lambda value: None if value is None else read(value)


def integers(value: Value) -> Shape:
    """A reader of one or several whole numbers of any sign, as axes and target shapes are given."""
    values = value if isinstance(value, tuple) else (value,)
    read_one = whole(-MAX_COUNT)
    return tuple(map(read_one, values))


def record_shape(value: Value) -> Shape:
    """A reader of an input's shape; every size must be known."""
    values = value if isinstance(value, tuple) else (value,)
    if None in values:
        raise ValueError("a shape whose sizes are all given, without None")
    if len(values) > 8:
        raise ValueError("a shape of at most 8 sizes")
    return tuple(map(whole(1), values))


def flag(value: Value) -> bool:
    """A reader of True and False."""
    if not isinstance(value, bool):
        raise ValueError("True or False")
    return value


def anything(value: Value) -> Value:
    """For settings that change nothing here, such as seeds: every draw has a seed of its own."""
    return value


class NotSupported(ValueError):
    """An argument that Keras knows and that has no counterpart here."""


def only(*allowed: Value) -> Callable[[Value], Value]:
    """A reader of an argument that is not supported, except for the values that leave it unused."""

    def read(value: Value) -> Value:
        if not any(value is item or (isinstance(item, str) and value == item) for item in allowed):
            raise NotSupported(" or ".join(described(item) for item in allowed))
        return value

    return read


_DTYPES = ("float32", "float", "int32", "int64", "uint8", "int8", "int16", "bool")


def dtype(value: Value) -> str:
    """A reader of 'float32' and tf.float32; whole numbers are meant for Input alone."""
    name = value.name if isinstance(value, Reference) else value
    if name is None:
        return "float32"
    if isinstance(name, Call) or name not in _DTYPES:
        raise NotSupported("'float32'")
    return str(name)


def batch_shape(value: Value) -> Shape:
    """A reader of a shape that begins with the batch, which is left out."""
    if not isinstance(value, tuple) or not value:
        raise ValueError("a shape that begins with the batch, such as (None, 28, 28, 1)")
    return record_shape(value[1:])


Count = Annotated[int, whole(1)]
Rate = Annotated[float, real(0, 1)]
Positive = Annotated[float, real(0)]
Real = Annotated[float, real(-math.inf)]
MaybeReal = Annotated[float | None, optional(real(0))]
Flag = Annotated[bool, flag]
Axis = Annotated[int, whole(-8, 8)]
Integers = Annotated[Shape, integers]
MaybeIntegers = Annotated[Shape | None, optional(integers)]
Sizes1 = Annotated[Shape, sizes(1)]
Sizes2 = Annotated[Shape, sizes(2)]
MaybeSizes1 = Annotated[Shape | None, optional(sizes(1))]
MaybeSizes2 = Annotated[Shape | None, optional(sizes(2))]
MaybeExtra1 = Annotated[Shape | None, optional(sizes(1, least=0))]
MaybeExtra2 = Annotated[Shape | None, optional(sizes(2, least=0))]
MaybeShape = Annotated[Shape | None, optional(record_shape)]
MaybeBatchShape = Annotated[Shape | None, optional(batch_shape)]
Dtype = Annotated[str, dtype]
Padding = Annotated[str, one_of("valid", "same")]
CausalPadding = Annotated[str, one_of("valid", "same", "causal")]
Ignored = Annotated[Any, anything]
"""Read and left aside: it changes nothing here."""
Unsupported = Annotated[Any, only(None)]
ChannelsLast = Annotated[Any, only(None, "channels_last")]
Never = Annotated[Literal[False], only(False, None)]
