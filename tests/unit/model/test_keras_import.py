"""Generators that Keras saved, read without it: what they draw is what Keras's own `predict` gives for the same noise."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ganwright.cli.import_ import import_keras_file
from ganwright.core.errors import ModelFileError, UsageError
from ganwright.model.keras_import import Values, import_keras
from ganwright.model.model import Model
from ganwright.model.model_file import read_facts

os.environ["KERAS_BACKEND"] = "torch"
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # whatever Keras's own imports have to say
    keras: Any = pytest.importorskip("keras")
    h5py: Any = pytest.importorskip("h5py")

L = keras.layers
pytestmark = [
    # Keras on torch hands tensors to NumPy in a way that NumPy 2 has begun to dislike.
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*:UserWarning:keras"),
]
SUFFIXES = (".keras", ".h5")


@pytest.fixture(autouse=True)
def on_the_cpu() -> Iterator[None]:
    """Keras would take a GPU where there is one."""
    with keras.device("cpu"), torch.random.fork_rng(devices=[]):
        keras.utils.set_random_seed(0)
        yield


def cats() -> Any:
    """The generator of the old cat-picture command."""
    return keras.Sequential(
        [L.Input((10,)), L.Dense(16), L.LeakyReLU(0.2), L.Dense(6 * 5 * 3, activation="tanh"), L.Reshape((6, 5, 3))]
    )


def dcgan() -> Any:
    """Convolutions, activations of several spellings, and what is left out when sampling."""
    normal = keras.initializers.RandomNormal(stddev=0.02)
    return keras.Sequential(
        [
            L.Input((10,)),
            L.Dense(2 * 2 * 8, use_bias=False, kernel_regularizer=keras.regularizers.L2(0.1)),
            L.BatchNormalization(momentum=0.8),
            L.Activation("relu"),
            L.Reshape((2, 2, 8)),
            L.Dropout(0.3),
            L.Conv2DTranspose(6, 5, strides=2, padding="same", kernel_initializer=normal),
            L.BatchNormalization(),
            L.LeakyReLU(negative_slope=0.2),
            L.UpSampling2D(),
            L.Conv2D(4, 3, padding="same", activation=L.LeakyReLU(0.1), kernel_constraint=keras.constraints.MaxNorm(2)),
            L.PReLU(shared_axes=[1, 2]),
            L.GaussianNoise(0.1),
            L.Conv2DTranspose(1, 4, strides=2, padding="same", use_bias=False, activation="tanh"),
        ]
    )


def wrapped() -> Any:
    """A Functional model around a Sequential one, as many a GAN has it; frozen, as for the generator's training."""
    noise = L.Input((10,), name="z")
    inner = dcgan()
    model = keras.Model(noise, inner(noise))
    inner.trainable = False
    return model


def model_first() -> Any:
    """A Sequential model that begins with another one."""
    base = keras.Sequential([L.Input((10,)), L.Dense(6, activation="relu")])
    return keras.Sequential([base, L.Dense(12, activation="tanh"), L.Reshape((2, 2, 3))])


def conditional() -> Any:
    """The class is the model's first argument here, and a Sequential model lies in a Functional one in another."""
    label, noise = L.Input((1,), dtype="int32", name="label"), L.Input((10,), name="noise")
    x = L.Multiply()([noise, L.Flatten()(L.Embedding(4, 10)(label))])
    seed = keras.Sequential([L.Input((10,)), L.Dense(6), L.BatchNormalization()])(x)
    x = L.Concatenate()([seed, noise])
    return keras.Model([label, noise], L.Reshape((4, 4, 1))(L.Dense(16, activation="tanh")(x)))


def one_hot() -> Any:
    """Both inputs float, the noise first."""
    noise, label = L.Input((10,)), L.Input((3,))
    return keras.Model([noise, label], L.Dense(5, activation="tanh")(L.Concatenate()([noise, label])))


def series() -> Any:
    """Layers in layers, and two ways through the network."""
    noise = L.Input((12,))
    x = L.Reshape((4, 3))(noise)
    x = L.Bidirectional(L.LSTM(3, return_sequences=True, dropout=0.1))(x)
    x = L.Bidirectional(L.GRU(2, return_sequences=True, use_bias=False), merge_mode="sum")(x)
    y = L.TimeDistributed(L.Dense(2, activation="relu"))(x)
    x = L.Add()([y, L.Dense(2)(L.SimpleRNN(2, return_sequences=True)(x))])
    x = L.LayerNormalization()(x)
    x = L.SpectralNormalization(L.Dense(6))(L.Flatten()(x))
    return keras.Model(noise, L.Activation("tanh")(x))


def two_numbers() -> Any:
    """Nothing bounds what it draws."""
    return keras.Sequential([L.Input((5,)), L.Dense(15, activation="relu"), L.Dense(2)])


def in_unit_range() -> Any:
    """Pictures in 0..1."""
    return keras.Sequential([L.Input((5,)), L.Dense(48), L.Reshape((4, 4, 3)), L.Activation("sigmoid")])


def shares() -> Any:
    """Numbers in 0..1."""
    return keras.Sequential([L.Input((5,)), L.Dense(4, activation="sigmoid")])


MAKERS = [cats, dcgan, wrapped, model_first, conditional, one_hot, series, two_numbers, in_unit_range, shares]
RANGES = {two_numbers: None, in_unit_range: (0, 1), shares: (0, 1)}


def with_weights(model: Any, seed: int = 0) -> Any:
    """The same model, as if it had been trained: no weight has its first value, moving statistics included."""
    draws = np.random.default_rng(seed)
    for weight in model.weights:
        value = draws.normal(0, 0.5, weight.shape).astype(np.float32)
        weight.assign(np.abs(value) + 0.5 if "variance" in weight.name else value)
    return model


def saved(model: Any, path: Path) -> Path:
    """The file that Keras writes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save(path)
    return path


def compared(theirs: Any, ours: Model, order: tuple[int, ...] = (0, 1)) -> None:
    """Both with the same noise and classes; ours brings pictures and numbers to -1..1."""
    shape = ours.generator.noise["latent"].shape
    noise = np.random.default_rng(1).normal(size=(7, *shape)).astype(np.float32)
    conditions: dict[str, torch.Tensor] = {}
    inputs = [noise]
    for condition in ours.spec.conditions:
        places = np.arange(7) % len(condition.classes)
        conditions[condition.name] = torch.from_numpy(places)
        width = theirs.inputs[order[1]].shape[1]
        inputs.append(places.reshape(-1, 1).astype("int32") if width == 1 else np.eye(width, dtype=np.float32)[places])
    inputs = [inputs[place] for place in order] if len(inputs) > 1 else inputs
    wanted = keras.ops.convert_to_numpy(theirs(inputs if len(inputs) > 1 else inputs[0], training=False))
    with torch.inference_mode():
        found = ours.generator({"latent": torch.from_numpy(noise)}, conditions).raw.numpy()
    facts = ours.facts["imported"]
    found = facts["low"] + (found + 1) / 2 * (facts["high"] - facts["low"])
    if ours.spec.kind == "image":
        found = found.transpose(0, 2, 3, 1)
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_an_imported_generator_draws_what_keras_draws(make: Callable[[], Any], suffix: str, tmp_path: Path) -> None:
    theirs = with_weights(make())
    theirs.compile(loss="mse", optimizer="adam")
    ours = import_keras(saved(theirs, tmp_path / f"generator{suffix}"))
    order = (1, 0) if make is conditional else (0, 1)
    compared(theirs, ours, order)
    compared(theirs, Model.load(ours.save(tmp_path / "ours.safetensors")), order)
    if RANGES.get(make, (-1, 1)) is not None:
        assert (ours.facts["imported"]["low"], ours.facts["imported"]["high"]) == RANGES.get(make, (-1, 1))


def plain_layer(kind: str, name: str, **settings: Any) -> dict[str, Any]:
    """A layer as Keras 2 describes it."""
    return {"class_name": kind, "config": {"name": name, "trainable": True, "dtype": "float32", **settings}}


def keras_2_dense(name: str, units: int, activation: str = "linear", **more: Any) -> dict[str, Any]:
    zeros = {"class_name": "Zeros", "config": {}}
    glorot = {"class_name": "GlorotUniform", "config": {"seed": None}}
    empty = dict.fromkeys(
        ("kernel_regularizer", "bias_regularizer", "activity_regularizer", "kernel_constraint", "bias_constraint")
    )
    own = {"units": units, "activation": activation, "use_bias": True}
    return plain_layer("Dense", name, **more, **own, kernel_initializer=glorot, bias_initializer=zeros, **empty)


def keras_2_norm(name: str) -> dict[str, Any]:
    # TensorFlow 2 keeps the axis as a list.
    return plain_layer("BatchNormalization", name, axis=[1], momentum=0.8, epsilon=0.001, center=True, scale=True)


def keras_2_input(name: str, width: int) -> dict[str, Any]:
    settings = {"batch_input_shape": [None, width], "dtype": "float32", "sparse": False, "ragged": False, "name": name}
    return {"class_name": "InputLayer", "config": settings}


def in_graph(layer: dict[str, Any], *sources: str) -> dict[str, Any]:
    nodes = [[[source, 0, 0, {}] for source in sources]] if sources else []
    return {**layer, "name": layer["config"]["name"], "inbound_nodes": nodes}


def keras_2_file(
    path: Path, config: dict[str, Any], weights: dict[str, dict[str, np.ndarray]], names_in_parts: bool = False
) -> Path:
    """A `.h5` file as TensorFlow 2's Keras wrote it; weights by layer and by name."""
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(config).encode()
        file.attrs["keras_version"] = b"2.11.0"
        file.attrs["backend"] = b"tensorflow"
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = np.array([name.encode() for name in weights])
        for layer, arrays in weights.items():
            own = group.create_group(layer)
            names = np.array([name.encode() for name in arrays], "S") if arrays else np.empty(0)
            if names_in_parts:
                for number, name in enumerate(names):
                    own.attrs[f"weight_names{number}"] = np.array([name])
            else:
                own.attrs["weight_names"] = names
            for name, values in arrays.items():
                own.create_dataset(name, data=values)
    return path


def values_of(model: Any) -> list[np.ndarray]:
    return [weight.value.detach().numpy() for weight in model.weights]


@pytest.mark.parametrize("form", ["with an input", "without", "a bare list", "names in parts"])
def test_a_sequential_file_of_keras_2(form: str, tmp_path: Path) -> None:
    theirs = with_weights(cats())
    kernel, bias, kernel_1, bias_1 = values_of(theirs)
    layers = [
        keras_2_dense("dense", 16, batch_input_shape=[None, 10]),
        plain_layer("LeakyReLU", "leaky_re_lu", alpha=0.20000000298023224),
        keras_2_dense("dense_1", 90, "tanh"),
        plain_layer("Reshape", "reshape", target_shape=[6, 5, 3]),
    ]
    if form == "with an input":
        layers.insert(0, keras_2_input("dense_input", 10))
    config: dict[str, Any] = {"class_name": "Sequential", "config": {"name": "sequential", "layers": layers}}
    if form == "a bare list":
        config["config"] = layers
    weights: dict[str, dict[str, np.ndarray]] = {
        "dense": {"dense/kernel:0": kernel, "dense/bias:0": bias},
        "leaky_re_lu": {},
        "dense_1": {"dense_1/kernel:0": kernel_1, "dense_1/bias:0": bias_1},
        "reshape": {},
    }
    path = keras_2_file(tmp_path / "final_cat_generator.h5", config, weights, form == "names in parts")
    compared(theirs, import_keras(path))


@pytest.mark.parametrize("kind", ["Functional", "Model"])
def test_a_conditional_functional_file_of_keras_2_around_a_sequential_model(kind: str, tmp_path: Path) -> None:
    noise, label = L.Input((10,)), L.Input((1,), dtype="int32")
    inner = keras.Sequential([L.Input((10,)), L.Dense(6), L.BatchNormalization(), L.Dense(16, activation="tanh")])
    inside = inner(L.Multiply()([noise, L.Flatten()(L.Embedding(4, 10)(label))]))
    theirs = with_weights(keras.Model([noise, label], L.Reshape((4, 4, 1))(inside)))
    by_name = {weight.path.rpartition("/")[2] + str(weight.shape): weight for weight in theirs.weights}
    embedding = plain_layer("Embedding", "embedding", input_dim=4, output_dim=10, mask_zero=False, input_length=None)
    sequential = [
        keras_2_dense("dense", 6, batch_input_shape=[None, 10]),
        keras_2_norm("batch_normalization"),
        keras_2_dense("dense_1", 16, "tanh"),
    ]
    nested = {"class_name": "Sequential", "config": {"name": "sequential", "layers": sequential}}
    layers = [
        in_graph(keras_2_input("input_2", 1)),
        in_graph(embedding, "input_2"),
        in_graph(keras_2_input("input_1", 10)),
        in_graph(plain_layer("Flatten", "flatten", data_format="channels_last"), "embedding"),
        in_graph(plain_layer("Multiply", "multiply"), "input_1", "flatten"),
        in_graph(nested, "multiply"),
        in_graph(plain_layer("Reshape", "reshape", target_shape=[4, 4, 1]), "sequential"),
    ]
    ends = {"input_layers": [["input_1", 0, 0], ["input_2", 0, 0]], "output_layers": [["reshape", 0, 0]]}
    config = {"class_name": kind, "config": {"name": "model", "layers": layers, **ends}}

    def value(name: str, *shape: int) -> np.ndarray:
        return by_name[f"{name}{shape}"].value.detach().numpy()

    # What learns comes first, over all layers of the inner model.
    in_sequential = {
        "dense/kernel:0": value("kernel", 10, 6),
        "dense/bias:0": value("bias", 6),
        "batch_normalization/gamma:0": value("gamma", 6),
        "batch_normalization/beta:0": value("beta", 6),
        "dense_1/kernel:0": value("kernel", 6, 16),
        "dense_1/bias:0": value("bias", 16),
        "batch_normalization/moving_mean:0": value("moving_mean", 6),
        "batch_normalization/moving_variance:0": value("moving_variance", 6),
    }
    weights = {"embedding": {"embedding/embeddings:0": value("embeddings", 4, 10)}, "sequential": in_sequential}
    ours = import_keras(keras_2_file(tmp_path / "generator.h5", config, weights))
    compared(theirs, ours)
    assert ours.spec.conditions[0].classes == ("0", "1", "2", "3")
    assert len(ours.sample(3, label=2)) == 3


def test_numbering_with_gaps_as_in_tensorflow_2_13(tmp_path: Path) -> None:
    theirs = with_weights(wrapped())
    source = saved(theirs, tmp_path / "generator.keras")
    content = io.BytesIO(zipfile.ZipFile(source).read("model.weights.h5"))
    with h5py.File(content, "r+") as file:
        file.move("layers", "_layer_checkpoint_dependencies")
        inner = file["_layer_checkpoint_dependencies/sequential"]
        inner.move("layers", "_layer_checkpoint_dependencies")
        group = inner["_layer_checkpoint_dependencies"]
        group.move("batch_normalization_1", "batch_normalization_12")
        group.move("conv2d_transpose_1", "conv2d_transpose_3")
    target = tmp_path / "old.keras"
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        new.writestr("config.json", old.read("config.json"))
        new.writestr("model.weights.h5", content.getvalue())
    compared(theirs, import_keras(target))


def test_float64_weights_and_special_values_of_configs(tmp_path: Path) -> None:
    theirs = with_weights(shares())
    path = saved(theirs, tmp_path / "generator.h5")
    with h5py.File(path, "r+") as file:
        group = file["model_weights"]
        for dataset in [item for name in ("dense", "dense_1") for item in found_datasets(group, name)]:
            values = dataset[()].astype(">f8")
            parent, name = dataset.parent, dataset.name.rpartition("/")[2]
            del parent[name]
            parent.create_dataset(name, data=values)
        config = json.loads(file.attrs["model_config"])
        slope = {"class_name": "__numpy__", "config": {"value": 1.0, "dtype": "float32"}}
        shape = {"class_name": "__tuple__", "items": [2, 2]}
        config["config"]["layers"] += [
            plain_layer("LeakyReLU", "leaky", alpha=slope),
            plain_layer("Reshape", "square", target_shape=shape),
            plain_layer("Flatten", "flat"),
        ]
        file.attrs["model_config"] = json.dumps(config)
    compared(theirs, import_keras(path, values="unit"))


def found_datasets(group: Any, name: str) -> list[Any]:
    found: list[Any] = []
    if name in group:
        group[name].visititems(lambda _, item: found.append(item) if isinstance(item, h5py.Dataset) else None)
    return found


def test_an_imported_model_is_sampled_without_h5py_and_keras(tmp_path: Path) -> None:
    theirs = with_weights(conditional())
    path = import_keras(saved(theirs, tmp_path / "generator.keras")).save(tmp_path / "ours.safetensors")
    code = f"""
import sys
from ganwright.model.model import Model
model = Model.load({str(path)!r})
print([picture.size for picture in model.sample(2, label=3)], len(model.grid(by_class=True).tobytes()) > 0)
print(sorted({{"h5py", "keras"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[(4, 4), (4, 4)] True", "[]"]


def test_facts_are_honest(tmp_path: Path) -> None:
    model = import_keras(saved(cats(), tmp_path / "cats.keras"), noise="uniform")
    path = model.save(tmp_path / "cats.safetensors")
    facts = read_facts(path)
    assert facts["facts"]["recipe"] == "imported"
    assert facts["facts"]["data"] == {"name": "cats.keras"}
    assert facts["facts"]["imported"] == {"file": "cats.keras", "keras": keras.__version__, "low": -1.0, "high": 1.0}
    assert model.generator.noise["latent"].distribution == "uniform"
    assert "5x6 colour" in repr(Model.load(path))
    assert facts["network"]["generator_layers"]["rows"][1][1] == "layers.Dense(units=16)"


def test_values_say_what_the_file_does_not(tmp_path: Path) -> None:
    theirs = with_weights(keras.Sequential([L.Input((5,)), L.Dense(12), L.ReLU(max_value=255), L.Reshape((2, 2, 3))]))
    path = saved(theirs, tmp_path / "generator.keras")
    with pytest.raises(ModelFileError, match="can be imported") as caught:
        import_keras(path)
    assert "its last activation is ReLU" in caught.value.why
    assert "--values" in caught.value.hints[0]
    choices: list[Values] = ["signed", "unit", "bytes"]
    for choice in choices:
        compared(theirs, import_keras(path, values=choice))


def test_numbers_without_bounds_leave_room(tmp_path: Path) -> None:
    model = import_keras(saved(with_weights(two_numbers()), tmp_path / "generator.keras"))
    drawn = model.sample(2000)
    bound = model.facts["imported"]["high"]
    assert bound / 8 < np.abs(drawn).max() < bound
    assert np.log2(bound).is_integer()


REFUSED: list[tuple[str, Callable[[], Any], str]] = [
    (
        "a discriminator",
        lambda: keras.Sequential([L.Input((4, 4, 1)), L.Flatten(), L.Dense(1)]),
        "looks like a discriminator",
    ),
    (
        "pictures of pictures",
        lambda: keras.Sequential([L.Input((4, 4, 3)), L.Conv2D(3, 3, padding="same")]),
        "is a picture of",
    ),
    ("no channels", lambda: keras.Sequential([L.Input((4,)), L.Dense(16), L.Reshape((4, 4))]), "draws records of 4×4"),
    ("two channels", lambda: keras.Sequential([L.Input((4,)), L.Dense(32), L.Reshape((4, 4, 2))]), "draws records of 4×4×2"),
    ("a shared layer", lambda: shared(), "is used 2 times"),
    ("two outputs", lambda: two_outputs(), "one output, not 2"),
    ("called in training", lambda: in_training(), "called with 'training'"),
    ("operation in", lambda: operation(), "keras.src.ops"),
    ("unknown sizes", lambda: keras.Sequential([L.Input((None, 2)), L.LSTM(2), L.Dense(4)]), "without None"),
    ("channels first", lambda: channels_first(), "channels_first"),
    (
        "an unsupported layer",
        lambda: keras.Sequential([L.Input((8,)), L.Dense(8), L.UnitNormalization()]),
        "UnitNormalization",
    ),
    ("code", lambda: keras.Sequential([L.Input((8,)), L.Lambda(lambda x: x * 2)]), "Python code, which is never run"),
    ("own function", lambda: keras.Sequential([L.Input((8,)), L.Dense(8, activation=own_function)]), "never run"),
    ("own layer", lambda: keras.Sequential([L.Input((8,)), OwnLayer(), L.Dense(8)]), "OwnLayer"),
    ("a number in", lambda: keras.Model(*number_in()), "which says not how many classes"),
]


def own_function(x: Any) -> Any:
    return x * 2


class OwnLayer(L.Layer):
    """A layer of an author's own."""

    def call(self, inputs: Any) -> Any:
        return inputs


def shared() -> Any:
    noise, dense = L.Input((4,)), L.Dense(4, activation="tanh")
    return keras.Model(noise, dense(dense(noise)))


def two_outputs() -> Any:
    noise = L.Input((4,))
    return keras.Model(noise, [L.Dense(4)(noise), L.Dense(4)(noise)])


def in_training() -> Any:
    noise = L.Input((4,))
    return keras.Model(noise, L.Dropout(0.5)(L.Dense(4, activation="tanh")(noise), training=True))


def operation() -> Any:
    noise = L.Input((4,))
    return keras.Model(noise, L.Dense(4, activation="tanh")(noise) * 0.5)


def channels_first() -> Any:
    return keras.Sequential([L.Input((8,)), L.Reshape((2, 2, 2)), L.Conv2D(2, 1, data_format="channels_first"), L.Flatten()])


def number_in() -> Any:
    noise, number = L.Input((4,)), L.Input((1,))
    return [noise, number], L.Dense(4, activation="tanh")(L.Concatenate()([noise, number]))


@pytest.mark.parametrize(("name", "make", "why"), REFUSED, ids=[row[0] for row in REFUSED])
def test_what_is_no_generator_of_ours_is_refused(name: str, make: Callable[[], Any], why: str, tmp_path: Path) -> None:
    # The two kinds of files describe layers alike; each row is tried with one.
    path = saved(make(), tmp_path / f"model{SUFFIXES[len(name) % 2]}")
    with pytest.raises(ModelFileError) as caught:
        import_keras(path)
    assert path.name in caught.value.what
    assert why in caught.value.why


def test_hard_sigmoid_of_keras_2_is_refused(tmp_path: Path) -> None:
    layers = [keras_2_dense("dense", 4, "hard_sigmoid", batch_input_shape=[None, 4])]
    config = {"class_name": "Sequential", "config": {"name": "s", "layers": layers}}
    with pytest.raises(ModelFileError) as caught:
        import_keras(keras_2_file(tmp_path / "old.h5", config, {}))
    assert "another function" in caught.value.why


def test_a_saved_model_is_told_how_to_convert(tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").write_bytes(b"\x08\x01")
    with pytest.raises(ModelFileError) as caught:
        import_keras(tmp_path)
    assert "SavedModel" in caught.value.what
    assert '.save("generator.h5")' in caught.value.hints[0]


def test_weights_alone_are_refused(tmp_path: Path) -> None:
    cats().save_weights(tmp_path / "only.weights.h5")
    with pytest.raises(ModelFileError) as caught:
        import_keras(tmp_path / "only.weights.h5")
    assert "weights without the network" in caught.value.why


def test_without_h5py_it_is_said_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(cats(), tmp_path / "cats.keras")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError) as caught:
        import_keras(path)
    assert caught.value.hints == ("pip install 'ganwright[keras]'",)


def test_the_verb_writes_a_model_file_beside_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = saved(with_weights(conditional()), tmp_path / "cats.h5")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    import_keras_file(path, noise="uniform", json=True)
    document = json.loads(capsys.readouterr().out)
    assert document["model"] == "cats.safetensors"
    assert document["makes"] == {"kind": "image", "shape": [1, 4, 4]}
    assert document["noise"] == {"shape": [10], "distribution": "uniform"}
    assert document["conditions"] == {"label": 4}
    before = Path("cats.safetensors").read_bytes()
    with pytest.raises(UsageError, match="is there already"):
        import_keras_file(path)
    assert Path("cats.safetensors").read_bytes() == before
    import_keras_file(path, out=Path("cats.safetensors"), force=True)
    assert "from 10 values of noise, 4 classes" in capsys.readouterr().out
    assert Path("cats.safetensors").read_bytes() != before
    with pytest.raises(UsageError, match="no name of a model file"):
        import_keras_file(path, out=Path("cats.h5"), force=True)
    assert Model.load("cats.safetensors").generator.noise["latent"].distribution == "normal"
