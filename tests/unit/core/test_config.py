"""Settings to and from plain values, and what is said of those that do not fit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from ganwright.augment.base import Augmentation
from ganwright.augment.pipeline import Pipeline
from ganwright.core.config import field_docs, from_plain, to_plain
from ganwright.core.errors import UsageError
from ganwright.core.schedule import Schedule
from ganwright.losses.base import Loss
from ganwright.losses.hinge import Hinge
from ganwright.losses.least_squares import LeastSquares


@dataclass(frozen=True)
class Inner:
    """Settings within settings."""

    rate: float = 0.5
    """How fast."""
    mode: Literal["slow", "fast"] = "slow"
    """How."""


@dataclass(frozen=True)
class Outer:
    """One field of every kind."""

    loss: Loss
    """A part."""
    inner: Inner = Inner()
    """A dataclass."""
    size: tuple[int, int] | int | None = None
    """A pair, a number or nothing."""
    losses: tuple[Loss, ...] = ()
    """Many parts."""
    words: dict[str, int] = field(default_factory=dict[str, int])
    """A table."""
    on: bool = False
    """A switch."""


FULL = Outer(Hinge(margin=2.0), Inner(0.25, "fast"), (3, 4), (LeastSquares(), Hinge()), {"a": 1}, True)


def test_everything_comes_back() -> None:
    assert from_plain(Outer, to_plain(FULL)) == FULL
    assert from_plain(Outer, to_plain(Outer(Hinge()))) == Outer(Hinge())
    assert to_plain(Outer(Hinge(), size=5))["size"] == 5


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"inner": {"rte": 1.0}}, "inner.rte"),
        ({"inner": {"rate": "quick"}}, "inner.rate"),
        ({"inner": {"rate": True}}, "inner.rate"),
        ({"inner": {"mode": "medium"}}, "inner.mode"),
        ({"inner": 5}, "inner"),
        ({"losses": [{"name": "hinge"}, {"name": "hinge", "margn": 1}]}, "losses[1].margn"),
        ({"losses": "hinge"}, "losses"),
        ({"loss": {"margin": 1.0}}, "loss needs a name"),
        ({"loss": {"name": ["hinge"]}}, "loss.name"),
        ({"loss": {"name": 5}}, "loss.name"),
        ({"words": {"a": "b"}}, "words.a"),
        ({"size": [1, 2, 3]}, "size"),
        ({"on": 1}, "on"),
        ({"off": True}, "off"),
    ],
)
def test_what_does_not_fit_is_named(change: dict[str, Any], named: str) -> None:
    with pytest.raises(UsageError) as caught:
        from_plain(Outer, {**to_plain(FULL), **change})
    assert named in caught.value.what


def test_the_nearest_setting_is_suggested() -> None:
    with pytest.raises(UsageError) as caught:
        from_plain(Outer, {**to_plain(FULL), "inner": {"rte": 1.0}})
    assert caught.value.hints[0] == "did you mean rate?"


def test_a_whole_number_may_stand_for_a_float_but_not_the_other_way_round() -> None:
    assert from_plain(float, 3) == 3.0
    assert isinstance(from_plain(float, 3), float)
    with pytest.raises(UsageError):
        from_plain(int, 3.0)


def test_a_missing_setting_without_a_default_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="loss"):
        from_plain(Outer, {})


def test_what_toml_cannot_hold_is_a_mistake_of_ours() -> None:
    with pytest.raises(TypeError, match="set"):
        to_plain({"a": {1, 2}})


def test_the_string_below_a_field_is_its_documentation() -> None:
    assert field_docs(Inner) == {"rate": "How fast.", "mode": "How."}

    @dataclass(frozen=True)
    class Heir(Inner):
        more: int = 1
        """Of it."""

    assert field_docs(Heir) == {"rate": "How fast.", "mode": "How.", "more": "Of it."}


def test_objects_that_are_parts_already_stay_what_they_are() -> None:
    part, schedule = Pipeline(hue=0.5), Schedule(0.0, 0.3)
    assert from_plain(tuple[Augmentation, ...], [part, "flip"], "")[0] is part
    assert from_plain(float | Schedule, schedule, "") is schedule
