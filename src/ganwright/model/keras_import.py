"""A generator that Keras trained, as a model of ours.

Its layers are read as text (`networks.keras.from_config`), its weights are taken over one by one, and from then on neither
Keras nor its file is needed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from ganwright.core.errors import ModelFileError, UsageError
from ganwright.core.text import printable
from ganwright.data.image_size import COLOURS
from ganwright.data.modalities.base import Codec
from ganwright.data.modalities.image import ImageCodec
from ganwright.data.modalities.numbers import BINS, MOST_PANELS, NumbersCodec, Ranges
from ganwright.data.picture_decoding import PicturePolicy
from ganwright.data.spec import Condition, DataSpec
from ganwright.data.told import Told
from ganwright.model.conditions import draw_conditions
from ganwright.model.keras_files import KerasFile, open_keras
from ganwright.model.model import Model
from ganwright.model.model_file import ModelContents
from ganwright.model.noise import BLOCK, draw_noise
from ganwright.networks.base import Distribution
from ganwright.networks.keras.definition import Graph, Layers
from ganwright.networks.keras.from_config import Origin, SavedNetwork, embedding_of, read_config
from ganwright.networks.keras.layer import Layer, Weight
from ganwright.networks.keras.network import LayersGenerator
from ganwright.networks.keras.noise import Dropout, GaussianDropout, GaussianNoise, SpatialDropout1D, SpatialDropout2D
from ganwright.networks.keras.recurrent import Recurrent
from ganwright.networks.keras.reshaping import Cropping1D, Cropping2D, UpSampling1D, UpSampling2D
from ganwright.networks.keras.values import Shape
from ganwright.networks.keras.wrappers import Bidirectional, SpectralNormalization
from ganwright.networks.layered import Layered
from ganwright.runtime.keys import Key

Values = Literal["auto", "signed", "unit", "bytes"]
"""What a generator's records are made of: numbers in -1..1, in 0..1 or in 0..255; auto: as its last activation says."""

MOST_CLASSES = 10_000
"""Their names, which are their numbers, go into a model file's header, which is bounded."""
TRIED_BLOCKS = 4
"""Of samples, from which the range of rows of numbers without bounds is found."""

_SCALES: dict[str, tuple[float, float]] = {"signed": (-1.0, 1.0), "unit": (0.0, 1.0), "bytes": (0.0, 255.0)}
_BOUNDED = {"tanh": "signed", "hard_tanh": "signed", "softsign": "signed", "sigmoid": "unit", "hard_sigmoid": "unit"}
_KEEP_RANGE = (
    *(Dropout, SpatialDropout1D, SpatialDropout2D, GaussianDropout, GaussianNoise),
    *(Cropping1D, Cropping2D, UpSampling1D, UpSampling2D),
)
"""Layers after which values lie in the range that they had before, in sampling."""
_MOVED = ("moving_mean", "moving_variance", "vector_u", "sn_u")
"""Keras's names of the weights without a gradient, which a `.h5` file has last."""


@dataclass(frozen=True)
class _Range:
    """Of the values of records."""

    low: float
    high: float

    @property
    def scale(self) -> float:
        """What brings the range's width to that of -1..1."""
        return 2 / (self.high - self.low)

    @property
    def shift(self) -> float:
        """What is added then."""
        return -1 - self.low * self.scale


def import_keras(path: Path, noise: Distribution = "normal", values: Values = "auto") -> Model:
    """The generator in a `.keras` or `.h5` file of Keras's `model.save`, on the CPU in fp32, ready to sample and to save.

    Its first input that is no class's place is the noise; others are conditions, whose classes are called "0", "1", ...
    What it draws has to be a picture (height, width, 1, 3 or 4) or a row of numbers.

    Args:
        path: the file.
        noise: what the noise was drawn from in training, which the file does not say.
        values: the range of what it draws; where this is not -1..1, a layer that brings it there is added to pictures.

    Raises:
        ModelFileError: the file is damaged or hostile, has layers that are not supported, or holds no such generator.
        UsageError: h5py is not installed.
    """
    try:
        with open_keras(path) as file:
            return _imported(path, file, noise, values)
    except UsageError as error:
        if error.code == "E-IMPORT-01":
            raise
        why = ": ".join(part for part in (error.what, error.why) if part)
        raise _unsupported(path, why, error.where, error.hints) from error
    except RecursionError as error:
        raise _unsupported(path, "its definition is nested absurdly deep") from error


def _imported(path: Path, file: KerasFile, noise: Distribution, values: Values) -> Model:
    saved = read_config(file.definition, keras_2=file.version.startswith("2."))
    graph = saved.layers.graph
    shape, conditions = _drawn(path, graph), _conditions(path, graph)
    found = _known_range(path, graph, len(shape) == 3, values)
    try:
        spec = _spec(shape, conditions)
        with torch.device("meta"):
            LayersGenerator(saved.layers, spec, noise)  # so that what does not fit is told before weights are read
    except UsageError:
        raise
    except ValueError as error:
        raise _no_generator(path, str(error)) from error
    arrays = _weights(file, saved)

    if found is None:
        found = _tried_range(path, _filled(saved.layers, spec, noise, arrays), spec)
    layers, extra = _brought_to_range(saved.layers, shape, found)
    family = Layered(layers, noise=noise)
    generator = _filled(layers, spec, noise, arrays | extra)
    codec = _codec(shape, conditions, found)
    try:
        type(codec).from_state(codec.state(), codec.tensors())  # so that what is saved can be read
    except ValueError as error:
        raise _no_generator(path, str(getattr(error, "what", error))) from error
    version = printable(file.version)[:20]
    facts = {
        "recipe": "imported",
        "data": {"name": printable(path.name)},
        "imported": {"file": printable(path.name), "keras": version, "low": found.low, "high": found.high},
    }
    return Model(ModelContents(family, spec, codec, generator, facts))


def _drawn(path: Path, graph: Graph) -> Shape:
    """The shape of the one result, once it looks like what a generator draws."""
    first = graph.nodes[graph.inputs[0]]
    if len(graph.outputs) != 1:
        raise _no_generator(path, f"it has {len(graph.outputs)} outputs")
    shape = graph.nodes[graph.outputs[0]].shape
    if shape in ((), (1,)):
        raise _no_generator(path, f"it turns {_times(first.shape)} into a single value: this looks like a discriminator")
    if len(first.shape) == 3 and math.prod(first.shape[:2]) > 1 and first.shape[2] in COLOURS:
        raise _no_generator(path, f"its first input is a picture of {_times(first.shape)}, not noise")
    if len(shape) == 3 and shape[2] in COLOURS:
        return shape
    if len(shape) == 1:
        return shape
    hints = ("end it with a Reshape((height, width, channels)) in Keras, and save it again",)
    why = f"it draws records of {_times(shape)}; pictures are height×width×channels, with 1, 3 or 4 channels"
    raise _no_generator(path, why, hints)


def _conditions(path: Path, graph: Graph) -> tuple[Condition, ...]:
    """One for each input but the noise; the classes are called by their numbers."""
    conditions: list[Condition] = []
    for place, number in enumerate(graph.inputs[1:]):
        node, embedding = graph.nodes[number], embedding_of(graph, number)
        count = embedding.input_dim if embedding else node.shape[0] if len(node.shape) == 1 and node.shape[0] > 1 else 0
        if not 2 <= count <= MOST_CLASSES:
            why = f"its input {node.name!r} takes {_times(node.shape)}, which says not how many classes there are"
            if count:
                why = f"its input {node.name!r} takes {count:,} classes, 2 to {MOST_CLASSES:,} are possible"
            hints = ("an input for a class is followed by an Embedding, or takes it one-hot",)
            raise _no_generator(path, why, hints)
        conditions.append(Condition("label" if place == 0 else f"label_{place + 1}", tuple(map(str, range(count)))))
    return tuple(conditions)


def _known_range(path: Path, graph: Graph, is_picture: bool, values: Values) -> _Range | None:
    """The range of the records' values; None for rows of numbers that nothing bounds."""
    if values == "auto":
        last = _last_activation(graph)
        if last not in _BOUNDED:
            if not is_picture and last == "linear":
                return None
            hints = ("--values signed for -1..1, unit for 0..1, bytes for 0..255 (values= in Python)",)
            why = f"its last activation is {last}, so the file says not in which range its values lie"
            raise _no_generator(path, why, hints)
        values = "signed" if _BOUNDED[last] == "signed" else "unit"
    return _Range(*_SCALES[values])


def _last_activation(graph: Graph) -> str:
    """The name of the function that the result comes from; "linear" where none bounds it."""
    node = graph.nodes[graph.outputs[0]]
    while node.sources and (node.layer.only_shape or isinstance(node.layer, _KEEP_RANGE)):
        node = graph.nodes[node.sources[0]]
    layer: Any = node.layer
    while isinstance(layer, SpectralNormalization | Bidirectional):
        layer = layer.layer
    activation = getattr(layer, "activation", None)
    if activation is not None:
        return str(activation.name)
    return "linear" if layer.weights(*(graph.nodes[source].shape for source in node.sources)) else type(layer).__name__


@dataclass(frozen=True)
class _Slot:
    """One weight of one row."""

    row: str
    number: int
    """Its place in `get_weights()`."""
    weight: Weight


def _weights(file: KerasFile, saved: SavedNetwork) -> dict[str, list[np.ndarray]]:
    """The weights of every row as Keras's `get_weights()` lists them; all of them are checked before one is read."""
    graph = saved.layers.graph
    nodes = {node.name: node for node in graph.nodes.values()}
    slots: dict[str, list[_Slot]] = {}
    for name in saved.origins:
        weights = nodes[name].layer.weights(*(graph.nodes[source].shape for source in nodes[name].sources))
        slots[name] = [_Slot(name, number, weight) for number, weight in enumerate(weights)]
    find = _by_layer_names if file.legacy else _by_places
    found = list(find(file, saved, slots))
    total = sum(file.check(path, slot.weight.shape) for slot, path in found)
    if total > file.size:
        file.refuse(f"its weights would be {total:,} bytes, more than there are in the file")
    arrays = {name: [np.empty(0)] * len(some) for name, some in slots.items()}
    for slot, path in found:
        arrays[slot.row][slot.number] = file.read(path, slot.weight.shape)
    return arrays


_Found = Iterator[tuple[_Slot, tuple[str, ...]]]
"""Each weight, and where it lies."""


def _by_layer_names(file: KerasFile, saved: SavedNetwork, slots: Mapping[str, list[_Slot]]) -> _Found:
    """Where a `.h5` file has them: by the outermost layer, and there what learns first, then what does not."""
    units: dict[str, list[_Slot]] = {}
    for name, origin in saved.origins.items():
        units.setdefault(origin.names[0], []).extend(slots[name])
    for unit, some in units.items():
        names = file.weight_names(unit)
        # A frozen model has them in another order, so the names decide which is which.
        still = [name for name in names if name.partition(":")[0].rpartition("/")[2] in _MOVED]
        learned = [slot for slot in some if slot.weight.learned]
        if (len(names), len(still)) != (len(some), len(some) - len(learned)):
            found = f"{len(names)} weights, {len(still)} of them without a gradient"
            file.refuse(f"layer {unit!r} has {found}; {len(some)} and {len(some) - len(learned)} are expected")
        ordered = [*learned, *(slot for slot in some if not slot.weight.learned)]
        for slot, name in zip(ordered, [*(name for name in names if name not in still), *still], strict=True):
            yield slot, ("model_weights", *unit.split("/"), *name.split("/"))


def _by_places(file: KerasFile, saved: SavedNetwork, slots: Mapping[str, list[_Slot]]) -> _Found:
    """Where a `.keras` archive has them: by the kinds of the layers, counted within each model."""
    nodes = {node.name: node for node in saved.layers.graph.nodes.values()}
    for name, origin in saved.origins.items():
        if slots[name]:
            group = _group(file, origin)
            for slot, part in zip(slots[name], _parts(nodes[name].layer, len(slots[name])), strict=True):
                yield slot, (*group, *part)


def _group(file: KerasFile, origin: Origin) -> tuple[str, ...]:
    """The group of a layer: ("layers", "sequential", "layers", "dense_1")."""
    group: tuple[str, ...] = ()
    for kind, count in origin.places:
        name = f"{kind}_{count}" if count else kind
        if name in file.children((*group, "layers")):
            group = (*group, "layers", name)
            continue
        # TensorFlow 2.13's own Keras: other numbers, with gaps, in the same order.
        group = (*group, "_layer_checkpoint_dependencies")
        alike = [(_number(found, kind), found) for found in file.children(group)]
        places = sorted((number, found) for number, found in alike if number is not None)
        if count >= len(places):
            file.refuse(f"the weights of layer {'/'.join(origin.names)!r} are missing")
        group = (*group, places[count][1])
    return (*group, origin.within) if origin.within else group


def _number(name: str, kind: str) -> int | None:
    """dense -> 0, dense_3 -> 3, for the kind dense; None for other kinds."""
    if name == kind:
        return 0
    digits = name.removeprefix(f"{kind}_")
    return int(digits) if digits != name and digits.isascii() and digits.isdigit() and len(digits) < 6 else None


def _parts(layer: Layer, count: int) -> list[tuple[str, ...]]:
    """Where below its group each of a layer's weights lies, in the order of `get_weights()`."""
    if isinstance(layer, SpectralNormalization):
        inner = _parts(layer.layer, count - 1)
        # Its own variables are the kernel, which the inner layer has too, and the vector.
        return [("layer", *inner[0]), ("vars", "1"), *(("layer", *part) for part in inner[1:])]
    if isinstance(layer, Bidirectional):
        first = 3 if layer.layer.use_bias else 2
        one, other = _parts(layer.layer, first), _parts(layer.backward, count - first)
        return [*(("forward_layer", *part) for part in one), *(("backward_layer", *part) for part in other)]
    cell = ("cell",) if isinstance(layer, Recurrent) else ()
    return [(*cell, "vars", str(number)) for number in range(count)]


def _filled(layers: Layers, spec: DataSpec, noise: Distribution, arrays: Mapping[str, list[np.ndarray]]) -> LayersGenerator:
    """The generator with these weights; nothing is drawn for it."""
    with torch.device("meta"):
        generator = LayersGenerator(layers, spec, noise)
    generator.to_empty(device="cpu")
    for value in generator.state_dict().values():
        value.zero_()  # what Keras does not have, such as a count of batches
    for name, module in generator.keras_layers():
        module.load_keras(arrays.get(name, []))
    return generator.requires_grad_(False).eval()


def _tried_range(path: Path, generator: LayersGenerator, spec: DataSpec) -> _Range:
    """Powers of two that leave room on both sides of what some draws give."""
    largest = 0.0
    for part in range(TRIED_BLOCKS):
        key = Key(0, step=part, turn="sample")
        with torch.inference_mode():
            drawn = generator(draw_noise(generator.noise, BLOCK, key), draw_conditions(spec.conditions, BLOCK, key)).raw
        largest = max(largest, float(drawn.abs().nan_to_num(math.inf).max()))
    if not largest < 2.0**60:
        raise _no_generator(path, "what it draws are no finite numbers")
    bound = 2.0 ** (math.ceil(math.log2(max(largest, 2.0**-20))) + 1)
    return _Range(-bound, bound)


def _brought_to_range(layers: Layers, shape: Shape, found: _Range) -> tuple[Layers, dict[str, list[np.ndarray]]]:
    """The layers with rows at their end that bring values to -1..1, where they are not there; and the rows' weights."""
    if (found.low, found.high) == (-1, 1):
        return layers, {}
    graph = layers.graph
    last = graph.nodes[graph.outputs[0]].name
    rows: list[tuple[str, str, tuple[str, ...]]] = [row for row in layers.rows if isinstance(row, tuple)]
    taken, names = {row[0] for row in rows}, ["one by one", "in range", "record in range"]
    while taken & set(names):
        names = [name + " " for name in names]
    # A dense layer works on the last axis: each channel, or each number by itself, times the scale, plus the shift.
    width = shape[-1] if len(shape) == 3 else 1
    dense = f"layers.Dense({width})"
    if len(shape) == 3:
        rows.append((names[1], dense, (last,)))
    else:
        apart = (names[0], f"layers.Reshape({(*shape, 1)})", (last,))
        rows += [apart, (names[1], dense, (names[0],)), (names[2], f"layers.Reshape({shape})", (names[1],))]
    weights = [np.eye(width, dtype=np.float32) * np.float32(found.scale), np.full(width, found.shift, np.float32)]
    return Layers(rows), {names[1]: weights}


def _spec(shape: Shape, conditions: tuple[Condition, ...]) -> DataSpec:
    """ValueError where it is larger than any data that we have."""
    if len(shape) == 3:
        return DataSpec("image", (shape[2], shape[0], shape[1]), "linear", conditions)
    return DataSpec("numbers", shape, "linear", conditions)


def _codec(shape: Shape, conditions: tuple[Condition, ...], found: _Range) -> Codec:
    told = Told(conditions[:1])
    if len(shape) == 3:
        return ImageCodec(PicturePolicy(shape[0], shape[1], shape[2]), told)
    low, high = (np.full(shape, end, np.float64) for end in (found.low, found.high))
    histogram = np.zeros((min(shape[0], MOST_PANELS), BINS), np.int64)
    return NumbersCodec(Ranges(low, high, np.zeros(shape, bool), histogram), told=told)


def _times(shape: Shape) -> str:
    return "×".join(map(str, shape)) or "a single value"


def _no_generator(path: Path, why: str, hints: tuple[str, ...] = ()) -> ModelFileError:
    what = f"{printable(str(path))} holds no generator that can be imported"
    return ModelFileError("E-MODEL-13", what, why=printable(why), hints=tuple(map(printable, hints)))


def _unsupported(path: Path, why: str, where: str = "", hints: tuple[str, ...] = ()) -> ModelFileError:
    what = f"{printable(str(path))} has layers that cannot be imported"
    return ModelFileError("E-MODEL-12", what, where=printable(where), why=printable(why), hints=tuple(map(printable, hints)))
