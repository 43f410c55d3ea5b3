"""M8 and M9 for networks that are stored as text: a stranger's file asks for absurd or foreign layers."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from support import image_spec, safetensors_bytes, taken_apart, tiny_contents

from ganwright.core.errors import ModelFileError
from ganwright.model.model import Model
from ganwright.model.model_file import write_model
from ganwright.networks.layered import Layered


@pytest.fixture
def content(tmp_path: Path) -> bytes:
    """A good file of a network of layers."""
    path = tmp_path / "good.safetensors"
    write_model(path, tiny_contents(Layered.example(image_spec(8, 8, 1))))
    assert Model.load(path).tensor(2).shape == (2, 1, 8, 8)
    return path.read_bytes()


def changed(content: bytes, old: str, new: str) -> bytes:
    header, data = taken_apart(content)
    facts = header["__metadata__"]["ganwright"]
    assert old in facts
    header["__metadata__"]["ganwright"] = facts.replace(old, new)
    return safetensors_bytes(header, data)


HOSTILE = {
    "M8 a layer of 10**12 neurons": ("layers.Dense(16)", "layers.Dense(1000000 * 1000000)"),
    "M8 a huge record between two small layers": ("layers.LeakyReLU(alpha=0.2)", "layers.RepeatVector(1000000000)"),
    "M8 arithmetic that explodes": ("layers.Dense(16)", "layers.Dense(9 ** 9 ** 9)"),
    "M8 an endless number": ("layers.Dense(16)", f"layers.Dense({'9' * 900})"),
    "M8 nesting without end": ("layers.Dense(16)", "layers.Dense(" + "(" * 400 + "16" + ")" * 400 + ")"),
    "M8 another width than the weights have": ("layers.Dense(16)", "layers.Dense(17)"),
    "M9 a module of Python": ("layers.Dense(16)", "os.system('touch canary')"),
    "M9 an import": ("layers.Dense(16)", "__import__('os').system('touch canary')"),
    "M9 code in a layer": ("layers.LeakyReLU(alpha=0.2)", "layers.Lambda(lambda x: open('canary', 'w'))"),
    "M9 code in an argument": ("layers.Dense(16)", "layers.Dense(open('canary', 'w').write('x'))"),
    "M9 a path": ("layers.LeakyReLU(alpha=0.2)", "layers.TFSMLayer('/tmp/model')"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_layers_are_refused_quickly_and_run_nothing(
    name: str, content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "bad.safetensors"
    path.write_bytes(changed(content, *HOSTILE[name]))
    began = time.process_time()
    with pytest.raises(ModelFileError) as caught:
        Model.load(path)
    assert time.process_time() - began < 2
    assert len(str(caught.value).splitlines()) <= 6
    assert not (tmp_path / "canary").exists()


def test_too_many_rows_are_refused(content: bytes, tmp_path: Path) -> None:
    header, data = taken_apart(content)
    facts = json.loads(header["__metadata__"]["ganwright"])
    facts["network"]["generator_layers"]["rows"] = ["layers.Dense(8, input_dim=8)"] * 5000
    header["__metadata__"]["ganwright"] = json.dumps(facts)
    path = tmp_path / "bad.safetensors"
    path.write_bytes(safetensors_bytes(header, data))
    with pytest.raises(ModelFileError, match="at most 512 rows"):
        Model.load(path)


@pytest.mark.parametrize("rows", [[], [3], "layers.Dense(3)", [["a", "layers.Dense(3)"]], [None], {"rows": []}])
def test_rows_of_another_form_are_refused(rows: object, content: bytes, tmp_path: Path) -> None:
    header, data = taken_apart(content)
    facts = json.loads(header["__metadata__"]["ganwright"])
    facts["network"]["generator_layers"]["rows"] = rows
    header["__metadata__"]["ganwright"] = json.dumps(facts)
    path = tmp_path / "bad.safetensors"
    path.write_bytes(safetensors_bytes(header, data))
    with pytest.raises(ModelFileError):
        Model.load(path)


def test_an_own_pair_in_a_strangers_file_names_nothing_that_is_loaded(content: bytes, tmp_path: Path) -> None:
    header, data = taken_apart(content)
    facts = json.loads(header["__metadata__"]["ganwright"])
    facts["network"] = {"name": "own os.system", "generator": "os.system('touch canary')", "latent": [8]}
    header["__metadata__"]["ganwright"] = json.dumps(facts)
    path = tmp_path / "bad.safetensors"
    path.write_bytes(safetensors_bytes(header, data))
    with pytest.raises(ModelFileError, match="its author's own networks") as caught:
        Model.load(path)
    assert "os.system" not in str(caught.value)
