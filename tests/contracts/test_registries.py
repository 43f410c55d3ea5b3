"""What holds for every interchangeable part, whoever wrote it: a new file in a registry's folder is tested from here."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import tomllib
import types
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest
import tomli_w
from support import image_spec

from ganwright.augment.base import AUGMENTATIONS
from ganwright.core.config import Part, field_docs, from_plain, to_plain
from ganwright.core.errors import UsageError
from ganwright.core.registry import Registry
from ganwright.data.modalities.base import MODALITIES
from ganwright.data.sources.base import SOURCES, Source
from ganwright.features.base import FEATURES
from ganwright.losses.base import LOSSES
from ganwright.metrics.base import METRICS
from ganwright.networks.base import NETWORKS
from ganwright.optimizers.base import OPTIMIZERS
from ganwright.recipes.registry import RECIPES
from ganwright.regularizers.base import REGULARIZERS
from ganwright.training.config import TrainConfig

REGISTRIES = [LOSSES, OPTIMIZERS, REGULARIZERS, NETWORKS, AUGMENTATIONS, SOURCES, MODALITIES, METRICS, FEATURES, RECIPES]
OF_PARTS = [LOSSES, OPTIMIZERS, REGULARIZERS, NETWORKS, AUGMENTATIONS, MODALITIES, METRICS, FEATURES]

every_registry = pytest.mark.parametrize("registry", REGISTRIES, ids=lambda registry: registry.kind)
every_entry = pytest.mark.parametrize(
    ("registry", "name"), [pytest.param(r, name, id=f"{r.kind}-{name}") for r in REGISTRIES for name in r]
)
every_part = pytest.mark.parametrize(
    ("registry", "name"), [pytest.param(r, name, id=f"{r.kind}-{name}") for r in OF_PARTS for name in r]
)


@every_registry
def test_a_registry_is_not_empty(registry: Registry) -> None:
    assert registry.names()


@every_entry
def test_every_name_resolves(registry: Registry, name: str) -> None:
    found = registry.get(name)
    assert callable(found)
    assert found.__doc__, f"{name} says nothing of itself"
    if not registry.functions:
        assert registry.name_of(found) == name


@every_registry
def test_every_alias_leads_to_a_part(registry: Registry) -> None:
    for alias, name in registry.aliases.items():
        assert registry.get(alias) is registry.get(name)
        assert alias not in registry.names()


@every_registry
def test_an_unknown_name_is_told_of_with_the_nearest(registry: Registry) -> None:
    known = registry.names()[-1]
    with pytest.raises(UsageError) as caught:
        registry.get(known + "x")
    assert any("did you mean" in hint for hint in caught.value.hints)
    assert known in " ".join(caught.value.hints)
    assert registry.kind in caught.value.what


@pytest.mark.parametrize("name", SOURCES.names())
def test_a_source_is_a_source_and_says_what_it_opens(name: str) -> None:
    kind = SOURCES.get(name)
    assert issubclass(kind, Source)
    assert kind.can_open(object()) is False


@every_part
def test_a_part_is_a_frozen_dataclass(registry: Registry, name: str) -> None:
    kind = registry.get(name)
    assert issubclass(kind, Part)
    assert kind.registry is registry
    assert dataclasses.is_dataclass(kind)
    assert "__dataclass_params__" in vars(kind), f"{name} inherits its dataclass; decorate it itself"
    assert kind.__dataclass_params__.frozen  # type: ignore[attr-defined]


@every_part
def test_every_setting_is_explained(registry: Registry, name: str) -> None:
    kind = registry.get(name)
    docs = field_docs(kind)
    for field in dataclasses.fields(kind):
        assert docs.get(field.name), f"{name}.{field.name} has no string below it"


@pytest.mark.parametrize("kind", [TrainConfig], ids=lambda kind: kind.__name__)
def test_every_setting_of_a_run_is_explained(kind: type) -> None:
    docs = field_docs(kind)
    assert {field.name for field in dataclasses.fields(kind)} == set(docs)


@every_part
def test_default_settings_come_back_from_plain_values(registry: Registry, name: str) -> None:
    part = example_of(registry, name)
    plain = to_plain(part)
    assert plain["name"] == name
    assert from_plain(base_of(registry), plain) == part


@every_part
def test_default_settings_come_back_from_a_toml_file(registry: Registry, name: str) -> None:
    part = example_of(registry, name)
    text = tomli_w.dumps({"part": to_plain(part)})
    assert from_plain(base_of(registry), tomllib.loads(text)["part"]) == part


@every_part
def test_a_name_alone_stands_for_the_defaults(registry: Registry, name: str) -> None:
    kind = registry.get(name)
    needed = [field.name for field in dataclasses.fields(kind) if field.default is dataclasses.MISSING]
    if needed:
        with pytest.raises(UsageError, match=needed[0]):
            from_plain(base_of(registry), name, "part")
    else:
        assert from_plain(base_of(registry), name) == kind()


@every_part
def test_settings_fit_what_plain_values_can_say(registry: Registry, name: str) -> None:
    """A field called "name" would hide the part's own; None is left out, so where allowed it must be the default."""
    kind = registry.get(name)
    hints = get_type_hints(kind)
    for field in dataclasses.fields(kind):
        assert field.name != "name"
        optional = get_origin(hints[field.name]) in (Union, types.UnionType) and type(None) in get_args(hints[field.name])
        assert not optional or field.default is None


@every_part
def test_an_unknown_setting_is_told_of_with_the_nearest(registry: Registry, name: str) -> None:
    fields = [field.name for field in dataclasses.fields(registry.get(name))]
    wrong = fields[0] + "x" if fields else "nothing"
    with pytest.raises(UsageError) as caught:
        from_plain(base_of(registry), {"name": name, wrong: 1}, "part")
    assert f"part.{wrong}" in caught.value.what
    assert not fields or f"did you mean {fields[0]}?" in caught.value.hints


@every_part
def test_a_setting_of_another_type_is_told_of_by_name(registry: Registry, name: str) -> None:
    for field in dataclasses.fields(registry.get(name)):
        with pytest.raises(UsageError) as caught:
            from_plain(base_of(registry), {"name": name, field.name: {"no": ["such"]}}, "part")
        assert f"part.{field.name}" in caught.value.what


@pytest.mark.parametrize("package", [registry.package for registry in REGISTRIES])
def test_listing_names_imports_no_torch(package: str) -> None:
    program = (
        "import sys\n"
        "from ganwright.core.registry import Registry\n"
        f"print(*Registry('part', {package!r}).names())\n"
        "assert not {'torch', 'numpy', 'PIL'} & set(sys.modules), 'something heavy was imported'\n"
    )
    names = in_child(program).split()
    registry = next(r for r in REGISTRIES if r.package == package)
    variants = {f"{name}-{variant}" for name, all_of_it in registry.variants.items() for variant in all_of_it}
    assert names == [name for name in registry if name not in variants]


def test_the_lowest_floor_imports_no_torch() -> None:
    program = (
        "import pkgutil, importlib, sys, ganwright.core as core\n"
        "names = [m.name for m in pkgutil.iter_modules(core.__path__)]\n"
        "[importlib.import_module('ganwright.core.' + name) for name in names]\n"
        "assert not {'torch', 'numpy', 'PIL'} & set(sys.modules), 'something heavy was imported'\n"
        "print(*names)\n"
    )
    assert {"registry", "config", "errors"} <= set(in_child(program).split())


def example_of(registry: Registry, name: str) -> Any:
    """The part with settings of its own choice where it has no defaults, as networks of given layers have none."""
    kind = registry.get(name)
    return kind.example(image_spec(8, 8, 1)) if registry is NETWORKS else kind()


def base_of(registry: Registry) -> Any:
    """The class that all parts of the registry derive from: the one in its base.py."""
    kind = registry.get(registry.names()[0])
    return next(c for c in kind.__mro__ if c.__module__ == f"{registry.package}.base")


def in_child(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
