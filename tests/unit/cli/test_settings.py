"""Settings on the command line."""

from __future__ import annotations

from typing import Any

import pytest

from ganwright.cli.settings import parse_settings
from ganwright.core.errors import UsageError


@pytest.mark.parametrize(
    ("texts", "settings"),
    [
        ([], {}),
        (["loss.name=hinge"], {"loss": {"name": "hinge"}}),
        (["loss=hinge"], {"loss": "hinge"}),
        (["loss=hinge", "loss.margin=2.5"], {"loss": {"name": "hinge", "margin": 2.5}}),
        (["loss.margin=2.5", "loss=hinge"], {"loss": {"name": "hinge", "margin": 2.5}}),
        (["optimizer.learning_rate=1e-3"], {"optimizer": {"learning_rate": 1e-3}}),
        (["batch=64", "network.width = 8"], {"batch": 64, "network": {"width": 8}}),
        (["regularizers=[]"], {"regularizers": []}),
        (['regularizers=[{name="r1", weight=2}]'], {"regularizers": [{"name": "r1", "weight": 2}]}),
        (["regularizers.0.weight=2"], {"regularizers": {"0": {"weight": 2}}}),
        (["a=true", "b=1_000", "c='x=y'", "d=with space"], {"a": True, "b": 1000, "c": "x=y", "d": "with space"}),
    ],
)
def test_texts_become_nested_settings(texts: list[str], settings: dict[str, Any]) -> None:
    assert parse_settings(texts) == settings


@pytest.mark.parametrize("text", ["loss", "=3", "a..b=3", ".a=3"])
def test_what_names_nothing_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="name=value"):
        parse_settings([text])


def test_a_value_has_no_settings_below_it() -> None:
    with pytest.raises(UsageError, match="batch was given a value"):
        parse_settings(["batch=3", "batch.size=4"])
