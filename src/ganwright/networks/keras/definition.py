"""One network as text: its rows, read, checked and put in order when they are first seen."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ganwright.core.errors import UsageError
from ganwright.networks.keras.binding import input_shape, layer_name, name_hints
from ganwright.networks.keras.catalogue import LAYERS, Input, read_layer
from ganwright.networks.keras.layer import MAX_VALUES, MAX_WEIGHT, MAX_WEIGHTS, Layer
from ganwright.networks.keras.parse import parse_call
from ganwright.networks.keras.values import Shape

Row = str | tuple[str, str, tuple[str, ...]]
"""A layer, which takes what the row before gives; or its name, its layer, and the names of those that it takes."""

MAX_ROWS = 512
MAX_AXES = 8


@dataclass(frozen=True)
class Node:
    """One row, read."""

    number: int
    """From 1, in the user's order; 0 for an input that the first layer's `input_shape` implies."""
    name: str
    text: str
    layer: Layer
    sources: tuple[int, ...]
    """Numbers of the rows whose results it takes."""
    shape: Shape
    """Of its result, without the batch, channels last."""

    @property
    def where(self) -> str:
        """The row for an error's second line."""
        return row_place(self.number, self.text)


@dataclass(frozen=True)
class Graph:
    """A network, read."""

    nodes: Mapping[int, Node]
    """By number, each after those that it takes."""
    inputs: tuple[int, ...]
    """The Input rows, in the user's order."""
    outputs: tuple[int, ...]
    """The rows that no other takes, in the user's order."""

    def readers(self, number: int) -> list[Node]:
        """The rows that take the result of a row."""
        return [node for node in self.nodes.values() if number in node.sources]


@dataclass(frozen=True, init=False)
class Layers:
    """A network as a Keras user writes it, never evaluated.

    Rows are strings such as `layers.Dense(256, activation="relu")`, each fed by the one before; or triples (name, layer,
    predecessors) in any order. The first row, or every input, gives the shape of its records: `Input(shape=(28, 28, 1))`,
    channels last, without the batch. `input_shape=` and `input_dim=` count on the very first row and are nothing elsewhere.

    Raises:
        UsageError: a row cannot be read, names are unknown or go in a circle, shapes do not fit, or the network is larger
            than MAX_ROWS rows, 2**24 values of a record between layers, 2**28 of a weight or 2**31 of all weights.
    """

    rows: tuple[Row, ...]

    def __init__(self, rows: Sequence[str | Sequence[str | Sequence[str]]]) -> None:
        object.__setattr__(self, "rows", _plain_rows(rows))
        assert self.graph

    @cached_property
    def graph(self) -> Graph:
        """The rows, read."""
        return _read(self.rows)


def row_place(number: int, text: str) -> str:
    """ "row 3: layers.Dense(10)" for an error's second line."""
    text = " ".join(text.split())
    return f"row {max(number, 1)}: {text if len(text) <= 100 else text[:97] + '...'}"


def _plain_rows(rows: Any) -> tuple[Row, ...]:
    """The rows as tuples."""
    if isinstance(rows, str) or not isinstance(rows, Sequence) or not rows:
        raise _structure("layers are a list of rows", hints=('Layers(["layers.Input(shape=(100,))", ...])',))
    if len(rows) > MAX_ROWS:
        raise UsageError("E-LAYERS-07", f"a network has at most {MAX_ROWS} rows, not {len(rows)}")
    plain = tuple(row if isinstance(row, str) else _triple(number, row) for number, row in enumerate(rows, 1))
    if len({isinstance(row, str) for row in plain}) > 1:
        raise _structure("rows are all strings, or all triples (name, layer, predecessors)")
    return plain


def _triple(number: int, row: Any) -> tuple[str, str, tuple[str, ...]]:
    try:
        name, text, sources = row
        sources = (sources,) if isinstance(sources, str) else tuple(sources)
    except (TypeError, ValueError):
        raise _structure(f"row {number} is neither a string nor a triple (name, layer, predecessors)") from None
    if not isinstance(name, str) or not isinstance(text, str) or not all(isinstance(item, str) for item in sources):
        raise _structure(f"row {number}: name, layer and predecessors are strings")
    if not 0 < len(name) <= 100 or len(sources) > MAX_ROWS:
        raise _structure(f"row {number}: a name has 1 to 100 characters")
    return name, text, sources


def _read(rows: tuple[Row, ...]) -> Graph:
    named = _named_rows(rows)
    nodes: dict[int, Node] = {}
    weights = 0
    for number in _ordered(named):
        name, text, sources = named[number]
        try:
            layer = read_layer(parse_call(text))
            shapes = [nodes[source].shape for source in sources]
            shape = _shape(layer, shapes)
            weights += _weight_values(layer, shapes)
        except ValueError as error:
            raise _placed(error, row_place(number, text)) from None
        if weights > MAX_WEIGHTS:
            what = f"the weights up to here have {weights} values, at most {MAX_WEIGHTS} are built"
            raise UsageError("E-LAYERS-07", what, where=row_place(number, text))
        nodes[number] = Node(number, name, text, layer, sources, shape)
    used = {source for node in nodes.values() for source in node.sources}
    inputs = tuple(number for number in sorted(nodes) if isinstance(nodes[number].layer, Input))
    outputs = tuple(number for number in sorted(nodes) if number not in used)
    for number in set(inputs) & set(outputs):
        raise _structure("no layer takes this input", row_place(number, named[number][1]))
    return Graph(nodes, inputs, outputs)


_Named = dict[int, tuple[str, str, tuple[int, ...]]]


def _named_rows(rows: tuple[Row, ...]) -> _Named:
    """(name, text, numbers of the predecessors) by number."""
    if isinstance(rows[0], str):
        return _sequence([row for row in rows if isinstance(row, str)])
    triples = [row for row in rows if not isinstance(row, str)]
    numbers: dict[str, int] = {}
    for number, (name, text, _) in enumerate(triples, 1):
        if name in numbers:
            raise _structure(
                f"the name {name!r} is used twice, by rows {numbers[name]} and {number}", row_place(number, text)
            )
        numbers[name] = number
    named: _Named = {}
    for number, (name, text, sources) in enumerate(triples, 1):
        for source in sources:
            if source not in numbers:
                raise _structure(f"there is no row {source!r}", row_place(number, text), hints=name_hints(source, numbers))
        named[number] = (name, text, tuple(numbers[source] for source in sources))
    return named


def _sequence(texts: list[str]) -> _Named:
    """Rows that each take the one before, with the names that Keras gives: dense, dense_1, ..."""
    named: _Named = {}
    counts: dict[str, int] = {}
    for number, text in enumerate(texts, 1):
        try:
            call = parse_call(text)
        except UsageError as error:
            raise _placed(error, row_place(number, text)) from None
        first = call.name in ("Input", "InputLayer")
        if first and number > 1:
            raise _structure("only the first row can be the input of a list", row_place(number, text))
        if number == 1 and not first:
            named[0] = ("input", _implied_input(text), ())
        own = snake_case(call.name)
        name = layer_name(call) or (f"{own}_{counts[own]}" if counts.get(own) else own)
        counts[own] = counts.get(own, 0) + 1
        named[number] = (name, text, () if first else (number - 1,))
    return named


def _implied_input(text: str) -> str:
    """The Input that stands for the first layer's `input_shape=`."""
    call = parse_call(text)
    try:
        shape = input_shape(call, LAYERS[call.name]) if call.name in LAYERS else None
        if shape is None:
            read_layer(call)
            hint = "begin with layers.Input(shape=(28, 28, 1)), or give input_shape= here"
            raise _structure("the first row says not what records it takes", hints=(hint,))
    except UsageError as error:
        raise _placed(error, row_place(1, text)) from None
    return f"Input(shape={shape})"


def _ordered(named: _Named) -> list[int]:
    """The numbers, each after its predecessors."""
    order: list[int] = []
    left = dict(named)
    while left:
        ready = [number for number, (_, _, sources) in left.items() if not any(source in left for source in sources)]
        if not ready:
            names = ", ".join(repr(name) for name, _, _ in list(left.values())[:5])
            raise _structure(f"rows take each other's results in a circle, or wait for such rows: {names}")
        order += ready
        for number in ready:
            del left[number]
    return order


def _shape(layer: Layer, shapes: list[Shape]) -> Shape:
    """Of the layer's result; UsageError or ValueError where there is none."""
    least, most = layer.inputs
    kind = type(layer).__name__
    if not least <= len(shapes) <= most:
        wanted = "no predecessor" if most == 0 else "one predecessor" if most == 1 else f"{least} or more predecessors"
        raise _structure(f"{kind} takes {'two predecessors' if least == most == 2 else wanted}, not {len(shapes)}")
    try:
        shape = layer.output_shape(*shapes)
    except ValueError as error:
        raise UsageError(
            "E-LAYERS-06", f"{kind} {error}", hints=("shapes are (height, width, channels), no batch",)
        ) from None
    if any(size < 1 for size in shape):
        raise UsageError("E-LAYERS-06", f"{kind} makes records {shape} of {_listed(shapes)}: nothing is left")
    if len(shape) > MAX_AXES:
        raise UsageError("E-LAYERS-07", f"{kind} makes records of {len(shape)} axes, more than {MAX_AXES}")
    if math.prod(shape) > MAX_VALUES:
        raise UsageError("E-LAYERS-07", f"{kind} makes records {shape}, more than {MAX_VALUES} values each")
    return shape


def _weight_values(layer: Layer, shapes: list[Shape]) -> int:
    total = 0
    for weight in layer.weights(*shapes):
        values = math.prod(weight.shape)
        if values > MAX_WEIGHT:
            what = f"{type(layer).__name__} has a weight {weight.shape}, more than {MAX_WEIGHT} values"
            raise UsageError("E-LAYERS-07", what)
        total += values
    return total


def _listed(shapes: list[Shape]) -> str:
    return " and ".join(map(str, shapes)) or "nothing"


def snake_case(name: str) -> str:
    """Keras's name for a class, as its weight files have it: batch_normalization, conv2d_transpose."""
    return re.sub("([a-z])([A-Z])", r"\1_\2", re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)).lower()


def _structure(what: str, where: str = "", hints: tuple[str, ...] = ()) -> UsageError:
    return UsageError("E-LAYERS-05", what, where=where, hints=hints)


def _placed(error: ValueError, where: str) -> UsageError:
    """The same error, with the row that it is about."""
    if not isinstance(error, UsageError):
        return UsageError("E-LAYERS-06", str(error), where=where)
    return UsageError(error.code, error.what, where=error.where or where, why=error.why, hints=error.hints)
