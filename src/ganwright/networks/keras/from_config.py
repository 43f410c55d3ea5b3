"""A network that Keras saved, read as rows of layers: nothing that its file names is imported or run.

Keras describes a model as nested JSON, {"class_name": ..., "config": {...}}. Each layer's arguments become text such as
`layers.Dense(256, activation='tanh')`, which goes through the same parser and the same list of layers as what a user writes.
Models inside of models are laid open.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args, get_type_hints

from ganwright.core.errors import UsageError
from ganwright.networks.keras.binding import name_hints
from ganwright.networks.keras.catalogue import ALIASES, LAYERS
from ganwright.networks.keras.definition import MAX_ROWS, Graph, Layers, snake_case
from ganwright.networks.keras.dense import Embedding
from ganwright.networks.keras.layer import Layer
from ganwright.networks.keras.values import anything
from ganwright.networks.keras.wrappers import SpectralNormalization

MAX_DEPTH = 8
"""Of models and layers inside of one another."""
MAX_NAME = 100
"""Characters of a row's name."""

MODELS = ("Sequential", "Functional", "Model")
_HOME = re.compile(r"(keras|tensorflow\.keras|tf_keras)(\.src)?(\.(layers|models|engine)(\.\w+)*)?")
"""Modules of Keras's own layers and models, over its versions; `keras.src.ops`, say, is none of them."""
_UNUSED = frozenset(
    ("name", "trainable", "dtype", "autocast", "batch_input_shape", "input_shape", "batch_shape", "zero_output_for_mask")
)
"""Arguments that change nothing once weights are loaded; where records enter, Input says so."""
_UNUSED_ENDINGS = ("_initializer", "_regularizer", "_constraint")
_CODE = "it holds its author's Python code, which is never run"


@dataclass(frozen=True)
class Origin:
    """Where a layer lies in a saved model."""

    names: tuple[str, ...]
    """Of the models around it, the outermost first, and its own."""
    places: tuple[tuple[str, int], ...]
    """(kind in snake case, how many of that kind came before it) of each of them, as Keras 3 numbers them."""
    within: str = ""
    """The part that keeps the weights, for a layer around another one."""


@dataclass(frozen=True)
class SavedNetwork:
    """A saved model as rows."""

    layers: Layers
    """The noise is the first input."""
    origins: Mapping[str, Origin]
    """Of each row but the inputs, by its name, in the order of the file."""


def read_config(config: Any, keras_2: bool = False) -> SavedNetwork:
    """The rows of a model that Keras described as `config`, the value of its JSON.

    Args:
        keras_2: whether Keras 2 wrote it, in which some names mean other functions.

    Raises:
        UsageError: it is no such description, or of something that is not supported; the layer is named.
    """
    reader = _Reader(keras_2)
    kind, own = _entry(config)
    if kind not in MODELS:
        hints = ("save the whole model: model.save('generator.keras')",)
        raise _refusal(f"{kind!r} is neither a Sequential nor a Functional model", hints=hints)
    reader.model(kind, own, _Place((), (), ()), None)
    rows = sorted(reader.rows, key=lambda row: row.order)
    inputs = [row for row in rows if row.origin is None]
    others = [row for row in rows if row.origin is not None]
    inputs.sort(key=lambda row: reader.inputs.index(row.name))
    layers = Layers([row.triple for row in (*inputs, *others)])
    noise = _noise(layers.graph)
    if noise:
        inputs.insert(0, inputs.pop(noise))
        layers = Layers([row.triple for row in (*inputs, *others)])
    return SavedNetwork(layers, {row.name: row.origin for row in others if row.origin})


def embedding_of(graph: Graph, number: int) -> Embedding | None:
    """The smallest of the embeddings that take the input at `number`, perhaps in another shape; None without one."""
    found: list[Embedding] = []
    for node in graph.readers(number):
        layer = node.layer.layer if isinstance(node.layer, SpectralNormalization) else node.layer
        deeper = embedding_of(graph, node.number) if layer.only_shape else layer
        found += [deeper] if isinstance(deeper, Embedding) else []
    return min(found, key=lambda layer: layer.input_dim, default=None)


@dataclass(frozen=True)
class _Row:
    name: str
    text: str
    sources: tuple[str, ...]
    order: tuple[int, ...]
    """Its place in the file, and that of the models around it."""
    origin: Origin | None

    @property
    def triple(self) -> tuple[str, str, tuple[str, ...]]:
        return self.name, self.text, self.sources


@dataclass(frozen=True)
class _Place:
    """Where a layer or a model lies among the others."""

    names: tuple[str, ...]
    places: tuple[tuple[str, int], ...]
    order: tuple[int, ...]

    def below(self, name: str, kind: str, count: int, order: int) -> _Place:
        return _Place((*self.names, name), (*self.places, (kind, count)), (*self.order, order))


class _Reader:
    """Rows, gathered from models inside of models."""

    def __init__(self, keras_2: bool) -> None:
        self.keras_2 = keras_2
        self.rows: list[_Row] = []
        self.names: set[str] = set()
        self.inputs: list[str] = []
        """The names of the inputs' rows, in the order of the model's arguments."""

    def model(self, kind: str, own: Any, place: _Place, sources: Sequence[str] | None) -> str:
        """Add the rows of a model; the name of the one with its result. `sources` are what an inner model takes."""
        if len(place.names) > MAX_DEPTH:
            raise _refusal(f"models are nested more than {MAX_DEPTH} deep")
        entries = own if isinstance(own, list) and kind == "Sequential" else _field(own, "layers", list)
        if not 0 < len(entries) <= MAX_ROWS:
            raise _refusal(f"a model of {len(entries)} layers; 1 to {MAX_ROWS} are read")
        if kind == "Sequential":
            return self._sequence(entries, own, place, sources)
        return self._graph(entries, own, place, sources)

    def _sequence(self, entries: list[Any], own: Any, place: _Place, sources: Sequence[str] | None) -> str:
        if sources is not None and len(sources) != 1:
            raise _refusal(f"a Sequential model takes one input, not {len(sources)}")
        current = sources[0] if sources else None
        for number, (kind, settings, at) in enumerate(_placed(entries, place)):
            if kind == "InputLayer" and number == 0:
                current = current or self._input(settings, at)
                continue
            if current is None:
                current = self._input(_implied_input(kind, settings, own), at.below("input", "input_layer", 0, -1))
            current = self._layer(kind, settings, at, (current,))
        assert current is not None
        return current

    def _graph(self, entries: list[Any], own: Any, place: _Place, sources: Sequence[str] | None) -> str:
        inputs = [name for name, _ in _ends(own, "input_layers")]
        if sources is not None and len(sources) != len(inputs):
            raise _refusal(f"model {place.names[-1]!r} takes {len(inputs)} inputs, not {len(sources)}")
        results: dict[str, str] = {}
        waiting: list[tuple[str, Any, _Place, tuple[str, ...]]] = []
        known: set[str] = set()
        for entry, (kind, settings, at) in zip(entries, _placed(entries, place), strict=True):
            name = at.names[-1]
            if name in known:
                raise _refusal(f"two layers are called {name!r}")
            known.add(name)
            if kind != "InputLayer":
                waiting.append((kind, settings, at, _sources(entry, name)))
            elif name not in inputs:
                raise _refusal(f"layer {name!r} is no input of its model")
            else:
                results[name] = sources[inputs.index(name)] if sources is not None else self._input(settings, at)
        if sources is None and set(inputs) <= set(results):
            self.inputs = [results[name] for name in inputs]
        while waiting:
            left = [item for item in waiting if not set(item[3]) <= set(results)]
            if len(left) == len(waiting):
                names = ", ".join(repr(at.names[-1]) for _, _, at, _ in left[:5])
                raise _refusal(f"layers take what no layer gives, or go in a circle: {names}")
            for kind, settings, at, taken in waiting:
                if set(taken) <= set(results) and at.names[-1] not in results:
                    results[at.names[-1]] = self._layer(kind, settings, at, tuple(results[name] for name in taken))
            waiting = [item for item in left if item[2].names[-1] not in results]
        outputs = _ends(own, "output_layers")
        if len(outputs) != 1 or outputs[0][0] not in results:
            raise _refusal(f"a generator has one output, not {len(outputs)}")
        return results[outputs[0][0]]

    def _layer(self, kind: str, settings: Any, place: _Place, sources: tuple[str, ...]) -> str:
        if kind in MODELS:
            return self.model(kind, settings, place, sources)
        within = ""
        if kind == "TimeDistributed":
            kind, settings = _entry(_field(settings, "layer", dict))
            if kind != "Dense":
                raise _refusal(f"TimeDistributed around {kind!r} is not supported", hints=("around Dense it is",))
            within = "layer"  # a Dense layer works on the last axis anyway
        try:
            text = self._call(kind, settings, 0)
        except UsageError as error:
            raise _refusal(f"layer {place.names[-1]!r}: {error.what}", hints=error.hints) from None
        return self._add(place, text, sources, Origin(place.names, place.places, within))

    def _input(self, settings: Any, place: _Place) -> str:
        shape = settings.get("batch_shape", settings.get("batch_input_shape")) if isinstance(settings, dict) else None
        if not isinstance(shape, list) or not shape:
            raise _refusal(f"the input {place.names[-1]!r} has no shape")
        whole = str(settings.get("dtype")) in ("int32", "int64", "uint8", "int8", "int16")
        name = self._add(
            place, f"layers.Input(shape={_text(shape[1:])}{', dtype=' + repr('int32') if whole else ''})", (), None
        )
        self.inputs.append(name)
        return name

    def _add(self, place: _Place, text: str, sources: tuple[str, ...], origin: Origin | None) -> str:
        if len(self.rows) >= MAX_ROWS:
            raise _refusal(f"the model has more than {MAX_ROWS} layers")
        name = "/".join(place.names)
        if len(name) > MAX_NAME or not name.isprintable() or name in self.names:
            name = f"layer {len(self.rows) + 1}"
        self.names.add(name)
        self.rows.append(_Row(name, text, sources, place.order, origin))
        return name

    def _call(self, kind: str, settings: Any, depth: int) -> str:
        """`layers.Dense(256)`"""
        if depth > MAX_DEPTH:
            raise _refusal(f"layers are nested more than {MAX_DEPTH} deep")
        if kind not in LAYERS and kind not in ALIASES:
            why = f"unknown or unsupported layer {kind[:60]!r}" + (f": {_CODE}" if kind == "Lambda" else "")
            raise _refusal(why, hints=name_hints(kind, LAYERS))
        if not isinstance(settings, dict):
            raise _refusal(f"{kind} has no settings")
        arguments: list[str] = []
        for name, value in self._adapted(kind, settings).items():
            if not name.isidentifier():
                raise _refusal(f"{kind} has no argument {name[:60]!r}")
            text = self._value(kind, name, value, depth)
            if _matters(kind, name, value, text):
                arguments.append(f"{name}={text}")
        return f"layers.{kind}({', '.join(arguments)})"

    def _adapted(self, kind: str, settings: dict[str, Any]) -> dict[str, Any]:
        """The settings as the current Keras has them."""
        own = _defaults(LAYERS[ALIASES.get(kind, kind)])
        settings = {
            name: value
            for name, value in settings.items()
            if name not in _UNUSED and not name.endswith((*_UNUSED_ENDINGS, "activity_regularizer"))
            if name in own or value not in (None, False)
        }
        axis = settings.get("axis")
        if kind == "BatchNormalization" and isinstance(axis, list) and len(axis) == 1:
            settings["axis"] = axis[0]
        if kind == "GRU" and self.keras_2:
            settings.setdefault("reset_after", False)  # before there was the choice
        return settings

    def _value(self, kind: str, name: str, value: Any, depth: int) -> str:
        if self.keras_2 and value == "hard_sigmoid":
            raise _refusal(f"{kind}: the hard_sigmoid of Keras 2 is another function than today's and is not supported")
        if not isinstance(value, dict):
            return _text(value)
        if value.get("class_name") == "function":
            raise _refusal(f"{kind}: {name}={value.get('config')!s:.60}: {_CODE}")
        if value.get("class_name") == "__tuple__":
            return _text(value.get("items"))
        if value.get("class_name") == "__numpy__":
            return _text(_field(value, "config", dict).get("value"))
        inner, settings = _entry(value)
        return self._call(inner, settings, depth + 1)


def _entry(entry: Any) -> tuple[str, Any]:
    """(kind, settings) of a described object that is Keras's own."""
    kind = entry.get("class_name") if isinstance(entry, dict) else None
    if not isinstance(kind, str) or not isinstance(entry.get("config"), dict | list):
        raise _refusal("a layer is not described as Keras does it")
    module, registered = entry.get("module"), entry.get("registered_name")
    if module is not None and not (isinstance(module, str) and _HOME.fullmatch(module)):
        hints = ("only Keras's own layers can be read", *name_hints(kind, LAYERS))
        raise _refusal(
            f"unknown or unsupported layer {kind[:60]!r} of the module {str(module)[:60]!r}: {_CODE}", hints=hints
        )
    if registered not in (None, kind):
        raise _refusal(f"unknown or unsupported layer {str(registered)[:60]!r}: {_CODE}", hints=name_hints(kind, LAYERS))
    return kind, entry["config"]


def _placed(entries: list[Any], place: _Place) -> Iterator[tuple[str, Any, _Place]]:
    """(kind, settings, place) of each layer of a model."""
    counts: dict[str, int] = {}
    for number, entry in enumerate(entries):
        kind, settings = _entry(entry)
        own = snake_case(kind)
        name = entry.get("name") or (settings.get("name") if isinstance(settings, dict) else None) or own
        if not isinstance(name, str):
            raise _refusal(f"a layer's name is {str(name)[:60]}")
        yield kind, settings, place.below(name, own, counts.get(own, 0), number)
        counts[own] = counts.get(own, 0) + 1


def _implied_input(kind: str, settings: Any, own: Any) -> dict[str, Any]:
    """The input of a Sequential model that begins with another layer, of `settings`, or with another model."""
    for table in (settings, own):
        for name in ("batch_input_shape", "batch_shape", "build_input_shape"):
            if isinstance(table, dict) and isinstance(table.get(name), list):
                return {"batch_shape": table[name], "dtype": table.get("dtype") if table is settings else None}
    if kind in MODELS:
        entries = settings if isinstance(settings, list) else _field(settings, "layers", list)
        inner = [_entry(entry) for entry in entries[:MAX_ROWS]]
        first = next((pair for pair in inner if pair[0] == "InputLayer"), inner[0] if inner else None)
        if first:
            return _implied_input(*first, settings)
    hints = ("run it once on some noise, and save it again",)
    raise _refusal("the model was saved before it knew what records it takes", hints=hints)


def _sources(entry: Any, name: str) -> tuple[str, ...]:
    """The names of the layers whose results a layer of a Functional model takes."""
    calls = entry.get("inbound_nodes")
    if not isinstance(calls, list) or len(calls) != 1:
        count = len(calls) if isinstance(calls, list) else 0
        raise _refusal(f"layer {name!r} is used {count} times; only layers that are used once are supported")
    references, settings = _call_of_keras_3(calls[0]) if isinstance(calls[0], dict) else _call_of_keras_2(calls[0])
    given = [setting for setting, value in settings.items() if _given(value)]
    if given:
        raise _refusal(f"layer {name!r} is called with {given[0][:60]!r}, which is not supported")
    return tuple(_reference(reference, name) for reference in references)


def _call_of_keras_3(call: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """(references to results, settings) of {"args": [...], "kwargs": {...}}."""
    return _tensors(call.get("args"), 0), _field(call, "kwargs", dict)


def _call_of_keras_2(call: Any) -> tuple[list[Any], dict[str, Any]]:
    """(references to results, settings) of [["dense", 0, 0, {...}], ...], or of one of these alone."""
    references = [call] if isinstance(call, list) and call and isinstance(call[0], str) else call
    settings: dict[str, Any] = {}
    for reference in references if isinstance(references, list) else []:
        if isinstance(reference, list) and len(reference) > 3 and isinstance(reference[3], dict):
            settings |= reference[3]
    return (list(references) if isinstance(references, list) else []), settings


def _given(value: Any) -> bool:
    """Whether an argument of a call is more than what it is without it, such as `mask=None` and `training=False`."""
    return any(map(_given, value)) if isinstance(value, list) else value not in (None, False)


def _tensors(value: Any, depth: int) -> list[Any]:
    """The references to other layers in Keras 3's arguments of a call."""
    if depth > MAX_DEPTH:
        raise _refusal(f"arguments are nested more than {MAX_DEPTH} deep")
    if isinstance(value, list):
        return [found for item in value for found in _tensors(item, depth + 1)]
    if isinstance(value, dict) and value.get("class_name") == "__keras_tensor__":
        return [_field(value, "config", dict).get("keras_history")]
    return [] if value is None else [value]


def _reference(value: Any, name: str) -> str:
    """The layer that [layer, number of its call, number of its result, ...] names."""
    match value:
        case [str() as source, 0, 0, *_]:
            return source
        case [str() as source, int(), int(), *_]:
            raise _refusal(f"layer {name!r} takes a second result or a second call of {source!r}; neither is supported")
        case _:
            raise _refusal(f"layer {name!r} takes something that is no layer's result")


def _ends(own: Any, which: str) -> list[tuple[str, Any]]:
    """The inputs or outputs of a Functional model: [["noise", 0, 0], ...], one of these alone, or several by name."""
    value = own.get(which) if isinstance(own, dict) else None
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list) and value and isinstance(value[0], str):
        value = [value]
    if not isinstance(value, list) or not value:
        raise _refusal(f"a model without {which}")
    return [(_reference(item, which), item) for item in value]


def _noise(graph: Graph) -> int:
    """Which input is the noise: the only one that is no class's place, or else the first."""
    places = [
        "dtype='int32'" in graph.nodes[number].text or embedding_of(graph, number) is not None for number in graph.inputs
    ]
    return places.index(False) if places.count(False) == 1 else 0


def _matters(kind: str, name: str, value: Any, text: str) -> bool:
    """Whether an argument has to be written: it is read at all, and is not the default."""
    own = _defaults(LAYERS[ALIASES.get(kind, kind)])
    if name not in own:
        return True  # so that the parser names it
    read, default = own[name]
    if read is anything:
        return False
    if isinstance(value, dict):
        return True
    try:
        return read(tuple(value) if isinstance(value, list) else value) != default
    except (ValueError, TypeError):
        return True  # what is wrong with it, the parser says


@cache
def _defaults(kind: type[Layer]) -> dict[str, tuple[Any, Any]]:
    """(reader, default) of each argument, by its names."""
    assert dataclasses.is_dataclass(kind)
    hints = get_type_hints(kind, include_extras=True)
    own = {field.name: (get_args(hints[field.name])[1], field.default) for field in dataclasses.fields(kind)}
    return own | {old: own[name] for old, name in kind.old_names.items()}


def _text(value: Any) -> str:
    """A JSON value as the parser reads it."""
    if isinstance(value, list):
        return f"({', '.join(map(_text, value))}{',' * (len(value) == 1)})"
    if value is None or isinstance(value, bool | int | float | str):
        return repr(value)
    raise _refusal("an argument is neither a number nor a word, nor a list of these")


def _field(table: Any, name: str, kind: type) -> Any:
    value = table.get(name) if isinstance(table, dict) else None
    if not isinstance(value, kind):
        raise _refusal(f"its description has no usable {name!r}")
    return value


def _refusal(what: str, hints: tuple[str, ...] = ()) -> UsageError:
    return UsageError("E-LAYERS-31", what, hints=hints)
