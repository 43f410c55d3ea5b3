"""Model files from strangers. The names are the rows of the table of faults (M10, bundles, has no counterpart here yet)."""

from __future__ import annotations

import dataclasses
import io
import json
import math
import subprocess
import sys
import time
import tracemalloc
import unicodedata
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mutations import HOSTILE_TEXT, read_mutations
from support import TINY, safetensors_bytes, taken_apart, tiny_contents, tiny_model_file

from ganwright.cli.app import run
from ganwright.core.errors import ModelFileError
from ganwright.model.model import Model
from ganwright.model.model_file import write_model
from ganwright.model.tensor_file import MAX_TENSORS, read_header
from ganwright.networks.mlp import Mlp

SECONDS = 2.0  # of this process's own time: refused at once, however busy the machine is
BYTES = 8 << 20

Change = Callable[[dict[str, Any]], None]


@pytest.fixture
def good(tmp_path: Path) -> bytes:
    """A good model file's content."""
    return tiny_model_file(tmp_path / "good.safetensors").read_bytes()


def refused(tmp_path: Path, content: bytes, name: str = "model.safetensors") -> ModelFileError:
    """The error that a file of this content is refused with, at once and without memory for what it claims."""
    path = tmp_path / name
    path.write_bytes(content)
    began = time.process_time()
    with pytest.raises(ModelFileError):
        Model.load(path)
    seconds = time.process_time() - began
    tracemalloc.start()
    try:
        with pytest.raises(ModelFileError) as caught:
            Model.load(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert seconds < SECONDS
    assert peak < BYTES
    assert len(str(caught.value).splitlines()) <= 6
    assert not any(unicodedata.category(letter) == "Cc" for letter in str(caught.value).replace("\n", ""))
    assert path.name in caught.value.what
    return caught.value


def with_description(content: bytes, change: Change) -> bytes:
    """The file with its description changed and everything else as it was."""
    header, data = taken_apart(content)
    description = json.loads(header["__metadata__"]["ganwright"])
    change(description)
    header["__metadata__"]["ganwright"] = json.dumps(description)
    return safetensors_bytes(header, data)


def with_header(content: bytes, change: Change) -> bytes:
    """The file with its list of tensors changed and the data as they were."""
    header, data = taken_apart(content)
    change(header)
    return safetensors_bytes(header, data)


def without_values(content: bytes, change: Change) -> bytes:
    """A file that promises a network and brings no tensors at all."""
    header, _ = taken_apart(with_description(content, change))
    return safetensors_bytes({"__metadata__": header["__metadata__"]})


def first_tensor(header: dict[str, Any]) -> dict[str, Any]:
    """The one whose values come first."""
    tensors = [entry for name, entry in header.items() if name != "__metadata__"]
    return min((entry for entry in tensors if entry["data_offsets"] != [0, 0]), key=lambda entry: entry["data_offsets"])


def test_the_file_that_the_others_are_made_from_is_good(tmp_path: Path, good: bytes) -> None:
    path = tmp_path / "again.safetensors"
    path.write_bytes(with_header(with_description(good, lambda description: None), lambda header: None))
    assert len(Model.load(path).sample(2)) == 2


@pytest.mark.parametrize("name", ["model.pt", "model.pth", "model.pkl", "model.ckpt", "model.safetensors"])
def test_M1_pickles_are_refused_under_any_name_and_never_unpickled(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    canary = tmp_path / "canary"
    call = f"cpathlib\nPath\n(S'{canary}'\ntRctouch\n".encode()
    attack = f"cposix\nsystem\n(S'touch {canary}'\ntR.".encode() + 64 * b"\n"
    for protocol in (2, 3, 4, 5):
        error = refused(tmp_path, bytes([0x80, protocol]) + attack, name)
        assert "pickle" in error.why
    refused(tmp_path, attack, name)  # protocol 0 has no mark
    refused(tmp_path, call, name)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("archive/data.pkl", b"\x80\x02" + attack)
    assert "zip archive" in refused(tmp_path, archive.getvalue(), name).why
    for verb in ("sample", "inspect"):
        assert run([verb, str(tmp_path / name)]) == 4
    assert "not a usable model file" in capsys.readouterr().err
    assert not canary.exists()


def test_M1_what_an_attack_looks_like_would_work(tmp_path: Path) -> None:
    """Else the test above could not fail: these bytes do run a command when they are unpickled."""
    canary = tmp_path / "canary"
    attack = f"cposix\nsystem\n(S'touch {canary}'\ntR.".encode()
    program = "import pickle; pickle.loads(" + repr(b"\x80\x02" + attack) + ")"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
    assert canary.exists()


@pytest.mark.parametrize(
    "content",
    [
        (1 << 63).to_bytes(8, "little") + b"{}",
        (1 << 64 - 1).to_bytes(8, "little") + b"{}",
        (99 << 20).to_bytes(8, "little") + b"{}" + b" " * 100,
        (200).to_bytes(8, "little") + b"{}" + b" " * 100,
        b"\x02\0\0\0\0\0\0",
        b"",
        (0).to_bytes(8, "little"),
        (0).to_bytes(8, "little") + b"{}",
    ],
    ids=["2^63", "2^63+", "99 MB on a tiny file", "longer than the file", "7 bytes", "empty", "none", "zero"],
)
def test_M2_lengths_that_lie(content: bytes, tmp_path: Path) -> None:
    refused(tmp_path, content)


def test_M3_a_header_of_75_MB_is_not_even_read(tmp_path: Path) -> None:
    entry = b'"%07d":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}'
    header = b"{" + b",".join(entry % i for i in range(1_250_000)) + b"}"
    assert len(header) > 70e6
    assert "claims" in refused(tmp_path, safetensors_bytes(header)).why


def test_M3_a_million_empty_tensors_within_the_allowed_length_are_too_many(tmp_path: Path) -> None:
    entry = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
    header = {f"{i:x}": entry for i in range(MAX_TENSORS + 1)}
    text = json.dumps(header, separators=(",", ":")).encode()
    path = tmp_path / "model.safetensors"
    path.write_bytes(safetensors_bytes(text))
    with pytest.raises(ModelFileError) as caught:
        read_header(path)
    assert "10,001 tensors" in caught.value.why


def change_offsets(start: int, stop: int) -> Change:
    def change(header: dict[str, Any]) -> None:
        entry = first_tensor(header)
        entry["data_offsets"] = [entry["data_offsets"][0] + start, entry["data_offsets"][1] + stop]

    return change


def set_first(**fields: Any) -> Change:
    return lambda header: first_tensor(header).update(fields)


@pytest.mark.parametrize(
    "change",
    [
        change_offsets(4, 4),
        change_offsets(0, 4),
        change_offsets(0, -4),
        change_offsets(-4, -4),
        set_first(data_offsets=[8, 0]),
        set_first(data_offsets=[0, 1 << 62]),
        set_first(data_offsets=[0]),
        set_first(data_offsets=[0.0, 16.0]),
        set_first(shape=[1 << 32, 1 << 32]),
        set_first(shape=[1 << 47] * 8),
        set_first(shape=[-1, -4]),
        set_first(shape=[True]),
        set_first(shape="4"),
        set_first(shape=[1] * 9),
        set_first(dtype="F128"),
        set_first(dtype=["F32"]),
        set_first(more=1),
        lambda header: header.update(x=5),
        lambda header: header.update(x={"dtype": "F32"}),
    ],
)
def test_M4_tensors_that_overlap_leave_holes_or_are_described_falsely(change: Change, good: bytes, tmp_path: Path) -> None:
    refused(tmp_path, with_header(good, change))
    with pytest.raises(ModelFileError):  # by our own check, before the library's
        read_header(tmp_path / "model.safetensors")


@pytest.mark.parametrize("count", [1, 4, 100])
def test_M4_bytes_too_many_or_too_few(count: int, good: bytes, tmp_path: Path) -> None:
    assert "added" in refused(tmp_path, good + b"\0" * count).why
    assert "cut off" in refused(tmp_path, good[:-count]).why


def test_M5_a_key_that_comes_twice_is_refused(good: bytes, tmp_path: Path) -> None:
    header, data = taken_apart(good)
    text = json.dumps(header)
    name = next(iter(header.keys() - {"__metadata__"}))
    twice = f"{{{json.dumps(name)}: {json.dumps(header[name])}, {text[1:]}"
    assert "twice" in refused(tmp_path, safetensors_bytes(twice.encode(), data)).why
    inner = text.replace('"dtype": ', '"dtype": "I64", "dtype": ', 1)
    assert "twice" in refused(tmp_path, safetensors_bytes(inner.encode(), data)).why
    description = header["__metadata__"]["ganwright"]
    header["__metadata__"]["ganwright"] = '{"network": {}, ' + description[1:]
    assert "twice" in refused(tmp_path, safetensors_bytes(header, data)).why


def test_M5_a_metadata_string_of_99_MB_is_not_even_read(good: bytes, tmp_path: Path) -> None:
    header, data = taken_apart(good)
    text = json.dumps(header)
    swollen = text.replace('"__metadata__": {', '"__metadata__": {"x": "' + "y" * (99 << 20) + '", ', 1)
    assert "claims" in refused(tmp_path, safetensors_bytes(swollen.encode(), data)).why


@pytest.mark.parametrize("metadata", [5, ["x"], {"ganwright": 5}, {"ganwright": "{"}, {"ganwright": "[" * 100_000}, {}])
def test_M5_metadata_that_are_not_a_description(metadata: Any, good: bytes, tmp_path: Path) -> None:
    refused(tmp_path, with_header(good, lambda header: header.update(__metadata__=metadata)))


def test_M6_another_shape_is_told_of_in_one_line(good: bytes, tmp_path: Path) -> None:
    def widen(description: dict[str, Any]) -> None:
        description["network"]["width"] = 5

    why = refused(tmp_path, with_description(good, widen)).why
    assert "generator." in why
    assert ", expected " in why
    assert "×" in why


def test_M6_missing_and_extra_tensors_are_named(good: bytes, tmp_path: Path) -> None:
    header, data = taken_apart(good)
    last = max((name for name in header if name != "__metadata__"), key=lambda name: header[name]["data_offsets"])
    stop = header[last]["data_offsets"][0]
    missing = {name: entry for name, entry in header.items() if name != last}
    assert f"tensor {last} is missing" in refused(tmp_path, safetensors_bytes(missing, data[:stop])).why
    extra = {**header, "generator.more": {"dtype": "U8", "shape": [3], "data_offsets": [len(data), len(data) + 3]}}
    assert "'generator.more' does not belong" in refused(tmp_path, safetensors_bytes(extra, data + b"abc")).why
    renamed = {name.replace("generator.", "discriminator."): entry for name, entry in header.items()}
    assert "is missing" in refused(tmp_path, safetensors_bytes(renamed, data)).why
    codec = {**header, "codec.more": {"dtype": "U8", "shape": [3], "data_offsets": [len(data), len(data) + 3]}}
    assert "codec" in refused(tmp_path, safetensors_bytes(codec, data + b"abc")).why


def test_M6_another_type_of_the_same_size_is_refused(good: bytes, tmp_path: Path) -> None:
    assert "expected" in refused(tmp_path, with_header(good, set_first(dtype="F64"))).why


def test_M6_another_architecture_is_refused(good: bytes, tmp_path: Path) -> None:
    def swap(description: dict[str, Any]) -> None:
        description["network"] = {"name": "mlp", "latent": 8, "generator_widths": [8], "discriminator_widths": [8]}

    assert "generator." in refused(tmp_path, with_description(good, swap)).why


def test_M6_a_codec_of_another_size_than_the_network_is_refused(good: bytes, tmp_path: Path) -> None:
    def shrink(description: dict[str, Any]) -> None:
        description["codec"]["state"]["height"] = 4

    assert "(1, 4, 8)" in refused(tmp_path, with_description(good, shrink)).why


def test_M6_a_kind_that_the_network_does_not_draw_is_refused(good: bytes, tmp_path: Path) -> None:
    change: Change = lambda description: description["spec"].update(kind=HOSTILE_TEXT)  # noqa: E731
    assert "does not draw" in refused(tmp_path, with_description(good, change)).why


@pytest.mark.parametrize("version", [2, "1", None, HOSTILE_TEXT, [1] * 1000])
def test_M6_another_version_says_to_upgrade(version: Any, good: bytes, tmp_path: Path) -> None:
    error = refused(tmp_path, with_description(good, lambda description: description.update(version=version)))
    assert error.code == "E-MODEL-02"
    assert "upgrade" in error.hints[0] or "-U" in error.hints[0]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_M7_weights_that_are_not_numbers_are_refused(value: float, good: bytes, tmp_path: Path) -> None:
    header, data = taken_apart(good)
    for name, entry in header.items():
        if name != "__metadata__" and entry["dtype"] == "F32":
            start, stop = entry["data_offsets"]
            values = np.frombuffer(data[start:stop], np.float32).copy()
            values[-1] = value
            content = safetensors_bytes(header, data[:start] + values.tobytes() + data[stop:])
            error = refused(tmp_path, content)
            assert error.code == "E-MODEL-03"
            assert name in error.what


ABSURD: list[Change] = [
    lambda d: d["network"].update(latent=10**9),
    lambda d: d["network"].update(width=10**9),
    lambda d: d["network"].update(width=10**400),
    lambda d: d["network"].update(max_width=-1),
    lambda d: d.update(network={"name": "mlp", "generator_widths": [8] * 100_000}),
    lambda d: d.update(network={"name": "mlp", "generator_widths": [8192] * 32, "latent": 8192}),
    lambda d: d["spec"].update(shape=[3, 1 << 30, 1 << 30]),
    lambda d: d["spec"].update(shape=[16_384, 16_384, 16_384]),
    lambda d: d["spec"].update(shape=[1, 16_384, 16_384]),
    lambda d: d["spec"].update(shape=[1] * 10_000),
    lambda d: d["spec"].update(shape=[]),
    lambda d: d["spec"].update(shape=[0, 0, 0]),
    lambda d: d["spec"].update(shape=[1, 8.0, 8]),
    lambda d: d["codec"]["state"].update(height=1 << 30),
    lambda d: d["codec"]["state"].update(classes=["x"] * 70_000),
]


@pytest.mark.parametrize("number", range(len(ABSURD)))
def test_M8_absurd_sizes_are_refused_before_anything_is_built(number: int, good: bytes, tmp_path: Path) -> None:
    refused(tmp_path, with_description(good, ABSURD[number]))
    refused(tmp_path, without_values(good, ABSURD[number]))


def test_M8_absurd_sizes_need_no_memory(good: bytes, tmp_path: Path) -> None:
    """In a child with four gigabytes of address space, of which torch's libraries take a good part."""
    for number, change in enumerate(ABSURD):
        (tmp_path / f"absurd{number:02}.safetensors").write_bytes(without_values(good, change))
    program = f"""
import resource
from pathlib import Path
from ganwright.core.errors import ModelFileError
from ganwright.model.model import Model
from ganwright.runtime.memory import peak_bytes
resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
for path in sorted(Path({str(tmp_path)!r}).glob("absurd*")):
    try:
        Model.load(path)
    except ModelFileError:
        print("refused")
print((peak_bytes() or 0) >> 20, "MB")
"""
    lines = in_child(program).splitlines()
    assert lines.count("refused") == len(ABSURD)
    assert int(lines[-1].split()[0]) < 1500


NAMES: list[Any] = [
    "subprocess",
    "os.system",
    "ganwright.networks.dcgan",
    "../networks/dcgan",
    "base",
    "registry",
    "__init__",
    "https://example.com/x",
    "dcgan\0",
    "",
    None,
    5,
    ["dcgan"],
    {"module": "subprocess", "class": "Popen"},
    HOSTILE_TEXT,
]


@pytest.mark.parametrize("name", NAMES, ids=repr)
def test_M9_only_networks_and_modalities_of_ours_can_be_named(name: Any, good: bytes, tmp_path: Path) -> None:
    refused(tmp_path, with_description(good, lambda d: d["network"].update(name=name)))
    refused(tmp_path, with_description(good, lambda d: d["codec"].update(modality=name)))


@pytest.mark.parametrize("key", ["module", "class_name", "registered_name", "config", "__class__", "url"])
def test_M9_settings_that_the_network_does_not_have_are_refused(key: str, good: bytes, tmp_path: Path) -> None:
    why = refused(tmp_path, with_description(good, lambda d: d["network"].update({key: "subprocess"}))).why
    assert key in why
    refused(tmp_path, with_description(good, lambda d: d["codec"]["state"].update({key: "subprocess"})))


def test_M9_nothing_is_unpickled_while_a_model_is_read_and_sampled(tmp_path: Path) -> None:
    path = tiny_model_file(tmp_path / "model.safetensors", classes=("cat", "dog"))
    program = f"""
import pickle, sys
from ganwright import load
found = []
sys.addaudithook(lambda event, arguments: found.append(arguments) if event == "pickle.find_class" else None)
model = load({str(path)!r})
model.sample(70, seed=1)
model.save({str(tmp_path / "copy.safetensors")!r})
print(len(found))
pickle.loads(pickle.dumps(model.spec))  # the hook does hear
print(len(found) > 0)
"""
    assert in_child(program).split() == ["0", "True"]


def hostile_facts(text: str) -> dict[str, Any]:
    return {
        "recipe": text,
        "data": {"name": text, "records": 16, "conditions": [{"name": text, "classes": [text, text + "2"]}]},
        "training": {
            "steps": 1,
            "samples_seen": 8,
            "seconds": 1.0,
            "config": {"loss": {"name": text}, "seed": text},
            "versions": {text: text},
        },
    }


def test_M11_hostile_names_do_not_steer_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tiny_model_file(tmp_path / "model.safetensors", facts=hostile_facts(HOSTILE_TEXT), classes=("a", HOSTILE_TEXT))
    assert run(["inspect", str(path)]) == 0
    shown = capsys.readouterr().out
    assert "script" in shown, "the text itself is shown"
    assert harmless(shown)
    assert len(shown.splitlines()) < 15, "no line of its own"


def test_M11_json_carries_hostile_names_escaped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tiny_model_file(tmp_path / "model.safetensors", facts=hostile_facts(HOSTILE_TEXT))
    assert run(["inspect", str(path), "--json"]) == 0
    shown = capsys.readouterr().out
    assert json.loads(shown)["facts"]["recipe"] == HOSTILE_TEXT
    assert "\x1b" not in shown
    assert len(shown.splitlines()) == 1


def test_M11_a_model_made_under_hostile_names_samples_as_any_other(tmp_path: Path) -> None:
    path = tiny_model_file(tmp_path / "model.safetensors", facts=hostile_facts(HOSTILE_TEXT), classes=("a", HOSTILE_TEXT))
    model = Model.load(path)
    assert len(model.sample(2)) == 2
    assert harmless(repr(model))


def test_M11_hostile_names_of_tensors_and_kinds_are_harmless_in_errors(
    good: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "model.safetensors"
    changes: list[Callable[[bytes], bytes]] = [
        lambda c: with_header(c, lambda h: h.update({HOSTILE_TEXT: {"dtype": "F32"}})),
        lambda c: with_header(c, lambda h: h.update({HOSTILE_TEXT: h.pop(next(iter(h.keys() - {"__metadata__"})))})),
        lambda c: with_header(c, set_first(dtype=HOSTILE_TEXT)),
        lambda c: with_description(c, lambda d: d["spec"].update(kind=HOSTILE_TEXT)),
        lambda c: with_description(c, lambda d: d["spec"].update(output=HOSTILE_TEXT)),
        lambda c: with_description(c, lambda d: d["spec"].update({HOSTILE_TEXT: 1})),
        lambda c: with_description(c, lambda d: d["network"].update({HOSTILE_TEXT: 1})),
        lambda c: with_description(c, lambda d: d["codec"]["state"].update(background=HOSTILE_TEXT)),
        lambda c: with_description(c, lambda d: d.update(version=HOSTILE_TEXT)),
        lambda c: with_description(c, lambda d: d.update(format=HOSTILE_TEXT)),
    ]
    for change in changes:
        path.write_bytes(change(good))
        assert run(["sample", str(path), "-o", str(tmp_path / "out")]) == 4
        assert harmless(capsys.readouterr().err)


def harmless(text: str) -> bool:
    """Nothing that a terminal acts on: no control character but the newline, no change of direction."""
    return all(letter == "\n" or letter.isprintable() for letter in text)


def test_M12_a_mutated_file_is_refused_or_works(good: bytes, tmp_path: Path) -> None:
    """A hundred thousand are read by `test_long.py`."""
    outcomes = read_mutations(good, tmp_path, 2000)
    assert outcomes.others == []
    assert outcomes.steering == 0, "an error carries what steers a terminal"
    assert min(outcomes.refused, outcomes.read) > 200, "both happen often, so both are tested"


def test_the_smallest_and_another_family_are_read_as_well(tmp_path: Path) -> None:
    for family in (TINY, Mlp(latent=1, generator_widths=(), discriminator_widths=())):
        path = tiny_model_file(tmp_path / "model.safetensors", family=family)
        assert Model.load(path).family == tiny_contents(family).family


def in_child(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "facts", [{"training": "x"}, {"data": "x"}, {"data": {"records": "x"}}, {"training": {"steps": None}}]
)
def test_M11_odd_facts_are_refused_by_inspect(facts: dict[str, object], tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    contents = tiny_contents()
    write_model(path, dataclasses.replace(contents, facts=facts))
    assert run(["inspect", str(path)]) == 4
