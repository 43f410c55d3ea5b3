"""From a call to a layer's settings: each argument finds its field, by place or by name, and is read as its type says."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, TypeVar, get_args, get_origin, get_type_hints

from ganwright.core.errors import UsageError
from ganwright.core.suggest import nearest
from ganwright.networks.keras.parse import Call, Value, described
from ganwright.networks.keras.values import (
    NotSupported,
    Reader,
    Shape,
    Unsupported,
    anything,
    batch_shape,
    dtype,
    only,
    record_shape,
)


class Written:
    """Base of what text can name with arguments: each a frozen dataclass with Keras's names, order and defaults."""

    old_names: ClassVar[Mapping[str, str]] = {}
    """Earlier spellings of arguments: {"alpha": "negative_slope"}."""


W = TypeVar("W", bound=Written)

NO_ALIASES: Mapping[str, str] = MappingProxyType({})
PREFIXES = ("", "layers", "keras.layers", "tf.keras.layers", "tensorflow.keras.layers")


COMMON: dict[str, Reader] = {
    "name": anything,
    "dtype": dtype,
    "trainable": only(True, None),
    "activity_regularizer": only(None),
    "autocast": anything,
    "batch_size": anything,
    "input_shape": record_shape,
    "input_dim": record_shape,
    "batch_input_shape": batch_shape,
}
"""Arguments that every layer takes beside its own; none changes what it does."""
_UNSUPPORTED = get_args(Unsupported)[1]
_INPUT_SHAPES = ("input_shape", "input_dim", "batch_input_shape")


def bind(call: Call, kind: type[W], common: Mapping[str, Reader] = COMMON) -> W:
    """The settings that a call gives to that kind; arguments in `common` are read and left aside.

    Raises:
        UsageError: an argument is unknown, missing, given twice, not supported, or none of the values it can have.
    """
    readers, needed = _signature(kind)
    given: dict[str, Value] = {}
    if len(call.positional) > len(readers):
        raise _wrong(f"{call.name} takes at most {len(readers)} arguments without a name, not {len(call.positional)}")
    for name, value in [*zip(readers, call.positional, strict=False), *call.named]:
        name = kind.old_names.get(name, name)
        if name in given:
            raise _wrong(f"{call.name}: {name} is given twice")
        if name not in readers and name not in common:
            raise _wrong(
                f"{call.name} has no argument {name!r}",
                *name_hints(name, [n for n, r in readers.items() if r is not _UNSUPPORTED]),
            )
        given[name] = value
    missing = [name for name in needed if name not in given]
    if missing:
        raise _wrong(f"{call.name} needs {' and '.join(missing)}", f"{call.name}({', '.join(needed)})")
    values = {
        name: read_argument(call.name, name, value, readers.get(name) or common[name]) for name, value in given.items()
    }
    try:
        return kind(**{name: value for name, value in values.items() if name in readers})
    except ValueError as error:
        raise error if isinstance(error, UsageError) else _wrong(f"{call.name} {error}") from error


def input_shape(call: Call, kind: type[Written]) -> Shape | None:
    """The shape of the records that a network's first layer says it takes: input_shape=, input_dim= or None."""
    own = _signature(kind)[0]
    for name, value in call.named:
        if name in _INPUT_SHAPES and name not in own:
            return read_argument(call.name, name, value, COMMON[name])
    return None


def layer_name(call: Call) -> str | None:
    """The `name=` of a layer."""
    return next((value for name, value in call.named if name == "name" and isinstance(value, str)), None)


def read_argument(owner: str, name: str, value: Value, read: Reader) -> Any:
    """What `read` makes of an argument.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        return read(value)
    except UsageError:
        raise
    except NotSupported as error:
        what = f"{owner}: {name}={described(value)} is not supported"
        raise UsageError("E-LAYERS-04", what, hints=(f"leave {name} out, or give {error}",)) from None
    except ValueError as error:
        raise _wrong(f"{owner}: {name} must be {error}, not {described(value)}") from None


def find_layer(call: Call, known: Mapping[str, type[W]], aliases: Mapping[str, str] = NO_ALIASES) -> type[W]:
    """The kind of layer that a call names, or that one of its second names stands for.

    Raises:
        UsageError: the name is unknown, or its prefix is not one of PREFIXES.
    """
    if call.prefix not in PREFIXES:
        what = f"{call.path} is not a layer"
        raise UsageError("E-LAYERS-02", what, hints=(f"write layers.{call.name}(...)", *name_hints(call.name, known)))
    if aliases.get(call.name, call.name) not in known:
        raise UsageError("E-LAYERS-02", f"unknown or unsupported layer {call.name!r}", hints=name_hints(call.name, known))
    return known[aliases.get(call.name, call.name)]


def name_hints(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """The nearest known name, whatever its case, then all there are."""
    names = {item.lower(): item for item in known}
    guess = nearest(name, names)
    listing = "known: " + ", ".join(names.values())
    return (f"did you mean {names[guess]}?", listing) if guess else (listing,)


@cache
def _signature(kind: type[Written]) -> tuple[dict[str, Reader], tuple[str, ...]]:
    """The reader of every argument in Keras's order, and the names of those without a default."""
    assert dataclasses.is_dataclass(kind)
    hints = get_type_hints(kind, include_extras=True)
    readers: dict[str, Reader] = {}
    for field in dataclasses.fields(kind):
        assert get_origin(hints[field.name]) is Annotated, f"{kind.__name__}.{field.name} says not how it is read"
        readers[field.name] = get_args(hints[field.name])[1]
    needed = [f.name for f in dataclasses.fields(kind) if f.default is dataclasses.MISSING]
    return readers, tuple(needed)


def _wrong(what: str, *hints: str) -> UsageError:
    return UsageError("E-LAYERS-03", what, hints=hints)
