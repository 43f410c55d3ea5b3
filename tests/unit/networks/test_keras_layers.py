"""Every layer that text may name, against Keras itself: results, gradients and what training moves."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from ganwright.networks.keras.catalogue import ALIASES, LAYERS, read_layer
from ganwright.networks.keras.initializers import INITIALIZERS
from ganwright.networks.keras.layer import KerasWeights
from ganwright.networks.keras.parse import parse_call
from ganwright.training.statistics import held_statistics

os.environ["KERAS_BACKEND"] = "torch"
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # whatever Keras's own imports have to say
    keras: Any = pytest.importorskip("keras")

BATCH = 3

ACTIVATION_NAMES = [
    "relu",
    "relu6",
    "leaky_relu",
    "sigmoid",
    "tanh",
    "softmax",
    "log_softmax",
    "elu",
    "celu",
    "selu",
    "gelu",
    "silu",
    "swish",
    "hard_silu",
    "hard_swish",
    "hard_sigmoid",
    "hard_tanh",
    "log_sigmoid",
    "softplus",
    "softsign",
    "linear",
    "exponential",
    "mish",
]

CASES: list[tuple[Any, ...]] = [
    ("Dense(5)", (4,)),
    ("Dense(2 * 3, 'tanh', False)", (4,)),
    ("Dense(units=3, activation='relu')", (2, 4)),
    ("Dense(3, activation=layers.LeakyReLU(0.3))", (4,)),
    ("Dense(3, activation=keras.activations.softplus)", (4,)),
    ("Embedding(7, 4)", ()),
    ("Embedding(input_dim=7, output_dim=4)", (3,)),
    ("Flatten()", (2, 3, 4)),
    ("Flatten()", ()),
    ("Reshape((4, 3, 2))", (2, 3, 4)),
    ("Reshape([-1, 6])", (2, 3, 4)),
    ("Permute((3, 1, 2))", (2, 3, 4)),
    ("RepeatVector(3)", (4,)),
    ("UpSampling1D(3)", (4, 2)),
    ("UpSampling1D()", (4, 2)),
    ("UpSampling2D()", (3, 4, 2)),
    ("UpSampling2D((3, 2))", (3, 4, 2)),
    ("UpSampling2D(size=2, interpolation='bilinear')", (3, 4, 2)),
    ("ZeroPadding1D(2)", (3, 2)),
    ("ZeroPadding1D((0, 2))", (3, 2)),
    ("ZeroPadding2D()", (3, 4, 2)),
    ("ZeroPadding2D((1, 2))", (3, 4, 2)),
    ("ZeroPadding2D(padding=((0, 1), (2, 3)))", (3, 4, 2)),
    ("Cropping1D()", (5, 2)),
    ("Cropping1D((0, 2))", (5, 2)),
    ("Cropping2D(1)", (5, 6, 2)),
    ("Cropping2D(((0, 1), (2, 0)))", (5, 6, 2)),
    *((f"Activation('{name}')", (2, 5)) for name in ACTIVATION_NAMES),
    ("LeakyReLU()", (2, 3)),
    ("LeakyReLU(negative_slope=0.2)", (2, 3)),
    ("ReLU()", (6,)),
    ("ReLU(1.0)", (6,)),
    ("ReLU(max_value=6, negative_slope=0.1)", (6,)),
    ("ReLU(threshold=0.5)", (6,)),
    ("ReLU(1.5, 0.2, 0.5)", (6,)),
    ("ReLU(negative_slope=0.2)", (6,)),
    ("PReLU()", (2, 3)),
    ("PReLU(shared_axes=[1, 2])", (2, 3, 4)),
    ("ELU()", (6,)),
    ("ELU(alpha=0.5)", (6,)),
    ("Softmax()", (2, 5)),
    ("Softmax(axis=1)", (2, 5)),
    ("BatchNormalization(momentum=0.8)", (4,)),
    ("BatchNormalization()", (5, 4)),
    ("BatchNormalization(epsilon=0.01, center=False)", (3, 5, 4)),
    ("BatchNormalization(1, 0.7, scale=False)", (3, 5, 4)),
    ("BatchNormalization(axis=2, scale=False, center=False)", (3, 5)),
    ("BatchNormalization(axis=1)", (3, 5)),
    ("LayerNormalization()", (4,)),
    ("LayerNormalization(axis=-1, epsilon=0.1, center=False)", (3, 4)),
    ("LayerNormalization(axis=[1, 2, 3])", (2, 3, 4)),
    ("LayerNormalization(scale=False)", (2, 3, 4)),
    ("SpectralNormalization(layers.Dense(5))", (4,)),
    ("SpectralNormalization(layers.Conv2D(3, 2, padding='same'), power_iterations=3)", (4, 5, 2)),
    ("SpectralNormalization(layers.Conv2DTranspose(3, 3, strides=2))", (4, 5, 2)),
    ("SpectralNormalization(layers.Embedding(7, 4))", ()),
    ("Dropout(0.5)", (4,)),
    ("SpatialDropout1D(0.5)", (3, 4)),
    ("SpatialDropout2D(0.5)", (3, 2, 4)),
    ("GaussianNoise(0.5)", (4,)),
    ("GaussianDropout(0.5)", (4,)),
    ("Conv1D(3, 2)", (6, 2)),
    ("Conv1D(4, 3, 2, 'same')", (7, 2)),
    ("Conv1D(4, kernel_size=3, padding='causal', dilation_rate=2, use_bias=False)", (7, 2)),
    ("Conv1D(4, 4, strides=2, padding='causal', groups=2)", (7, 2)),
    ("Conv2D(3, 2)", (4, 5, 2)),
    ("Conv2D(3, kernel_size=3, strides=2, padding='same')", (7, 8, 2)),
    ("Conv2D(3, (4, 3), (1, 2), 'SAME', activation='relu')", (6, 7, 1)),
    ("Conv2D(4, 2, padding='same', dilation_rate=2, use_bias=False)", (6, 5, 3)),
    ("Conv2D(4, 3, groups=2)", (5, 5, 6)),
    ("Conv2D(3, 5, strides=3, padding='same')", (11, 10, 2)),
    ("Conv2D(3, 2, strides=3, padding='same')", (7, 6, 2)),
    ("SeparableConv2D(5, 3)", (6, 5, 2)),
    ("SeparableConv2D(3, (2, 3), strides=2, padding='same', depth_multiplier=2, use_bias=False)", (6, 5, 2)),
    ("DepthwiseConv2D(3)", (6, 5, 2)),
    ("DepthwiseConv2D((2, 3), 2, 'same', 3, activation='tanh')", (6, 5, 2)),
    *(
        (f"Conv2DTranspose(3, {kernel}, strides={stride}, padding='{padding}')", (4, 3, 2))
        for kernel, stride in [(1, 2), (2, 2), (3, 1), (3, 2), (4, 2), (5, 2), (5, 3), (2, 3), ((3, 4), (2, 1))]
        for padding in ("valid", "same")
    ),
    ("Conv2DTranspose(3, 3, strides=2, padding='same', output_padding=1)", (4, 3, 2)),
    ("Conv2DTranspose(3, 3, strides=2, padding='same', output_padding=0, use_bias=False)", (4, 3, 2)),
    ("Conv2DTranspose(3, 4, 3, 'valid', (2, 1), activation='relu')", (4, 3, 2)),
    ("Conv2DTranspose(3, 3, padding='same', dilation_rate=2)", (4, 3, 2)),
    ("Conv1DTranspose(3, 4)", (5, 2)),
    ("Conv1DTranspose(3, 3, 2, 'same')", (5, 2)),
    ("Conv1DTranspose(3, 2, strides=3, padding='same', use_bias=False)", (5, 2)),
    ("MaxPooling1D()", (7, 2)),
    ("MaxPooling1D(3, strides=2, padding='same')", (7, 2)),
    ("MaxPooling2D()", (7, 6, 2)),
    ("MaxPooling2D((3, 2), strides=2, padding='same')", (7, 6, 2)),
    ("MaxPooling2D(3, strides=2, padding='same')", (8, 5, 2)),
    ("AveragePooling1D(2)", (7, 2)),
    ("AveragePooling1D(3, 2, 'same')", (7, 2)),
    ("AveragePooling2D((2, 3), strides=1)", (7, 6, 2)),
    ("AveragePooling2D(3, strides=2, padding='same')", (7, 7, 2)),
    ("GlobalAveragePooling1D()", (5, 3)),
    ("GlobalAveragePooling2D(keepdims=True)", (5, 4, 3)),
    ("GlobalMaxPooling1D(keepdims=True)", (5, 3)),
    ("GlobalMaxPooling2D()", (5, 4, 3)),
    ("LSTM(4)", (5, 3)),
    ("LSTM(4, return_sequences=True, go_backwards=True)", (5, 3)),
    ("LSTM(4, 'relu', 'hard_sigmoid', use_bias=False)", (5, 3)),
    ("LSTM(4, unit_forget_bias=False)", (1, 3)),
    ("GRU(4)", (5, 3)),
    ("GRU(4, reset_after=False, return_sequences=True)", (5, 3)),
    ("GRU(4, use_bias=False, go_backwards=True)", (5, 3)),
    ("GRU(4, activation='softsign', reset_after=False, use_bias=False)", (5, 3)),
    ("SimpleRNN(4)", (5, 3)),
    ("SimpleRNN(4, activation='relu', return_sequences=True)", (5, 3)),
    ("Bidirectional(layers.LSTM(4))", (5, 3)),
    ("Bidirectional(layers.GRU(4, return_sequences=True), merge_mode='sum')", (5, 3)),
    ("Bidirectional(layers.SimpleRNN(4, return_sequences=True), merge_mode='ave')", (5, 3)),
    ("Bidirectional(layers.LSTM(2, return_sequences=True), 'mul')", (5, 3)),
    ("Add()", (2, 3), (2, 3), (2, 3)),
    ("Subtract()", (2, 3), (2, 3)),
    ("Multiply()", (4,), (4,)),
    ("Multiply()", (5, 4), (4,)),
    ("Average()", (2, 3), (2, 1), (1, 3)),
    ("Maximum()", (2, 3), (2, 3), (2, 3)),
    ("Minimum()", (2, 3), (2, 3)),
    ("Concatenate()", (2, 3), (2, 4)),
    ("Concatenate(axis=1)", (2, 3), (5, 3), (1, 3)),
    ("Dot(1)", (4,), (4,)),
    ("Dot(axes=(2, 1), normalize=True)", (3, 4), (4, 5)),
    ("Dot(axes=-1)", (3, 4), (5, 4)),
]
RANDOM = ("Dropout", "SpatialDropout1D", "SpatialDropout2D", "GaussianNoise", "GaussianDropout")
every_case = pytest.mark.parametrize("case", CASES, ids=[f"{text} {shapes}" for text, *shapes in CASES])


@pytest.fixture(autouse=True)
def on_the_cpu() -> Iterator[None]:
    """Keras would take a GPU where there is one; its draws leave no trace on other tests."""
    with keras.device("cpu"), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def trusted(text: str) -> Any:
    """What Keras makes of a text of ours."""
    names = {"layers": keras.layers, "keras": keras, **{name: getattr(keras.layers, name) for name in LAYERS}}
    return eval(text, names)  # noqa: S307


def pair(text: str, *shapes: tuple[int, ...]) -> tuple[Any, KerasWeights, list[Tensor]]:
    """Keras's layer, ours with the same random weights, and inputs for both."""
    theirs = trusted(text)
    whole = "Embedding" in text
    inputs = [torch.randint(0, 7, (BATCH, *shape)) if whole else torch.randn(BATCH, *shape) for shape in shapes]
    if "Spectral" in text:
        inputs = [
            x.float() for x in inputs
        ]  # Keras gives the result the input's type, which embeds nothing where it is whole
    theirs(inputs if len(inputs) > 1 else inputs[0])
    ours = read_layer(parse_call(text)).module(*shapes)
    weights = [np.random.default_rng(place).normal(0, 0.5, w.shape).astype("f") for place, w in enumerate(theirs.weights)]
    for place, weight in enumerate(theirs.weights):
        if "variance" in weight.name:
            weights[place] = np.abs(weights[place]) + 0.1
    theirs.set_weights(weights)
    ours.load_keras(weights)
    return theirs, ours, inputs


def arrays(theirs: Any) -> list[np.ndarray]:
    """What `get_weights()` returns, without the warning of NumPy's that it raises on this backend."""
    return [weight.value.detach().numpy() for weight in theirs.weights]


def close(found: Tensor, expected: Tensor, what: str) -> None:
    assert found.shape == expected.shape, what
    scale = max(1.0, float(expected.detach().abs().max())) if expected.numel() else 1.0
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5 * scale, msg=lambda m: f"{what}: {m}")


def own_weights(module: KerasWeights) -> Iterator[tuple[Tensor, Tensor]]:
    """(weight, gradient) of what learns, in Keras's order and layout."""
    for weight in module.keras_weights:
        stored = module.get_parameter(weight.name) if weight.learned else None
        if stored is not None:
            assert stored.grad is not None
            yield weight.in_keras_order(stored), weight.in_keras_order(stored.grad)
    for child in module.children():
        assert isinstance(child, KerasWeights)
        yield from own_weights(child)


def results(run: Any, inputs: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
    """The output and the inputs' gradients, for the same slope of every value; weights get theirs too."""
    leaves = [x.clone().requires_grad_(x.is_floating_point()) for x in inputs]
    out = run(leaves)
    slope = torch.randn(out.shape, generator=torch.Generator().manual_seed(1))
    if out.requires_grad:
        (out * slope).sum().backward()
    gradients = [torch.zeros_like(x) if x.grad is None else x.grad for x in leaves if x.is_floating_point()]
    return out.detach(), gradients


@every_case
@pytest.mark.parametrize("training", [False, True], ids=["sampling", "training"])
def test_a_layer_gives_what_keras_gives(case: tuple[Any, ...], training: bool) -> None:
    text, *shapes = case
    if training and text.partition("(")[0] in RANDOM:
        pytest.skip("each draws its own noise")
    theirs, ours, inputs = pair(text, *shapes)
    ours.train(training)
    found, found_slopes = results(lambda xs: ours(*xs), inputs)
    wanted, slopes = results(lambda xs: theirs(xs if len(xs) > 1 else xs[0], training=training), inputs)
    close(found, wanted, "result")
    for number, (one, other) in enumerate(zip(found_slopes, slopes, strict=True)):
        close(one, other, f"gradient of input {number}")
    learned = list(own_weights(ours))
    assert len(learned) == len(theirs.trainable_weights)
    for (_, gradient), weight in zip(learned, theirs.trainable_weights, strict=True):
        close(gradient, weight.value.grad, f"gradient of {weight.name}")
    for value, weight in zip(ours.keras_tensors(), arrays(theirs), strict=True):
        close(value.detach(), torch.from_numpy(weight), "weight afterwards")


@every_case
def test_a_layer_says_where_records_depend_on_each_other(case: tuple[Any, ...]) -> None:
    text, *shapes = case
    if text.partition("(")[0] in RANDOM:
        pytest.skip("each call draws its own noise")
    _, ours, inputs = pair(text, *shapes)
    with torch.no_grad(), held_statistics(ours.train()):
        alone, together = ours(*(x[:1] for x in inputs)), ours(*inputs)
    alike = torch.allclose(alone, together[:1], rtol=1e-4, atol=1e-5)
    assert alike is read_layer(parse_call(text)).by_itself


@every_case
def test_the_shape_is_known_beforehand(case: tuple[Any, ...]) -> None:
    text, *shapes = case
    layer = read_layer(parse_call(text))
    inputs = [torch.zeros(BATCH, *shape) for shape in shapes]
    assert layer.module(*shapes)(*inputs).shape == (BATCH, *layer.output_shape(*shapes))
    with torch.device("meta"):
        described = layer.module(*shapes)
    assert all(value.is_meta for value in described.state_dict().values())


def test_every_layer_is_compared() -> None:
    assert {text.partition("(")[0] for text, *_ in CASES} == set(LAYERS) - {"Input"}


def test_second_names_are_keras_s_own() -> None:
    for alias, name in ALIASES.items():
        if hasattr(keras.layers, alias) and name != "Input":  # Keras has Input as a function beside the class
            assert getattr(keras.layers, alias) is getattr(keras.layers, name)


def test_averages_leave_out_the_padding_at_one_end() -> None:
    """TensorFlow's way. Where the two ends differ, Keras on torch repeats the edge instead and cannot be the judge."""
    x = torch.arange(1.0, 7.0).view(1, 6, 1)
    pooled = read_layer(parse_call("AveragePooling1D(3, strides=2, padding='same')")).module((6, 1))(x)
    assert pooled.flatten().tolist() == [2.0, 4.0, 5.5]
    square = x.view(1, 6, 1, 1).expand(1, 6, 6, 2)
    pooled = read_layer(parse_call("AveragePooling2D((3, 3), strides=2, padding='same')")).module((6, 6, 2))(square)
    assert pooled[0, :, 2, 1].tolist() == [2.0, 4.0, 5.5]


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize(("kernel", "stride"), [(3, 2), (5, 2), (5, 3), (4, 2), (2, 3), (1, 2), (3, 1)])
def test_a_transposed_convolution_is_the_gradient_of_a_convolution(kernel: int, stride: int, padding: str) -> None:
    """By its definition in TensorFlow, from nothing but the forward convolution's sum: a second judge beside Keras."""
    layer = read_layer(parse_call(f"Conv1DTranspose(2, {kernel}, strides={stride}, padding='{padding}', use_bias=False)"))
    module, size = layer.module((4, 3)).double(), 4
    y = torch.randn(1, size, 3, dtype=torch.float64)
    weight = module.keras_tensors()[0]  # (kernel, out, in)
    length = layer.output_shape((size, 3))[0]
    before = max((size - 1) * stride + kernel - length, 0) // 2 if padding == "same" else 0
    wanted = torch.zeros(length, 2, dtype=torch.float64)
    for at in range(size):
        for tap in range(kernel):
            place = at * stride + tap - before  # the place that this tap of the forward convolution reads
            if 0 <= place < length:
                wanted[place] += weight[tap] @ y[0, at]
    torch.testing.assert_close(module(y)[0], wanted)


INITIAL = [
    ("Dense(40)", (60,)),
    ("Conv2D(16, 3)", (9, 9, 8)),
    ("Conv2DTranspose(16, 3)", (9, 9, 8)),
    ("DepthwiseConv2D(5, depth_multiplier=6)", (9, 9, 16)),
    ("SeparableConv2D(32, 5, depth_multiplier=3)", (9, 9, 16)),
    ("Embedding(50, 40)", ()),
    ("LSTM(32)", (2, 24)),
    ("GRU(32)", (2, 24)),
    ("SimpleRNN(48)", (2, 32)),
    ("BatchNormalization()", (4,)),
    ("LayerNormalization()", (4,)),
    ("PReLU()", (4,)),
    ("SpectralNormalization(layers.Dense(1024))", (4,)),
    *((f"Dense(64, kernel_initializer='{name}')", (32,)) for name in ("he_normal", "HeUniform", "lecun_normal", "zeros")),
    *((f"Dense(64, kernel_initializer=keras.initializers.{name}())", (32,)) for name in INITIALIZERS),
    ("Dense(64, kernel_initializer=keras.initializers.RandomNormal(mean=0.5, stddev=0.02))", (32,)),
    ("Dense(64, kernel_initializer=keras.initializers.TruncatedNormal(stddev=0.2, seed=3))", (32,)),
    ("Dense(64, bias_initializer=keras.initializers.Constant(0.3))", (4,)),
    ("Dense(64, kernel_initializer=keras.initializers.Orthogonal(2.0))", (32,)),
    ("Dense(64, kernel_initializer=keras.initializers.VarianceScaling(2.0, 'fan_out', 'uniform'))", (32,)),
    (
        "Dense(64, kernel_initializer=keras.initializers.VarianceScaling(3, distribution='untruncated_normal'))",
        (9,),
    ),
]


@pytest.mark.parametrize(("text", "shape"), INITIAL, ids=[text for text, _ in INITIAL])
def test_weights_begin_as_keras_s_do(text: str, shape: tuple[int, ...]) -> None:
    keras.utils.set_random_seed(0)
    theirs = trusted(text)
    theirs(torch.zeros(1, *shape))
    ours = read_layer(parse_call(text)).module(shape).keras_tensors()
    for found, expected in zip(ours, arrays(theirs), strict=True):
        found = found.detach().numpy()
        assert found.shape == expected.shape
        count, deviation = found.size, float(expected.std())
        if deviation == 0:
            np.testing.assert_array_equal(found, expected)
            continue
        # Five standard errors of each estimate; both are estimates.
        assert abs(found.mean() - expected.mean()) < 5 * deviation * (2 / count) ** 0.5
        assert abs(found.std() - deviation) < 5 * deviation / count**0.5
        assert np.abs(found).max() == pytest.approx(np.abs(expected).max(), rel=0.35)


def test_an_orthogonal_kernel_is_orthogonal() -> None:
    kernel = read_layer(parse_call("GRU(8)")).module((2, 3)).keras_tensors()[1].detach()
    torch.testing.assert_close(kernel @ kernel.T, torch.eye(8), rtol=0, atol=1e-5)
