"""Networks as text: what is read, what is refused, and where an error points."""

from __future__ import annotations

import time
from typing import Any

import pytest
import torch

from ganwright.core.config import from_plain, to_plain
from ganwright.core.errors import UsageError
from ganwright.data.spec import DataSpec
from ganwright.networks.keras import catalogue, convolution, dense, elementwise, initializers, pooling
from ganwright.networks.keras.definition import MAX_ROWS, Layers
from ganwright.networks.keras.layer import MAX_VALUES
from ganwright.networks.keras.network import LayersGenerator
from ganwright.networks.keras.parse import MAX_TEXT, Call, Reference, parse_call


def read(text: str) -> Any:
    return catalogue.read_layer(parse_call(text))


def refused(rows: Any) -> UsageError:
    with pytest.raises(UsageError) as caught:
        Layers(rows)
    assert len(str(caught.value).splitlines()) <= 6
    assert caught.value.code.startswith("E-LAYERS-0")
    return caught.value


def test_text_reads_as_values() -> None:
    call = parse_call(
        " tf.keras.layers.Dense(128 * 7 * 7, 'relu', x=[1, -2.5, +3], y=(None, True), z=a.b(-(7 // 2) % 5 + 1.5 / 3)) "
    )
    assert (call.prefix, call.name) == ("tf.keras.layers", "Dense")
    assert call.positional == (6272, "relu")
    assert dict(call.named) == {"x": (1, -2.5, 3), "y": (None, True), "z": Call("a.b", (-3 % 5 + 0.5,))}
    assert parse_call("f(tf.nn.relu)").positional == (Reference("tf.nn.relu"),)


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('touch /tmp/x')",
        "Dense((lambda: 3)())",
        "Dense([i for i in range(3)])",
        "Dense({1: 2})",
        "Dense({1, 2})",
        "Dense(f'{1}')",
        "Dense(9**9**9)",
        "Dense(10**10)",
        "Dense(1 << 60)",
        "Dense(99999999999999999999999)",
        "Dense(9007199254740992 * 2)",
        "Dense(1e999)",
        "Dense(1 / 0)",
        "Dense(1 // 0)",
        "Dense(1 % 0.0)",
        "Dense('a' * 1000)",
        "Dense(True + 1)",
        "Dense([1] * 1000000)",
        "Dense(x.y[0])",
        "Dense(().__class__.__bases__)",
        "Dense(3)(4)",
        "Dense(3).call",
        "Dense(*[3])",
        "Dense(**{})",
        "Dense(b'3')",
        "Dense(3j)",
        "Dense(...)",
        "Dense(3 if 1 else 4)",
        "Dense(x := 3)",
        "Dense(1 < 2)",
        "Dense(not 1)",
        "Dense(3); Dense(4)",
        "import os",
        "Dense(3",
        "Dense",
        "3",
        "'Dense(3)'",
        "",
        "Dense(\0)",
        "Dense(" + "(" * 300 + "3" + ")" * 300 + ")",
        "Dense(" + "-" * 900 + "3)",
        "Dense(" + "[" * 150 + "]" * 150 + ")",
        "Dense(" + "f(" * 150 + ")" * 150 + ")",
        "a." * 450 + "b",
        "Dense(3)" + " " * MAX_TEXT,
    ],
)
def test_hostile_text_is_not_evaluated(text: str) -> None:
    error = refused(["Input(shape=(3,))", text])
    assert error.code == "E-LAYERS-01"
    assert error.where.startswith("row 2: ")
    assert error.why or "parentheses" in error.what


@pytest.mark.parametrize("prefix", ["", "layers.", "keras.layers.", "tf.keras.layers.", "tensorflow.keras.layers."])
def test_prefixes(prefix: str) -> None:
    assert read(f"{prefix}Dense(3)") == dense.Dense(3)
    assert read(f"{prefix}MaxPool2D()") == pooling.MaxPooling2D()


@pytest.mark.parametrize(
    ("text", "layer"),
    [
        ("LeakyReLU(alpha=0.2)", elementwise.LeakyReLU(0.2)),
        ("LeakyReLU(0.2)", elementwise.LeakyReLU(0.2)),
        ("Dense(8.0)", dense.Dense(8)),
        ("Dense(128 // 2, name='x', dtype='float32', trainable=True)", dense.Dense(64)),
        ("Dense(3, activation=None, kernel_regularizer=None)", dense.Dense(3)),
        ("Dense(3, activation='relu')", dense.Dense(3, elementwise.activation("relu"))),
        ("Dense(3, activation=tf.nn.relu)", dense.Dense(3, elementwise.activation("relu"))),
        (
            "Dense(3, 'relu', True, 'he_normal')",
            dense.Dense(3, elementwise.activation("relu"), True, initializers.initializer("HeNormal")),
        ),
        (
            "Dense(3, kernel_initializer=RandomNormal(stddev=0.02))",
            dense.Dense(3, kernel_initializer=initializers.RandomNormal(0.0, 0.02)),
        ),
        (
            "Dense(3, kernel_initializer=tf.keras.initializers.RandomNormal(0., 0.02, seed=1))",
            dense.Dense(3, kernel_initializer=initializers.RandomNormal(0.0, 0.02)),
        ),
        ("Dense(3, kernel_initializer='normal')", dense.Dense(3, kernel_initializer=initializers.RandomNormal())),
        ("Conv2D(4, [3, 2], (2), 'SAME')", convolution.Conv2D(4, (3, 2), (2, 2), "same")),
        ("Conv2D(4, 3, data_format='channels_last')", convolution.Conv2D(4, (3, 3), data_format="channels_last")),
        ("Embedding(3, 4, input_length=1)", dense.Embedding(3, 4, input_length=1)),
    ],
)
def test_what_a_keras_user_writes(text: str, layer: object) -> None:
    assert read(text) == layer


@pytest.mark.parametrize(
    ("text", "code", "message", "hint"),
    [
        ("Dence(3)", "02", "unknown or unsupported layer 'Dence'", "did you mean Dense?"),
        ("layers.lstm(3)", "02", "layer 'lstm'", "did you mean LSTM?"),
        ("Conv2d(3)", "02", "layer 'Conv2d'", "did you mean Conv2D?"),
        ("Lambda(3)", "02", "layer 'Lambda'", "known: "),
        ("os.Dense(3)", "02", "os.Dense is not a layer", "write layers.Dense(...)"),
        ("Dense(unit=3)", "03", "Dense has no argument 'unit'", "did you mean units?"),
        ("Dense()", "03", "Dense needs units", "Dense(units)"),
        ("Conv2D(activation='relu')", "03", "Conv2D needs filters and kernel_size", "Conv2D(filters, kernel_size)"),
        ("Dense(3, units=4)", "03", "units is given twice", ""),
        ("Dense(units=3, units=4)", "03", "units is given twice", ""),
        ("LeakyReLU(0.1, alpha=0.2)", "03", "negative_slope is given twice", ""),
        ("Flatten(None, 2)", "03", "takes at most 1 arguments", ""),
        ("Dense('3')", "03", "units must be a whole number from 1 to 16777216, not '3'", ""),
        ("Dense(3.5)", "03", "not 3.5", ""),
        ("Dense(True)", "03", "not True", ""),
        ("Dense(-3)", "03", "not -3", ""),
        ("Dense(3, 'rellu')", "03", "activation must be an activation's name (did you mean relu?), not 'rellu'", ""),
        ("Dense(3, layers.PReLU())", "02", "'PReLU'", "did you mean ReLU?"),
        ("Dense(3, use_bias=1)", "03", "use_bias must be True or False, not 1", ""),
        ("Dense(3, kernel_initializer='he_normall')", "04", "not supported", ""),
        (
            "Dense(3, kernel_initializer=RandomNormal(stdev=1))",
            "03",
            "RandomNormal with arguments from mean, stddev, seed",
            "",
        ),
        (
            "Dense(3, kernel_regularizer='l2')",
            "04",
            "kernel_regularizer='l2' is not supported",
            "leave kernel_regularizer out",
        ),
        ("Dense(3, trainable=False)", "04", "trainable=False is not supported", "leave trainable out, or give True"),
        ("Dense(3, dtype='float16')", "04", "dtype='float16' is not supported", "'float32'"),
        ("Conv2D(3, 3, data_format='channels_first')", "04", "data_format='channels_first' is not supported", ""),
        ("Conv2D(3, 3, padding='full')", "03", "one of 'valid', 'same'", ""),
        ("Conv2D(3, (3, 3, 3))", "03", "kernel_size must be a whole number or 2 of them", ""),
        ("LSTM(3, return_state=True)", "04", "return_state=True is not supported", ""),
        ("LSTM(3, recurrent_dropout=0.2)", "04", "recurrent_dropout=0.2 is not supported", ""),
        ("Embedding(3, 4, mask_zero=True)", "04", "mask_zero=True is not supported", ""),
        ("Embedding(3, 4, weights=[1])", "04", "not supported", ""),
        ("Dropout(1.5)", "03", "rate must be a number from 0 to 1", ""),
        ("SpectralNormalization(3)", "03", "layer must be a layer such as", ""),
        ("SpectralNormalization(layers.Flatten())", "02", "'Flatten'", "known: Dense, Embedding"),
        ("Conv2DTranspose(3, 3, 2, output_padding=2)", "03", "output_padding below its strides", ""),
        ("Reshape((-1, -1))", "03", "one of which may be -1", ""),
    ],
)
def test_errors_name_the_row_and_what_is_near(text: str, code: str, message: str, hint: str) -> None:
    error = refused(["Input(shape=(6, 6, 2))", "Flatten()", text])
    assert error.code == f"E-LAYERS-{code}"
    assert message in error.what
    assert error.where == f"row 3: {text}"
    assert not hint or any(hint in line for line in error.hints)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["Input((5,))", "Reshape((2, 3))"], "(2, 3) has not the 5 values of (5,)"),
        (["Input((5,))", "Reshape((-1, 3))"], "(-1, 3) has not the 5 values of (5,)"),
        (["Input((5,))", "Conv2D(3, 3)"], "Conv2D needs records (height, width, channels), not (5,)"),
        (["Input((5, 5))", "LSTM(3)", "LSTM(3)"], "LSTM needs records (steps, channels), not (3,)"),
        (["Input((2, 2, 3))", "Conv2D(3, 3)"], "larger than the record"),
        (["Input((4, 4, 3))", "Conv2D(4, 3, groups=2)"], "cannot part 3 channels and 4 filters into 2 groups"),
        (["Input((9, 9, 3))", "Conv2D(4, 3, strides=2, dilation_rate=2)"], "not both"),
        (["Input((4, 4, 3))", "Cropping2D(2)"], "leaves nothing of records (4, 4, 3)"),
        (["Input((4,))", "BatchNormalization(axis=2)"], "has no axis 2 in records (4,)"),
        (["Input((4,))", "Add()"], "Add takes 2 or more predecessors, not 1"),
        (
            [("a", "Input(3)", ()), ("b", "Input(4)", ()), ("c", "Add()", ["a", "b"])],
            "needs inputs of one shape, not (3,) and (4,)",
        ),
        ([("a", "Input(3)", ()), ("c", "Subtract()", ["a", "a", "a"])], "Subtract takes two predecessors, not 3"),
        (
            [("a", "Input((3, 2))", ()), ("b", "Input((4, 3))", ()), ("c", "Concatenate()", ["a", "b"])],
            "differ along axis -1",
        ),
        ([("a", "Input(3)", ()), ("c", "Dense(3)", [])], "Dense takes one predecessor, not 0"),
        ([("a", "Input(3)", ()), ("c", "Input(3)", ["a"])], "Input takes no predecessor, not 1"),
    ],
)
def test_shapes_are_followed_from_row_to_row(rows: Any, message: str) -> None:
    error = refused(rows)
    assert message in error.what
    assert error.where.startswith(f"row {len(rows)}: ")


@pytest.mark.parametrize(
    ("first", "shape"),
    [
        ("Input(shape=(28, 28, 1))", (28, 28, 1)),
        ("Input((28, 28, 1))", (28, 28, 1)),
        ("InputLayer(input_shape=[28, 28, 1])", (28, 28, 1)),
        ("Input(batch_shape=(None, 28, 28, 1), dtype=tf.float32, name='x')", (28, 28, 1)),
        ("Flatten(input_shape=(28, 28, 1))", (28, 28, 1)),
        ("Dense(3, input_dim=100)", (100,)),
        ("Dense(3, input_shape=(100,))", (100,)),
        ("Dense(3, batch_input_shape=(32, 100))", (100,)),
        ("Input(shape=100)", (100,)),
    ],
)
def test_the_first_row_says_what_records_look_like(first: str, shape: tuple[int, ...]) -> None:
    graph = Layers([first, "Flatten()", "Dense(2, input_dim=7)"]).graph  # a later input_dim is nothing, as in Keras
    assert graph.nodes[graph.inputs[0]].shape == shape


@pytest.mark.parametrize(
    "rows", [["Dense(3)"], ["Embedding(3, 4)", "Flatten()"], ["Input()"], ["Input((None, 3))", "Flatten()"]]
)
def test_a_network_of_unknown_records_is_refused(rows: list[str]) -> None:
    assert refused(rows).where == f"row 1: {rows[0]}"


FUNCTIONAL = [
    ("output", "layers.Dense(1)", ["joined"]),
    ("joined", "layers.Concatenate()", ["left", "right"]),
    ("left", "layers.Dense(3)", "input"),
    ("right", "layers.Dense(4)", ("input",)),
    ("input", "layers.Input(shape=(2,))", []),
]


def test_rows_with_names_come_in_any_order() -> None:
    layers = Layers(FUNCTIONAL)
    assert layers.rows[2] == ("left", "layers.Dense(3)", ("input",))
    assert next(iter(layers.graph.nodes)) == 5
    assert layers.graph.outputs == (1,)
    assert layers.graph.nodes[2].shape == (7,)
    generator = LayersGenerator(layers, DataSpec("table", (1,), "linear"))
    assert generator({"latent": torch.randn(4, 2)}).raw.shape == (4, 1)
    assert [name for name, _ in generator.keras_layers()] == ["output", "joined", "left", "right"]


@pytest.mark.parametrize(
    ("rows", "message", "hint"),
    [
        ([("a", "Dense(3)", ["b"]), ("b", "Dense(3)", ["a"])], "in a circle, or wait for such rows: 'a', 'b'", ""),
        ([("a", "Input(3)", []), ("b", "Add()", ["a", "b"])], "in a circle", ""),
        ([("input", "Input(3)", []), ("b", "Dense(3)", ["inptu"])], "there is no row 'inptu'", "did you mean input?"),
        ([("a", "Input(3)", []), ("a", "Dense(3)", ["a"])], "the name 'a' is used twice, by rows 1 and 2", ""),
        ([("a", "Input(3)", []), ("b", "Input(3)", []), ("c", "Dense(3)", ["a"])], "no layer takes this input", ""),
        ([("a", "Input(3)", []), "Dense(3)"], "rows are all strings, or all triples", ""),
        ([("a", "Input(3)")], "row 1 is neither a string nor a triple", ""),
        ([("a", 3, [])], "row 1: name, layer and predecessors are strings", ""),
        ([("", "Input(3)", [])], "a name has 1 to 100 characters", ""),
        ([3], "neither a string nor a triple", ""),
        ([], "layers are a list of rows", ""),
        ("Dense(3)", "layers are a list of rows", ""),
        (["Input(3)", "Dense(3)", "Input(3)"], "only the first row can be the input", ""),
        (["Input(3)"], "no layer takes this input", ""),
    ],
)
def test_structure(rows: Any, message: str, hint: str) -> None:
    error = refused(rows)
    assert error.code == "E-LAYERS-05"
    assert message in error.what
    assert not hint or hint in error.hints


@pytest.mark.parametrize("rows", [["Input(shape=(3,))", "Dense(4)"], FUNCTIONAL])
def test_layers_are_stored_as_they_were_written(rows: Any) -> None:
    layers = Layers(rows)
    plain = to_plain(layers)
    assert plain["rows"][0] in ("Input(shape=(3,))", ["output", "layers.Dense(1)", ["joined"]])
    assert from_plain(Layers, plain) == layers
    assert hash(from_plain(Layers, plain)) == hash(layers)


@pytest.mark.parametrize("rows", ["Dense(3)", [["a", "Input(3)"]], [["a", "Input(3)", [3]]], [7], [None]])
def test_a_stored_network_of_another_form_is_refused(rows: Any) -> None:
    with pytest.raises(UsageError):
        from_plain(Layers, {"rows": rows})


@pytest.mark.parametrize(
    "rows",
    [
        ["Input((3, 3, 3))", "UpSampling2D(size=100000)"],
        ["Input((3, 3, 3))", "ZeroPadding2D(1000000)"],
        ["Input((3, 3, 3))", "Conv2DTranspose(3, 3, strides=100000)"],
        ["Input(3)", "RepeatVector(10000000)"],
        ["Input(3)", "Dense(1000 * 1000 * 1000)"],
        ["Input(3)", "Dense(16777216)", "Dense(1000)"],
        ["Input(4096)", "Dense(65537)"],
        ["Input(16384)", *["Dense(16384)"] * 9],
        ["Input((1, 1, 16384))", "Conv2D(16384, 100, padding='same')"],
        ["Input(3)", "Dense(16777216)", "LSTM(3)"],
        ["Input((2, 4096))", "LSTM(16777216)"],
        ["Input((2, 4096))", "Bidirectional(LSTM(16384))"],
        ["Input(())", "Embedding(16777216, 17)"],
        ["Input(9000)", "SpectralNormalization(Dense(90000))"],
        ["Input((99999, 99999))", "Flatten()"],
        ["Input((9, 9))", "Conv1D(1, 2, padding='causal', dilation_rate=16777216)"],
        ["Input((9, 9, 9))", "Conv2D(1, 2, padding='same', dilation_rate=16777216)"],
        ["Input((9, 9, 9))", "MaxPooling2D(16777216, 1, padding='same')"],
        ["Input(1)", "Reshape((" + "1," * 400 + "))"],
        ["Input(1)", *["Dense(1)"] * MAX_ROWS],
    ],
)
def test_absurd_sizes_are_refused_at_once(rows: list[str]) -> None:
    started = time.process_time()
    assert refused(rows).code in ("E-LAYERS-03", "E-LAYERS-06", "E-LAYERS-07")
    assert time.process_time() - started < 0.5


def test_the_largest_allowed_is_described_without_being_made() -> None:
    started = time.process_time()
    layers = Layers([f"Input({MAX_VALUES // 2})", "Dense(16)", *["Dense(16384)"] * 7])
    with torch.device("meta"):
        generator = LayersGenerator(layers, DataSpec("table", (16384,), "linear"))
    assert all(value.is_meta for value in generator.state_dict().values())
    assert time.process_time() - started < 1


def test_many_rows_are_read_quickly() -> None:
    started = time.process_time()
    rows: list[Any] = [(f"r{i}", "Dense(1)", [f"r{i + 1}"]) for i in range(MAX_ROWS - 1)]
    Layers([*rows, (f"r{MAX_ROWS - 1}", "Input(1)", [])])
    assert time.process_time() - started < 2
