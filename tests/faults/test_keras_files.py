"""Files of Keras that lie, M1 to M12 of the list of faults: refused in a line, with nothing run and little allocated."""

from __future__ import annotations

import io
import json
import os
import random
import sys
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ganwright.core.errors import ModelFileError
from ganwright.model import keras_files
from ganwright.model.keras_files import KerasFile
from ganwright.model.keras_import import import_keras

os.environ["KERAS_BACKEND"] = "torch"
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # whatever Keras's own imports have to say
    h5py: Any = pytest.importorskip("h5py")

UNITS = 6
MUTATIONS = 20
"""Each is read by a child of its own, so few here; thousands were tried by hand."""


def dense(name: str, units: Any, activation: Any = "linear", **more: Any) -> dict[str, Any]:
    return {"class_name": "Dense", "config": {"name": name, "units": units, "activation": activation, **more}}


def definition(*layers: dict[str, Any]) -> dict[str, Any]:
    """A Sequential model; by default two dense layers that draw a row of 4 numbers."""
    entry = {"class_name": "InputLayer", "config": {"name": "input_layer", "batch_shape": [None, 3]}}
    found = layers or (dense("dense", UNITS), dense("dense_1", 4, "tanh"))
    return {"class_name": "Sequential", "config": {"name": "sequential", "layers": [entry, *found]}}


def fill(file: Any) -> None:
    """The weights of the default model, as Keras 3 keeps them."""
    for name, shapes in {"dense": [(3, UNITS), (UNITS,)], "dense_1": [(UNITS, 4), (4,)]}.items():
        group = file.create_group(f"layers/{name}/vars")
        for number, shape in enumerate(shapes):
            group.create_dataset(str(number), data=np.full(shape, 0.1, np.float32))


def weights(change: Callable[[Any], None] | None = None) -> bytes:
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        fill(file)
        if change:
            change(file)
    return content.getvalue()


def archive(
    path: Path,
    config: Any = None,
    content: bytes | None = None,
    members: Iterator[tuple[str, bytes]] | None = None,
    compression: int = zipfile.ZIP_STORED,
) -> Path:
    """A `.keras` file put together by hand, so that it may lie."""
    text = config if isinstance(config, bytes) else json.dumps(config or definition()).encode()
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", compression) as target:
        warnings.simplefilter("ignore")  # that a name is there twice
        target.writestr("metadata.json", '{"keras_version": "3.15.0"}')
        target.writestr("config.json", text)
        target.writestr("model.weights.h5", weights() if content is None else content)
        for name, data in members or ():
            target.writestr(name, data)
    return path


def legacy(path: Path, change: Callable[[Any], None] | None = None, config: Any = None) -> Path:
    """A `.h5` file of the same model."""
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(config or definition())
        file.attrs["keras_version"] = "3.15.0"
        for name, shapes in {"dense": [(3, UNITS), (UNITS,)], "dense_1": [(UNITS, 4), (4,)]}.items():
            group = file.create_group(f"model_weights/{name}")
            group.attrs["weight_names"] = [f"{name}/kernel", f"{name}/bias"]
            for part, shape in zip(("kernel", "bias"), shapes, strict=True):
                group.create_dataset(f"{name}/{part}", data=np.full(shape, 0.1, np.float32))
        if change:
            change(file)
    return path


def why_not(path: Path) -> str:
    with pytest.raises(ModelFileError) as caught:
        import_keras(path)
    error = caught.value
    assert path.name in error.what
    assert error.code.startswith("E-MODEL-")
    assert len(str(error)) < 3000
    assert all(line.isprintable() for line in str(error).splitlines())
    return f"{error.what} {error.where} {error.why}"


def test_the_files_that_the_others_are_made_of_are_good(tmp_path: Path) -> None:
    one, other = import_keras(archive(tmp_path / "good.keras")), import_keras(legacy(tmp_path / "good.h5"))
    assert np.array_equal(one.sample(3), other.sample(3))


ARCHIVES: list[tuple[str, Callable[[Path], object], str]] = [
    ("a pickle", lambda p: p.write_bytes(b"\x80\x04cos\nsystem\n(S'true'\ntR."), "neither a .keras archive nor"),
    ("empty", lambda p: p.write_bytes(b""), "neither a .keras archive nor"),
    ("cut off", lambda p: p.write_bytes(archive(p).read_bytes()[:-40]), "cut off"),
    ("only a beginning", lambda p: p.write_bytes(b"PK\x03\x04" + bytes(100)), "cut off"),
    ("there twice", lambda p: archive(p, members=iter([("config.json", b"{}")])), "twice"),
    ("outside", lambda p: archive(p, members=iter([("../../evil.py", b"")])), "outside"),
    ("absolute", lambda p: archive(p, members=iter([("/etc/evil", b"")])), "outside"),
    ("many members", lambda p: archive(p, members=((f"assets/{i}", b"") for i in range(1001))), "more than 1000 members"),
    ("a bomb", lambda p: archive(p, content=bytes(8 << 20), compression=zipfile.ZIP_DEFLATED), "times as large"),
    ("a long text", lambda p: archive(p, b" " * (17 << 20), compression=zipfile.ZIP_DEFLATED), "claims 17,825,792 bytes"),
    ("no weights", lambda p: archive(p, content=b""), "HDF5 cannot read it"),
    ("no JSON", lambda p: archive(p, b"import os"), "not valid JSON"),
    ("no text", lambda p: archive(p, b"\xff\xfe"), "not text"),
    ("keys twice", lambda p: archive(p, b'{"class_name": "a", "class_name": "b"}'), "a key appears twice"),
    ("no number", lambda p: archive(p, b'{"class_name": NaN}'), "no finite number"),
    ("deep", lambda p: archive(p, b"[" * 100_000 + b"]" * 100_000), "recursion"),
    ("deep lists", lambda p: archive(p, definition(dense("dense", json.loads("[" * 300 + "]" * 300)))), "nested"),
    ("not a model", lambda p: archive(p, [1, 2]), "not described as Keras does it"),
    ("no layers", lambda p: archive(p, {"class_name": "Sequential", "config": {}}), "no usable 'layers'"),
]


@pytest.mark.parametrize(("make", "why"), [row[1:] for row in ARCHIVES], ids=[row[0] for row in ARCHIVES])
def test_archives_that_lie(make: Callable[[Path], object], why: str, tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    make(path)
    assert why in why_not(path)


def test_a_size_that_is_not_the_real_one(tmp_path: Path) -> None:
    path = archive(tmp_path / "model.keras")
    content, size = bytearray(path.read_bytes()), len(weights())
    entry = content.rfind(b"PK\x01\x02")  # the directory's last entry is the weights'
    content[entry + 24 : entry + 28] = (size * 3).to_bytes(4, "little")
    path.write_bytes(content)
    assert "archive" in why_not(path) or "long" in why_not(path)


CODE: list[tuple[str, dict[str, Any], str]] = [
    ("a module", {"module": "subprocess", "class_name": "Dense", "config": {"units": 4}}, "of the module 'subprocess'"),
    ("a near module", {"module": "keras.layersx", "class_name": "Dense", "config": {}}, "of the module 'keras.layersx'"),
    ("keras's own loader", {"module": "keras.utils", "class_name": "get_file", "config": {}}, "of the module 'keras.utils'"),
    ("registered", {"class_name": "Dense", "config": {"units": 4}, "registered_name": "own>Dense"}, "'own>Dense'"),
    ("a lambda", {"class_name": "Lambda", "config": {"function": ["4wEAAA==", None, None]}}, "never run"),
    ("a call in a name", {"class_name": "Dense(4); import os", "config": {}}, "unknown or unsupported layer"),
    ("a call in an argument", dense("d", 4, "tanh", **{"use_bias=__import__('os').system('x'), z": 1}), "has no argument"),
    ("a call in a value", dense("d", "__import__('os').system('true')"), "units must be"),
    ("a function", dense("d", 4, activation={"class_name": "function", "config": "eval"}), "never run"),
    ("control characters", dense("d\x1b[2J", 4, "\x1b[31m"), "activation"),
    (
        "a nested model's module",
        {"module": "os", "class_name": "Sequential", "config": {"layers": []}},
        "of the module 'os'",
    ),
    ("a surrogate", dense("d", 4, "\ud800"), "activation"),
]


@pytest.mark.parametrize(("layer", "why"), [row[1:] for row in CODE], ids=[row[0] for row in CODE])
def test_nothing_that_is_named_is_run(layer: dict[str, Any], why: str, tmp_path: Path) -> None:
    assert why in why_not(archive(tmp_path / "model.keras", definition(layer)))


def nested(depth: int) -> dict[str, Any]:
    """A model in a model in a model ..."""
    inner = definition() if depth == 1 else nested(depth - 1)
    return {"class_name": "Sequential", "config": {"name": f"m{depth}", "layers": [inner]}}


SIZES: list[tuple[str, dict[str, Any], str]] = [
    ("units", definition(dense("dense", 10**9)), "units"),
    ("a weight", definition(dense("dense", 2**23), dense("dense_1", 2**23)), "more than"),
    ("layers", definition(*[dense(f"dense_{i}", 4) for i in range(100_000)]), "100001 layers"),
    (
        "models in models",
        nested(60),
        "8 deep",
    ),
    (
        "pictures",
        definition(dense("dense", 2**24), {"class_name": "Reshape", "config": {"target_shape": [4096, 4096, 1]}}),
        "",
    ),
    ("a row", definition(dense("dense", 2**15, "tanh")), "16384"),
]


@pytest.mark.parametrize(("config", "why"), [row[1:] for row in SIZES], ids=[row[0] for row in SIZES])
def test_absurd_sizes(config: Any, why: str, tmp_path: Path) -> None:
    assert why in why_not(archive(tmp_path / "model.keras", config))


def replaced(name: str, **settings: Any) -> Callable[[Any], None]:
    """A change of one weight."""

    def change(file: Any) -> None:
        group = file["layers/dense/vars"]
        del group[name]
        group.create_dataset(name, **settings)

    return change


def linked(link: Any) -> Callable[[Any], None]:
    def change(file: Any) -> None:
        group = file["layers/dense/vars"]
        del group["0"]
        group["0"] = link

    return change


def virtual(file: Any) -> None:
    layout = h5py.VirtualLayout((3, UNITS), np.float32)
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", (3, UNITS))
    group = file["layers/dense/vars"]
    del group["0"]
    group.create_virtual_dataset("0", layout)


def group_instead(file: Any) -> None:
    group = file["layers/dense/vars"]
    del group["0"]
    group.create_group("0")


def soft_group(file: Any) -> None:
    file.move("layers/dense", "elsewhere")
    file["layers/dense"] = h5py.SoftLink("/elsewhere")


SHAPE = (3, UNITS)
ONES = np.ones(SHAPE, np.float32)
HDF5: list[tuple[str, Callable[[Any], None], str]] = [
    ("an external link", linked(h5py.ExternalLink("/etc/passwd", "/x")), "link to elsewhere"),
    ("a soft link", linked(h5py.SoftLink("/layers/dense_1/vars/0")), "link to elsewhere"),
    ("a soft link to a group", soft_group, "link to elsewhere"),
    ("external storage", replaced("0", shape=SHAPE, dtype="f4", external=[("/etc/passwd", 0, 72)]), "in another file"),
    ("a virtual dataset", virtual, "in another file"),
    ("whole numbers", replaced("0", data=ONES.astype(int)), "not of floats"),
    ("texts", replaced("0", data=np.full(SHAPE, b"x", object), dtype=h5py.string_dtype()), "not of floats"),
    ("lists", replaced("0", shape=SHAPE, dtype=h5py.vlen_dtype(np.float32)), "not of floats"),
    ("references", replaced("0", shape=SHAPE, dtype=h5py.ref_dtype), "not of floats"),
    ("compounds", replaced("0", shape=SHAPE, dtype=[("a", "f4"), ("b", "f4")]), "not of floats"),
    ("another shape", replaced("0", data=ONES.T.copy()), "has the shape 6×3, its layer takes 3×6"),
    ("an absurd shape", replaced("0", shape=(2**40, 2**20), dtype="f4", chunks=(1, 1)), "has the shape"),
    ("no shape", replaced("0", data=h5py.Empty("f4")), "has the shape none"),
    ("compressed", replaced("0", data=ONES, chunks=SHAPE, compression="gzip"), "pieces"),
    ("chunks", replaced("0", data=ONES, chunks=(1, 1)), "pieces"),
    ("never written", replaced("0", shape=SHAPE, dtype="f4"), "has not the 72 bytes"),
    ("a group", group_instead, "is not a dataset"),
    ("missing", lambda file: file.__delitem__("layers/dense/vars/1"), "layers/dense/vars/1 is missing"),
    ("missing layer", lambda file: file.__delitem__("layers/dense_1"), "'dense_1' are missing"),
    ("not a number", replaced("0", data=ONES * np.nan), "not finite"),
    ("too large for fp32", replaced("0", data=np.full(SHAPE, 1e300)), "not finite"),
]


@pytest.mark.parametrize(("change", "why"), [row[1:] for row in HDF5], ids=[row[0] for row in HDF5])
def test_weights_that_lie(change: Callable[[Any], None], why: str, tmp_path: Path) -> None:
    assert why in why_not(archive(tmp_path / "model.keras", content=weights(change)))


def one_for_all(file: Any) -> None:
    """1,000 x 1,000 values, to which 100 layers point."""
    del file["layers"]
    for number in range(100):
        group = file.create_group(f"layers/dense_{number}/vars" if number else "layers/dense/vars")
        group["0"] = file["layers/dense/vars/0"] if number else np.zeros((1000, 1000), np.float32)


def test_many_layers_with_one_weight(tmp_path: Path) -> None:
    layers = [dense(f"dense_{number}", 1000, "tanh", use_bias=False) for number in range(100)]
    config = definition(*layers)
    config["config"]["layers"][0]["config"]["batch_shape"] = [None, 1000]
    assert "400,000,000 bytes" in why_not(archive(tmp_path / "model.keras", config, weights(one_for_all)))


LEGACY: list[tuple[str, Callable[[Any], None], str]] = [
    ("no text", lambda f: f.attrs.__setitem__("model_config", np.ones(3)), "is no text"),
    ("texts", lambda f: f.attrs.__setitem__("model_config", ["{}", "{}"]), "is no text"),
    ("many texts", lambda f: f.attrs.__setitem__("model_config", np.full(30_000, b"x")), "too large"),
    ("names that are numbers", lambda f: f["model_weights/dense"].attrs.__setitem__("weight_names", [1, 2]), "is no text"),
    ("too few names", lambda f: f["model_weights/dense"].attrs.__setitem__("weight_names", ["a"]), "has 1 weights"),
    ("a way out", lambda f: f["model_weights/dense"].attrs.__setitem__("weight_names", ["../x", "y"]), "without a name"),
    ("another's backend", lambda f: f.attrs.__setitem__("backend", "theano"), "Theano"),
]


@pytest.mark.parametrize(("change", "why"), [row[1:] for row in LEGACY], ids=[row[0] for row in LEGACY])
def test_old_files_that_lie(change: Callable[[Any], None], why: str, tmp_path: Path) -> None:
    assert why in why_not(legacy(tmp_path / "model.h5", change))


def test_a_child_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras_files, "SECONDS", 0.5)
    with pytest.raises(ModelFileError) as caught:
        KerasFile(archive(tmp_path / "model.keras"), [sys.executable, "-c", "import time; time.sleep(60)"])
    assert "too long" in caught.value.why


def test_a_child_that_crashes_is_told_of(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError) as caught:
        KerasFile(archive(tmp_path / "model.keras"), [sys.executable, "-c", "import os; os.abort()"])
    assert "gave up" in caught.value.why


@pytest.mark.parametrize("make", [archive, legacy], ids=["keras", "h5"])
def test_random_damage(make: Callable[[Path], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras_files, "SECONDS", 10.0)
    good, path = make(tmp_path / "good").read_bytes(), tmp_path / "damaged"
    draws = random.Random(0)
    refused = 0
    for _ in range(MUTATIONS):
        content = bytearray(good)
        for _ in range(draws.choice((1, 2, 4, 16))):
            content[draws.randrange(len(content))] = draws.randrange(256)
        path.write_bytes(content)
        try:
            import_keras(path)
        except ModelFileError:
            refused += 1
    assert refused > 0
