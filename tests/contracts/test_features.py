"""What holds for every feature network, and for each that comes to the folder."""

from __future__ import annotations

import ast
import dataclasses
import tomllib
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import tomli_w
import torch
from support import tiny_dataset

from ganwright.core.config import field_docs, from_plain, to_plain
from ganwright.core.errors import UsageError
from ganwright.data.preparation import prepare
from ganwright.features.base import FEATURES, Features
from ganwright.features.self import Self

every_name = pytest.mark.parametrize("name", FEATURES.names())

PACKAGE = "ganwright.features"
OFFLINE = ["random", "self"]
"""Those that need nothing but the data."""


def part(name: str) -> Features:
    """With settings that take no time."""
    return Self(steps=2) if name == "self" else FEATURES.get(name)()


@every_name
def test_it_is_a_frozen_dataclass_that_says_what_it_is(name: str) -> None:
    kind = FEATURES.get(name)
    assert issubclass(kind, Features)
    assert dataclasses.is_dataclass(kind)
    assert FEATURES.name_of(kind) == name
    assert kind.__doc__
    assert vars(kind)["__dataclass_params__"].frozen
    assert {field.name for field in dataclasses.fields(kind)} == set(field_docs(kind))


@every_name
def test_settings_come_back_from_plain_values_and_files(name: str) -> None:
    settings = FEATURES.get(name)()
    plain = to_plain(settings)
    assert plain["name"] == name
    assert from_plain(Features, plain) == settings
    assert from_plain(Features, tomllib.loads(tomli_w.dumps({"part": plain}))["part"]) == settings
    assert from_plain(Features, name) == settings


@every_name
def test_a_leaf_imports_its_base_and_no_sibling(name: str) -> None:
    spec = find_spec(f"{PACKAGE}.{name}")
    assert spec is not None
    assert spec.origin is not None
    imported: set[str] = set()
    for node in ast.walk(ast.parse(Path(spec.origin).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(f"{node.module}")
    assert f"{PACKAGE}.base" in imported
    assert not imported & {PACKAGE, *(f"{PACKAGE}.{other}" for other in FEATURES.names())}


@pytest.mark.parametrize("kind", ["pictures", "rows"])
@pytest.mark.parametrize("name", OFFLINE)
def test_an_extractor_keeps_what_its_base_promises(name: str, kind: str) -> None:
    data = tiny_dataset(20, 12, 9, 3) if kind == "pictures" else prepare(np.random.default_rng(0).normal(size=(20, 5)))
    x = data.codec.expand(data.batch(np.arange(20)))
    before, random_state = x.clone(), torch.get_rng_state()
    network = part(name).extractor(data)
    whole = network.extract([x])
    assert whole.shape == (20, network.dimensions)
    assert whole.dtype == torch.float32
    assert not whole.requires_grad
    assert whole.isfinite().all()
    assert network.identity.startswith(f"{name}-v")
    assert network.about
    torch.testing.assert_close(network.extract(x.flip(0).split(3)), whole.flip(0), rtol=1e-5, atol=1e-5)
    again = part(name).extractor(data)
    assert again.identity == network.identity
    assert torch.equal(again.extract([x]), whole)
    assert torch.equal(x, before)
    assert torch.equal(torch.get_rng_state(), random_state)


@pytest.mark.parametrize("name", [name for name in FEATURES.names() if name not in OFFLINE])
def test_what_is_for_pictures_refuses_rows(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        part(name).extractor(prepare(np.random.default_rng(0).normal(size=(20, 5))))
    assert caught.value.code == "E-FEATURES-01"
    assert "--features self" in str(caught.value)
