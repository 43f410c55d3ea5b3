"""Generators and discriminators whose layers were given as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ganwright.core.errors import UsageError
from ganwright.data.spec import Condition, DataSpec
from ganwright.networks.base import (
    UNCONDITIONED,
    Conditions,
    Discriminator,
    Distribution,
    Generated,
    Generator,
    NoiseInput,
    Verdict,
    mean_verdict,
)
from ganwright.networks.keras.definition import Graph, Layers, Node
from ganwright.networks.keras.dense import Embedding
from ganwright.networks.keras.elementwise import Softmax
from ganwright.networks.keras.layer import Activated, KerasWeights, Layer
from ganwright.networks.keras.upsampled import merged
from ganwright.networks.keras.values import Shape
from ganwright.networks.keras.wrappers import SpectralNormalization


class Rows(nn.ModuleDict):
    """The layers of a graph by row number, "1", "2", ..., as the errors count them."""

    def __init__(self, graph: Graph, wanted: Sequence[int], instead: Mapping[int, Layer] | None = None) -> None:
        """Build every row; `instead` has layers that replace rows' own, `wanted` are the rows whose results are returned."""
        super().__init__()
        self.wanted = tuple(wanted)
        self.graph = graph
        self.sources = {number: node.sources for number, node in graph.nodes.items() if node.sources}
        """The rows that each row is run on, in the order in which rows are run."""
        for number in sorted(self.sources):
            node = graph.nodes[number]
            layer = (instead or {}).get(number, node.layer)
            shapes = [graph.nodes[source].shape for source in node.sources]
            self[str(number)] = (self._merged(node, layer) or layer).module(*shapes)
        self.reader_counts = Counter(source for sources in self.sources.values() for source in set(sources))

    def _merged(self, node: Node, layer: Layer) -> Layer | None:
        """A layer that does the work of the row before too, which is then not run."""
        before = node.sources[0]
        found = merged(self.graph.nodes[before].layer, layer)
        if found and before not in self.wanted and len(self.graph.readers(before)) == 1:
            self.sources[node.number] = self.sources.pop(before)
            return found
        return None

    def forward(self, *inputs: Tensor) -> list[Tensor]:
        """The results (B, *shape) of the wanted rows, from the graph's inputs."""
        values = dict(zip(self.graph.inputs, inputs, strict=True))
        waiting = dict(self.reader_counts)
        for number, sources in self.sources.items():
            values[number] = self[str(number)](*(values[source] for source in sources))
            for source in set(sources) - set(self.wanted):
                waiting[source] -= 1
                if not waiting[source]:
                    del values[source]  # so that sampling holds what it still needs, not every layer's result
        return [values[number] for number in self.wanted]

    def keras_layers(self) -> list[tuple[str, KerasWeights]]:
        """(name, module) in the user's order, those without weights too; the names are the rows' or Keras's own."""
        found = [(number, self[str(number)]) for number in sorted(self.graph.nodes) if str(number) in self]
        return [(self.graph.nodes[number].name, module) for number, module in found if isinstance(module, KerasWeights)]


class LayersGenerator(Generator):
    """(B, *first input) -> (B, *spec.shape)."""

    def __init__(self, layers: Layers, spec: DataSpec, distribution: Distribution = "normal") -> None:
        """Build it.

        Raises:
            UsageError: its inputs or its output are not those of the data.
        """
        super().__init__()
        graph = layers.graph
        output = _only_output(graph)
        self.has_channels = len(spec.shape) > 1
        _check_output(output, spec)
        self.conditions = _condition_inputs(graph, spec)
        latent = graph.nodes[graph.inputs[0]]
        self.noise = {"latent": NoiseInput(latent.shape, distribution)}
        self.rows = Rows(graph, [output.number])

    def forward(self, noise: Mapping[str, Tensor], condition: Conditions = UNCONDITIONED) -> Generated:
        given = [take(condition) for take in self.conditions]
        (record,) = self.rows(noise["latent"], *given)
        return Generated(record.movedim(-1, 1) if self.has_channels else record)

    def keras_layers(self) -> list[tuple[str, KerasWeights]]:
        """(name, module) of every row in order; `module.load_keras(arrays)` takes over a Keras layer's weights."""
        return self.rows.keras_layers()


class LayersDiscriminator(Discriminator):
    """(B, *spec.shape) -> one head per output: (B,), or (B, values) where an output has several.

    A sigmoid at the end of an output is left out of the logits and counts in `score`.
    """

    def __init__(self, layers: Layers, spec: DataSpec) -> None:
        """Build it.

        Raises:
            UsageError: its inputs are not those of the data, it ends in a softmax, or other rows take what a final sigmoid
                gives.
        """
        super().__init__()
        graph = layers.graph
        self.by_itself = all(node.layer.by_itself for node in graph.nodes.values())
        self.has_channels = len(spec.shape) > 1
        first = graph.nodes[graph.inputs[0]]
        shape = records_shape(spec)
        if first.shape != shape:
            what = f"the discriminator's first input takes records {first.shape}, the data have {shape}"
            raise UsageError("E-LAYERS-08", what, where=first.where, hints=_shape_hints(spec))
        self.conditions = _condition_inputs(graph, spec)
        for number in graph.outputs:
            _refuse_softmax(graph.nodes[number])
        bypassed = {number: _final_sigmoid(graph, number) for number in graph.outputs}
        self.sigmoids = tuple(bypassed[number] is not None for number in graph.outputs)
        wanted = [*graph.outputs, _last_input(graph, graph.outputs[0])]
        self.rows = Rows(graph, wanted, dict(found for found in bypassed.values() if found))

    def forward(self, x: Tensor, condition: Conditions = UNCONDITIONED) -> Verdict:
        given = [take(condition) for take in self.conditions]
        *heads, features = self.rows(_channels_last(x) if self.has_channels else x, *given)
        return Verdict(tuple(_as_logits(head) for head in heads), features.flatten(1))

    def score(self, x: Tensor, condition: Conditions = UNCONDITIONED) -> Tensor:
        """How real each record looks, (B,), the mean over heads and patches: what the layers as they are written give."""
        heads = zip(self.sigmoids, self(x, condition).logits, strict=True)
        return mean_verdict([logits.sigmoid() if sigmoid else logits for sigmoid, logits in heads])

    def keras_layers(self) -> list[tuple[str, KerasWeights]]:
        """(name, module) of every row in order; `module.load_keras(arrays)` takes over a Keras layer's weights."""
        return self.rows.keras_layers()


@dataclass(frozen=True)
class ConditionInput:
    """One condition as an input of a network takes it: the class's place, or one-hot; labels and numbers as they are."""

    name: str
    shape: Shape
    one_hot: bool

    def __call__(self, condition: Conditions) -> Tensor:
        """(B, *shape), float32: an embedding takes places as such, and everything else can calculate with them."""
        values = condition[self.name]
        if self.one_hot:
            # An unknown class, -1, is all zeros.
            return (values.unsqueeze(1) == torch.arange(self.shape[0], device=values.device)).float()
        return values.float().reshape(-1, *self.shape)


def records_shape(spec: DataSpec) -> Shape:
    """A record's shape in the user's order, as Keras has it: (height, width, channels), (steps, channels), (columns,)."""
    return (*spec.shape[1:], spec.shape[0])


def _channels_last(x: Tensor) -> Tensor:
    """(B, C, ...) -> (B, ..., C); memory in that order, so that no later layer has to copy."""
    return x.movedim(1, -1).contiguous()


def _as_logits(head: Tensor) -> Tensor:
    """(B, ...) -> (B,) or (B, values)."""
    head = head.flatten(1) if head.ndim > 1 else head
    return head.squeeze(1) if head.ndim == 2 and head.shape[1] == 1 else head


def _only_output(graph: Graph) -> Node:
    outputs = [graph.nodes[number] for number in graph.outputs]
    if len(outputs) > 1:
        names = " and ".join(repr(node.name) for node in outputs[:4])
        hints = ("every row but the output must be a predecessor of another",)
        raise UsageError("E-LAYERS-05", f"a generator has one output, not {len(outputs)}: {names}", hints=hints)
    return outputs[0]


def _check_output(output: Node, spec: DataSpec) -> None:
    wanted = records_shape(spec)
    if output.shape == wanted:
        return
    hints = _shape_hints(spec)
    if len(output.shape) == 1 and torch.Size(wanted).numel() == output.shape[0]:
        hints = (f"add layers.Reshape({wanted}) as the last row",)
    what = f"the generator makes records {output.shape}, the data have {wanted}"
    raise UsageError("E-LAYERS-08", what, where=output.where, hints=hints)


def _shape_hints(spec: DataSpec) -> tuple[str, ...]:
    orders = {3: "pictures are (height, width, channels) here", 2: "records are (steps, channels) here"}
    order = orders.get(len(spec.shape))
    return (*([order] if order else []), "change the layers, or the size of the records")


def _condition_inputs(graph: Graph, spec: DataSpec) -> list[ConditionInput]:
    """How each input after the first takes its condition; the embeddings that follow are checked."""
    nodes = [graph.nodes[number] for number in graph.inputs[1:]]
    if len(nodes) != len(spec.conditions):
        named = ", ".join(condition.name for condition in spec.conditions) or "none"
        what = f"the network has {len(nodes)} inputs beside the first, there are {len(spec.conditions)} conditions: {named}"
        raise UsageError("E-LAYERS-08", what)
    taken = [_condition_input(node, condition) for node, condition in zip(nodes, spec.conditions, strict=True)]
    pairs = zip(nodes, spec.conditions, taken, strict=True)
    places = {node.number: each for node, each, how in pairs if each.kind == "class" and not how.one_hot}
    _check_embeddings(graph, places)
    return taken


def _condition_input(node: Node, condition: Condition) -> ConditionInput:
    classes = len(condition.classes)
    if condition.kind != "class":
        wanted = ((), (1,)) if condition.kind == "number" else ((classes,),)
        if node.shape in wanted:
            return ConditionInput(condition.name, node.shape, one_hot=False)
        what = f"the input for condition {condition.name!r} takes {node.shape}"
        hints = (f"Input(shape=({condition.width},)) takes its {condition.kind}, for a Dense layer",)
        raise UsageError("E-LAYERS-08", what, where=node.where, hints=hints)
    if node.shape in ((), (1,)):
        return ConditionInput(condition.name, node.shape, one_hot=False)
    if node.shape == (classes,):
        return ConditionInput(condition.name, node.shape, one_hot=True)
    what = f"the input for condition {condition.name!r} takes {node.shape}, and there are {classes} classes"
    hints = ("Input(shape=(1,)) takes the class's place, for an Embedding", f"Input(shape=({classes},)) takes it one-hot")
    raise UsageError("E-LAYERS-08", what, where=node.where, hints=hints)


def _check_embeddings(graph: Graph, places: Mapping[int, Condition]) -> None:
    """Refuse an embedding of anything but a class's place, or with too few rows for the classes."""
    known = dict(places)
    for node in graph.nodes.values():
        source = known.get(node.sources[0]) if node.sources else None
        if node.layer.only_shape and source:
            known[node.number] = source
        layer = node.layer.layer if isinstance(node.layer, SpectralNormalization) else node.layer
        if isinstance(layer, Embedding) and source is None:
            what = "an Embedding takes a condition's place: no gradient passes through one, and records are no places"
            raise UsageError("E-LAYERS-08", what, where=node.where)
        if isinstance(layer, Embedding) and source and layer.input_dim < len(source.classes):
            what = f"this Embedding has {layer.input_dim} rows, condition {source.name!r} has {len(source.classes)} classes"
            raise UsageError("E-LAYERS-08", what, where=node.where)


def _refuse_softmax(output: Node) -> None:
    layer = output.layer.layer if isinstance(output.layer, SpectralNormalization) else output.layer
    named = isinstance(layer, Activated) and layer.activation.name in ("softmax", "log_softmax")
    if named or isinstance(layer, Softmax):
        what = "a discriminator that ends in a softmax says the same of every record: its values add up to one"
        raise UsageError("E-LAYERS-05", what, where=output.where, hints=("layers.Dense(1, activation='sigmoid')",))


def _final_sigmoid(graph: Graph, number: int) -> tuple[int, Layer] | None:
    """The row whose sigmoid ends the output at `number`, with its layer without it; layers that only reshape may follow."""
    node = graph.nodes[number]
    bare = node.layer.without_sigmoid()
    while bare is None and node.layer.only_shape:
        node = graph.nodes[node.sources[0]]
        bare = node.layer.without_sigmoid()
    if bare is None:
        return None
    if len(graph.readers(node.number)) > 1:
        what = "other rows take the result of a final sigmoid, which training leaves out"
        raise UsageError("E-LAYERS-05", what, where=node.where, hints=("give it a row of its own: Activation('sigmoid')",))
    return node.number, bare


def _last_input(graph: Graph, number: int) -> int:
    """The row whose result the last layer with weights takes, or the output itself after a merge."""
    node = graph.nodes[number]
    while len(node.sources) == 1:
        shapes = [graph.nodes[source].shape for source in node.sources]
        if node.layer.weights(*shapes):
            return node.sources[0]
        node = graph.nodes[node.sources[0]]
    return node.number
