"""Whole networks given as text: those that users of the HPCC bundle train, against Keras; and what training asks of them."""

from __future__ import annotations

import copy
import os
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ganwright.core.config import from_plain, to_plain
from ganwright.core.errors import UsageError
from ganwright.data.spec import Condition, DataSpec
from ganwright.networks.base import NetworkFamily
from ganwright.networks.keras.definition import Layers
from ganwright.networks.keras.network import LayersDiscriminator, LayersGenerator
from ganwright.networks.layered import Layered

DIGITS = DataSpec("image", (1, 28, 28))
CLASSES = Condition("digit", tuple("0123456789"))
LABELLED = DataSpec("image", (1, 28, 28), conditions=(CLASSES,))
BATCH = 12

DENSE_GENERATOR = [
    "layers.Input(shape=(100,))",
    "layers.Dense(256, input_dim=100)",
    "layers.LeakyReLU(alpha=0.2)",
    "layers.BatchNormalization(momentum=0.8)",
    "layers.Dense(512)",
    "layers.LeakyReLU(alpha=0.2)",
    "layers.BatchNormalization(momentum=0.8)",
    "layers.Dense(1024)",
    "layers.LeakyReLU(alpha=0.2)",
    "layers.BatchNormalization(momentum=0.8)",
    "layers.Dense(784, activation='tanh')",
    "layers.Reshape((28,28,1))",
]
DENSE_DISCRIMINATOR = [
    "layers.Input(shape=(28,28,1))",
    "layers.Flatten(input_shape=(28,28,1))",
    "layers.Dense(512)",
    "layers.LeakyReLU(alpha=0.2)",
    "layers.Dense(256)",
    "layers.LeakyReLU(alpha=0.2)",
    "layers.Dense(1, activation='sigmoid')",
]
DCGAN_GENERATOR = [
    "layers.Input(shape=(100,))",
    'layers.Dense(128 * 7 * 7, activation="relu", input_dim=100)',
    "layers.Reshape((7, 7, 128))",
    "layers.UpSampling2D()",
    'layers.Conv2D(128, kernel_size=3, padding="same")',
    "layers.BatchNormalization(momentum=0.8)",
    'layers.Activation("relu")',
    "layers.UpSampling2D()",
    'layers.Conv2D(64, kernel_size=3, padding="same")',
    "layers.BatchNormalization(momentum=0.8)",
    'layers.Activation("relu")',
    'layers.Conv2D(1, kernel_size=3, padding="same")',
    'layers.Activation("tanh")',
    "layers.Reshape((28,28,1))",
]
DCGAN_DISCRIMINATOR = [
    "layers.Input(shape=(28, 28, 1))",
    'layers.Conv2D(32, kernel_size=3, strides=2, input_shape=(28, 28, 1), padding="same")',
    "layers.LeakyReLU(alpha=0.2)",
    "layers.Dropout(0.25)",
    'layers.Conv2D(64, kernel_size=3, strides=2, padding="same")',
    "layers.ZeroPadding2D(padding=((0,1),(0,1)))",
    "layers.BatchNormalization(momentum=0.8)",
    "layers.LeakyReLU(alpha=0.2)",
    "layers.Dropout(0.25)",
    'layers.Conv2D(128, kernel_size=3, strides=2, padding="same")',
    "layers.BatchNormalization(momentum=0.8)",
    "layers.LeakyReLU(alpha=0.2)",
    "layers.Dropout(0.25)",
    'layers.Conv2D(256, kernel_size=3, strides=1, padding="same")',
    "layers.BatchNormalization(momentum=0.8)",
    "layers.LeakyReLU(alpha=0.2)",
    "layers.Dropout(0.25)",
    "layers.Flatten()",
    'layers.Dense(1, activation="sigmoid")',
]
CONDITIONAL_GENERATOR = [
    ("input_g1", "layers.Input(shape=(100,))", []),
    ("input_g2", "layers.Input(shape=(1,), dtype='int32')", []),
    ("embedding_g", "layers.Embedding(10, 100)", ["input_g2"]),
    ("flat_g", "layers.Flatten()", ["embedding_g"]),
    ("product_g", "layers.Multiply()", ["input_g1", "flat_g"]),
    ("g1", "layers.Dense(256)", ["product_g"]),
    ("g2", "layers.LeakyReLU(alpha=0.2)", ["g1"]),
    ("g3", "layers.BatchNormalization(momentum=0.8)", ["g2"]),
    ("g4", "layers.Dense(512)", ["g3"]),
    ("g5", "layers.LeakyReLU(alpha=0.2)", ["g4"]),
    ("g6", "layers.BatchNormalization(momentum=0.8)", ["g5"]),
    ("g7", "layers.Dense(1024)", ["g6"]),
    ("g8", "layers.LeakyReLU(alpha=0.2)", ["g7"]),
    ("g9", "layers.BatchNormalization(momentum=0.8)", ["g8"]),
    ("g10", "layers.Dense(784, activation='tanh')", ["g9"]),
    ("output_g", "layers.Reshape((28,28,1))", ["g10"]),
]
CONDITIONAL_DISCRIMINATOR = [
    ("input_d1", "layers.Input(shape=(28, 28, 1))", []),
    ("input_d2", "layers.Input(shape=(1,), dtype='int32')", []),
    ("embedding_d", "layers.Embedding(10, 784)", ["input_d2"]),
    ("flat_d", "layers.Flatten()", ["embedding_d"]),
    ("picture_d", "layers.Flatten()", ["input_d1"]),
    ("product_d", "layers.Multiply()", ["picture_d", "flat_d"]),
    ("d1", "layers.Dense(512)", ["product_d"]),
    ("d2", "layers.LeakyReLU(alpha=0.2)", ["d1"]),
    ("d3", "layers.Dense(512)", ["d2"]),
    ("d4", "layers.LeakyReLU(alpha=0.2)", ["d3"]),
    ("d5", "layers.Dropout(0.4)", ["d4"]),
    ("d6", "layers.Dense(512)", ["d5"]),
    ("d7", "layers.LeakyReLU(alpha=0.2)", ["d6"]),
    ("d8", "layers.Dropout(0.4)", ["d7"]),
    ("output_d", "layers.Dense(1, activation='sigmoid')", ["d8"]),
]
PAIRS = {
    "dense": (DENSE_GENERATOR, DENSE_DISCRIMINATOR),
    "dcgan": (DCGAN_GENERATOR, DCGAN_DISCRIMINATOR),
    "conditional": (CONDITIONAL_GENERATOR, CONDITIONAL_DISCRIMINATOR),
}


@pytest.fixture(autouse=True)
def seeded() -> Iterator[None]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


@pytest.fixture
def keras() -> Iterator[Any]:
    os.environ["KERAS_BACKEND"] = "torch"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # whatever Keras's own imports have to say
        module = pytest.importorskip("keras")
    with module.device("cpu"):
        yield module


def keras_model(keras: Any, rows: Sequence[Any]) -> Any:
    """Keras's model of rows of ours, and its layers in the rows' order."""
    names = {"layers": keras.layers}
    if isinstance(rows[0], str):
        found = [eval(text, names) for text in rows]  # noqa: S307
        return keras.Sequential(found), found[1:]
    made: dict[str, Any] = {}
    found = []
    for name, text, sources in rows:
        layer = eval(text, names)  # noqa: S307
        if sources:
            found.append(layer)
            inputs = [made[source] for source in sources]
            layer = layer(inputs if len(inputs) > 1 else inputs[0])
        made[name] = layer
    return keras.Model([made[name] for name, _, sources in rows if not sources], made[rows[-1][0]]), found


def copy_weights(layers: Sequence[Any], network: LayersGenerator | LayersDiscriminator) -> list[Any]:
    """Keras's first weights, made a little less regular, to ours; those that learn, in our order of parameters."""
    learned = []
    for theirs, (_, module) in zip(layers, network.keras_layers(), strict=True):
        for weight in theirs.weights:
            weight.assign(weight.value + 0.02 * torch.randn_like(weight.value))
        module.load_keras([weight.value.detach().numpy() for weight in theirs.weights])
        learned += [weight.value for weight in theirs.trainable_weights]
    return learned


def without_dropout(rows: Sequence[Any]) -> list[Any]:
    """The rows with every dropout at rate 0, so that two libraries can agree in training."""

    def still(text: str) -> str:
        return "layers.Dropout(0)" if "Dropout" in text else text

    return [still(row) if isinstance(row, str) else (row[0], still(row[1]), row[2]) for row in rows]


def close(found: Tensor, expected: Tensor, floor: float = 0.0) -> None:
    """Equal but for rounding."""
    scale = float(expected.detach().abs().max())
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9 * scale + floor)


@pytest.fixture
def in_double(keras: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Keras computes in float64, all of it: float32 would put values on the other side of a ReLU's corner.

    Its products and batch normalisation ask for the type of float64 beside float32, which is float32 in Keras; and torch has
    no slopes there for kernels that are views, as Keras's are.
    """
    keras.utils.set_random_seed(0)
    backend = keras.src.backend
    narrow = backend.result_type

    def widest(*types: Any) -> str:
        return "float64" if "float64" in map(backend.standardize_dtype, filter(None, types)) else narrow(*types)

    for module in (backend, backend.common.dtypes):
        monkeypatch.setattr(module, "result_type", widest)
    convolve = torch.nn.functional.conv2d

    def plainly(x: Tensor, weight: Tensor, *more: Any, **settings: Any) -> Tensor:
        return convolve(x, weight.contiguous(), *more, **settings)

    monkeypatch.setattr(torch.nn.functional, "conv2d", plainly)
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")


@pytest.mark.filterwarnings("ignore:Argument `alpha` is deprecated")
@pytest.mark.filterwarnings("ignore:Do not pass an `input_shape`")
@pytest.mark.parametrize("training", [False, True], ids=["sampling", "training"])
@pytest.mark.parametrize("player", [0, 1], ids=["generator", "discriminator"])
@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.usefixtures("in_double")
def test_a_bundle_s_network_is_keras_s(keras: Any, name: str, player: int, training: bool) -> None:
    rows = without_dropout(PAIRS[name][player])
    spec = LABELLED if name == "conditional" else DIGITS
    network = [LayersGenerator, LayersDiscriminator][player](Layers(rows), spec).double()
    digits = {"digit": torch.arange(BATCH) % 10} if name == "conditional" else {}
    x = torch.randn(BATCH, *((100,) if player == 0 else (1, 28, 28)), dtype=torch.float64, requires_grad=True)
    model, layers = keras_model(keras, rows)
    learned = copy_weights(layers, network)
    network.train(training)
    record = x if player == 0 else x.permute(0, 2, 3, 1)
    wanted = model([record, *(value[:, None] for value in digits.values())] if digits else record, training=training)
    if player == 0:
        assert isinstance(network, LayersGenerator)
        found = network({"latent": x}, digits).raw.permute(0, 2, 3, 1)
    else:
        assert isinstance(network, LayersDiscriminator)
        wanted = wanted[:, 0]
        found = network.score(x, digits)
    close(found, wanted)
    slope = torch.randn(found.shape, dtype=torch.float64)
    parameters = list(network.parameters())
    assert len(parameters) == len(learned)
    ours = torch.autograd.grad((found * slope).sum(), [x, *parameters])
    theirs = torch.autograd.grad((wanted * slope).sum(), [x, *learned])
    close(ours[0], theirs[0])
    # A bias before a normalisation has no slope but rounding errors.
    floor = 1e-9 * max(float(gradient.abs().max()) for gradient in theirs[1:])
    for gradient, other in zip(ours[1:], theirs[1:], strict=True):
        # Keras's axes are in another order: the same values, sorted, and the tests of layers compare each in its place.
        close(gradient.flatten().sort().values, other.flatten().sort().values, floor)
    for theirs_layer, (_, module) in zip(layers, network.keras_layers(), strict=True):
        for value, weight in zip(module.keras_tensors(), theirs_layer.weights, strict=True):
            close(value.detach(), weight.value.detach())


def test_the_tensors_are_named_by_row() -> None:
    network = LayersGenerator(Layers(DCGAN_GENERATOR), DIGITS)
    assert list(network.state_dict())[:4] == ["rows.2.weight", "rows.2.bias", "rows.5.weight", "rows.5.bias"]
    assert {"rows.6.running_mean", "rows.6.num_batches_tracked"} < set(network.state_dict())
    assert [name for name, _ in network.keras_layers()][:4] == ["dense", "reshape", "up_sampling2d", "conv2d"]
    assert [name for name, _ in network.keras_layers()].count("conv2d_1") == 1


def test_pictures_flow_through_without_a_copy() -> None:
    """Between convolutions, (B, H, W, C) is a view of memory that convolutions take as it is."""
    network = LayersGenerator(Layers(DCGAN_GENERATOR), DIGITS)
    seen: list[Tensor] = []

    def keep(_module: nn.Module, _inputs: object, out: Tensor) -> None:
        seen.append(out)

    for number in range(3, 13):
        network.rows[str(number)].register_forward_hook(keep)
    network({"latent": torch.randn(2, 100)})
    assert len(seen) == 8  # the two enlargements are part of the convolutions behind them
    assert all(x.permute(0, 3, 1, 2).is_contiguous(memory_format=torch.channels_last) for x in seen)


def test_an_enlargement_that_others_read_too_is_made() -> None:
    enlarged = [("z", "Input((4, 4, 2))", []), ("up", "UpSampling2D()", "z"), ("a", "Conv2D(2, 3, padding='same')", "up")]
    spec = DataSpec("image", (2, 8, 8))
    alone = LayersGenerator(Layers(enlarged), spec)
    both = LayersGenerator(Layers([*enlarged, ("b", "Add()", ["a", "up"])]), spec)
    both.load_state_dict(alone.state_dict())
    z = {"latent": torch.randn(BATCH, 4, 4, 2)}
    up = z["latent"].permute(0, 3, 1, 2).repeat_interleave(2, 2).repeat_interleave(2, 3)
    torch.testing.assert_close(both(z).raw, alone(z).raw + up)
    network = LayersDiscriminator(Layers(enlarged), DataSpec("image", (2, 4, 4)))
    features = network(z["latent"].permute(0, 3, 1, 2)).features
    assert features is not None
    torch.testing.assert_close(features, up.permute(0, 2, 3, 1).flatten(1))


def test_a_copy_is_a_network_of_its_own() -> None:
    network = LayersGenerator(Layers(CONDITIONAL_GENERATOR), LABELLED).eval()
    drawn = {"digit": torch.arange(BATCH) % 10}
    z = {"latent": torch.randn(BATCH, 100)}
    other = copy.deepcopy(network)
    torch.testing.assert_close(other(z, drawn).raw, network(z, drawn).raw)
    torch.nn.init.zeros_(next(other.parameters()))
    assert float(next(network.parameters()).detach().abs().max()) > 0


def test_a_family_survives_being_stored() -> None:
    family = Layered(Layers(CONDITIONAL_GENERATOR), Layers(CONDITIONAL_DISCRIMINATOR), noise="uniform")
    assert family.condition_inputs == 1
    assert from_plain(NetworkFamily, to_plain(family)) == family
    generator = family.generator(LABELLED)
    assert generator.noise["latent"].distribution == "uniform"
    alone = Layered(Layers(DENSE_GENERATOR))
    assert from_plain(NetworkFamily, to_plain(alone)) == alone
    with pytest.raises(UsageError, match="no layers for a discriminator"):
        alone.discriminator(DIGITS)


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 1, 1), (4, 7, 5)])
@pytest.mark.parametrize("conditions", [(), (CLASSES,), (CLASSES, Condition("b", ("x", "y")))])
def test_the_example_fits_any_spec(shape: tuple[int, int, int], conditions: tuple[Condition, ...]) -> None:
    spec = DataSpec("image", shape, conditions=conditions)
    family = Layered.example(spec)
    generator, discriminator = family.build(spec)
    drawn = {condition.name: torch.randint(0, len(condition.classes), (BATCH,)) for condition in conditions}
    raw = generator({"latent": torch.randn(BATCH, 8)}, drawn).raw
    verdict = discriminator(raw, drawn)
    assert raw.shape == (BATCH, *shape)
    assert [head.shape for head in verdict.logits] == [(BATCH,)]
    verdict.logits[0].sum().backward()
    assert all(p.grad is not None for p in (*generator.parameters(), *discriminator.parameters()))


def discriminator(*rows: str, spec: DataSpec = DIGITS) -> LayersDiscriminator:
    return LayersDiscriminator(Layers(["Input(shape=(28, 28, 1))", *rows]), spec).eval()


@pytest.mark.parametrize(
    "end",
    [
        ("Flatten()", "Dense(1, activation='sigmoid')"),
        ("Flatten()", "Dense(1)", "Activation('sigmoid')"),
        ("Conv2D(1, 28, activation='sigmoid')", "Flatten()"),
        ("Flatten()", "SpectralNormalization(Dense(1, activation='sigmoid'))"),
        ("Flatten()", "Dense(4)", "Dense(1, 'sigmoid')", "Reshape((1, 1))", "Permute((2, 1))"),
    ],
)
def test_a_final_sigmoid_is_left_to_the_score(end: tuple[str, ...]) -> None:
    network = discriminator(*end)
    x = torch.randn(BATCH, 1, 28, 28) * 30
    (logits,) = network(x).logits
    assert logits.shape == (BATCH,)
    assert logits.abs().max() > 2
    torch.testing.assert_close(network.score(x), logits.sigmoid())


@pytest.mark.parametrize(
    ("row", "by_itself"), [("LeakyReLU()", True), ("Dropout(0.3)", True), ("BatchNormalization()", False)]
)
def test_reals_and_fakes_may_share_a_call_unless_a_layer_mixes_them(row: str, by_itself: bool) -> None:
    assert discriminator("Flatten()", "Dense(4)", row, "Dense(1, activation='sigmoid')").by_itself is by_itself


def test_without_a_final_sigmoid_the_output_is_the_logit() -> None:
    network = discriminator("Conv2D(8, 4, strides=4, activation='sigmoid')", "Conv2D(1, 1)")
    x = torch.randn(BATCH, 1, 28, 28)
    verdict = network(x)
    assert verdict.logits[0].shape == (BATCH, 49)
    torch.testing.assert_close(network.score(x), verdict.logits[0].mean(1))
    assert verdict.features is not None
    assert verdict.features.shape == (BATCH, 7 * 7 * 8)


def test_several_heads() -> None:
    rows = [
        ("x", "Input(shape=(28, 28, 1))", []),
        ("patches", "Conv2D(1, 4, strides=4)", "x"),
        ("flat", "Flatten()", "x"),
        ("whole", "Dense(1, activation='sigmoid')", "flat"),
    ]
    network = LayersDiscriminator(Layers(rows), DIGITS)
    x = torch.randn(BATCH, 1, 28, 28)
    patches, whole = network(x).logits
    assert (patches.shape, whole.shape) == ((BATCH, 49), (BATCH,))
    torch.testing.assert_close(network.score(x), (patches.mean(1) + whole.sigmoid()) / 2)
    with pytest.raises(UsageError, match="one output, not 2"):
        LayersGenerator(Layers(rows), DIGITS)


def test_a_sigmoid_that_others_read_is_no_final_one() -> None:
    rows = [
        ("x", "Input((28, 28, 1))", []),
        ("p", "Activation('sigmoid')", "x"),
        ("f", "Flatten()", "p"),
        ("g", "Dense(2)", "p"),
    ]
    with pytest.raises(UsageError, match="other rows take the result"):
        LayersDiscriminator(Layers(rows), DIGITS)


def test_conditions_arrive_as_places_or_one_hot() -> None:
    rows = [
        ("z", "Input(shape=(4,))", []),
        ("hot", "Input(shape=(10,))", []),
        ("place", "Input(shape=())", []),
        ("row", "Embedding(2, 6)", "place"),
        ("all", "Concatenate()", ["z", "hot", "row"]),
    ]
    spec = DataSpec("table", (20,), conditions=(CLASSES, Condition("b", ("x", "y"))))
    generator = LayersGenerator(Layers(rows), spec)
    drawn = {"digit": torch.tensor([3, 0, -1]), "b": torch.tensor([1, 0, 1])}
    raw = generator({"latent": torch.zeros(3, 4)}, drawn).raw
    hot = raw[:, 4:14]
    assert hot.sum(1).tolist() == [1, 1, 0]
    assert hot[0, 3] == 1
    torch.testing.assert_close(raw[0, 14:], raw[2, 14:])


@pytest.mark.parametrize(
    ("rows", "spec", "message"),
    [
        (["Input((3,))", "Dense(784)"], DIGITS, r"makes records \(784,\), the data have \(28, 28, 1\)"),
        (["Input((3,))", "Dense(28)", "Reshape((1, 28, 1))"], DIGITS, r"makes records \(1, 28, 1\)"),
        (
            ["Input((3,))", "Dense(784)", "Reshape((28, 28, 1))"],
            LABELLED,
            "0 inputs beside the first, there are 1 conditions",
        ),
        (["Input((3,))", "Dense(8)", "Reshape((1, 8))"], DataSpec("waveform", (1, 8)), r"the data have \(8, 1\)"),
        (["Input((3,))", "Embedding(3, 5)"], DataSpec("t", (5, 3)), "takes a condition's place"),
        ([("z", "Input(1)", ()), ("c", "Input(9)", ()), ("o", "Add()", ["z", "c"])], LABELLED, r"makes records \(9,\)"),
        (
            [("z", "Input(9)", ()), ("c", "Input(9)", ()), ("o", "Add()", ["z", "c"])],
            DataSpec("t", (9,), "linear", (CLASSES,)),
            "10 classes",
        ),
        (
            [
                ("z", "Input(9)", ()),
                ("c", "Input(1)", ()),
                ("e", "Embedding(9, 9)", "c"),
                ("f", "Flatten()", "e"),
                ("o", "Add()", ["z", "f"]),
            ],
            DataSpec("t", (9,), "linear", (CLASSES,)),
            "has 9 rows, condition 'digit' has 10 classes",
        ),
    ],
)
def test_a_generator_that_does_not_fit_the_data(rows: Any, spec: DataSpec, message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        LayersGenerator(Layers(rows), spec)
    assert caught.value.code == "E-LAYERS-08"
    assert len(str(caught.value).splitlines()) <= 6


def test_a_flat_output_is_told_of_reshape() -> None:
    with pytest.raises(UsageError) as caught:
        LayersGenerator(Layers(["Input(3)", "Dense(784)"]), DIGITS)
    assert caught.value.hints == ("add layers.Reshape((28, 28, 1)) as the last row",)


def test_a_pair_that_disagrees() -> None:
    with pytest.raises(UsageError, match="the generator takes 1 conditions, the discriminator 0"):
        Layered(Layers(CONDITIONAL_GENERATOR), Layers(DENSE_DISCRIMINATOR))
    with pytest.raises(UsageError, match=r"takes records \(28, 28, 1\), the data have \(32, 32, 3\)"):
        LayersDiscriminator(Layers(DENSE_DISCRIMINATOR), DataSpec("image", (3, 32, 32)))


@pytest.mark.parametrize(
    "end", [["Dense(2, activation='softmax')"], ["Dense(2)", "Softmax()"], ["Dense(2)", "Activation('softmax')"]]
)
def test_a_discriminator_that_ends_in_a_softmax_is_refused(end: list[str]) -> None:
    with pytest.raises(UsageError, match="ends in a softmax") as caught:
        LayersDiscriminator(Layers(["Input((28, 28, 1))", "Flatten()", *end]), DIGITS)
    assert "sigmoid" in caught.value.hints[0]
