"""Parts found by name, our own and other packages'."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest

from ganwright.core import registry as registry_module
from ganwright.core.config import from_plain, to_plain
from ganwright.core.errors import UsageError
from ganwright.core.registry import Registry, camel_case
from ganwright.losses.base import Loss
from ganwright.losses.hinge import Hinge


@dataclass(frozen=True)
class Cubic(Loss):
    """A loss of another package."""

    power: int = 3
    """Of the logits."""

    def discriminator(self, real_logits: Any, fake_logits: Any) -> Any:
        return fake_logits**self.power - real_logits**self.power

    def generator(self, real_logits: Any, fake_logits: Any) -> Any:
        return -(fake_logits**self.power)


@dataclass
class FakeEntryPoint:
    """As importlib.metadata gives it; counts how often it is loaded."""

    name: str
    loads: int = 0

    def load(self) -> type[Loss]:
        self.loads += 1
        return Cubic


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch) -> FakeEntryPoint:
    point = FakeEntryPoint("my_cubic")
    monkeypatch.setattr(registry_module, "entry_points", lambda group: [point] if group == "ganwright.losses" else [])
    return point


@pytest.fixture
def losses(plugin: FakeEntryPoint, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """The registry of losses as a process would see it in which the plugin is installed."""
    registry = Registry("loss", "ganwright.losses", aliases={"cross_entropy": "non_saturating"})
    monkeypatch.setattr(Loss, "registry", registry)
    return registry


def test_a_plugin_is_listed_without_being_loaded(losses: Registry, plugin: FakeEntryPoint) -> None:
    assert "my_cubic" in losses.names()
    assert "hinge" in losses.names()
    assert list(losses) == sorted(losses)
    assert plugin.loads == 0


def test_a_plugin_is_found_by_name_and_by_its_class(losses: Registry) -> None:
    assert losses.get("my_cubic") is Cubic
    assert losses.name_of(Cubic(power=5)) == "my_cubic"
    assert losses.name_of(Hinge()) == "hinge"


def test_settings_of_a_plugin_come_back_from_plain_values(losses: Registry) -> None:
    plain = to_plain(Cubic(power=5))
    assert plain == {"name": "my_cubic", "power": 5}
    assert from_plain(Loss, plain) == Cubic(power=5)


def test_a_plugin_of_another_kind_is_not_listed(plugin: FakeEntryPoint) -> None:
    assert "my_cubic" not in Registry("network", "ganwright.networks").names()


def test_a_plugin_does_not_replace_a_part_of_ours(losses: Registry, plugin: FakeEntryPoint) -> None:
    plugin.name = "hinge"
    assert losses.get("hinge") is Hinge
    assert losses.names().count("hinge") == 1


def test_a_class_that_is_not_registered_is_told_of_as_the_users_own() -> None:
    registry = Registry("loss", "ganwright.losses")
    assert registry.name_of(Cubic()) == "own Cubic"
    with pytest.raises(UsageError, match="unknown loss 'own Cubic'"):
        registry.get("own Cubic")


def test_an_alias_is_understood_and_suggested(losses: Registry) -> None:
    assert losses.get("cross_entropy").__name__ == "NonSaturating"
    with pytest.raises(UsageError) as caught:
        losses.get("cross_entropi")
    assert caught.value.hints[0] == "did you mean cross_entropy?"


def test_a_name_with_dots_or_slashes_imports_nothing(losses: Registry) -> None:
    for name in ("..core.errors", "os.path", "base", "registry", "__init__", "../hinge", ""):
        with pytest.raises(UsageError):
            losses.get(name)


def test_variants_lie_in_the_file_of_their_base_and_are_listed_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    imported: list[str] = []

    def imports(name: str) -> Any:
        imported.append(name)
        return SimpleNamespace(hinge="the base", hinge_wide="the variant")

    monkeypatch.setattr(registry_module.importlib, "import_module", imports)
    registry = Registry("loss", "ganwright.losses", functions=True, variants={"hinge": ("wide",)})
    assert {"hinge", "hinge-wide"} <= set(registry.names())
    assert imported == []
    assert registry.get("hinge-wide") == "the variant"
    assert registry.get("hinge") == "the base"
    assert set(imported) == {"ganwright.losses.hinge"}
    with pytest.raises(UsageError) as caught:
        registry.get("hinge-wild")
    assert caught.value.hints[0] == "did you mean hinge-wide?"


def test_file_names_become_class_names() -> None:
    assert camel_case("least_squares") == "LeastSquares"
    assert camel_case("r1") == "R1"
