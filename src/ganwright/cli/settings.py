"""`--set name=value`: any setting of a run, typed by what the value looks like."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from typing import Any

from ganwright.core.errors import UsageError


def parse_settings(texts: Sequence[str]) -> dict[str, Any]:
    """["loss.name=hinge", "optimizer.learning_rate=1e-3"] as nested settings.

    A value is read as TOML (numbers, true, false, "text", [lists], {tables}), and as a plain word where it is none.

    Raises:
        UsageError: no name, no "=", or a name that is both a value and a table.
    """
    settings: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        path = [part.strip() for part in name.split(".")]
        if not equals or not all(path):
            raise UsageError("E-SET-01", f"--set {text!r} is not of the form name=value", hints=("--set loss.name=hinge",))
        table: dict[str, Any] = settings
        for part in path[:-1]:
            inner: Any = table.setdefault(part, {})
            if isinstance(inner, str):  # `loss=hinge` before `loss.margin=2`
                inner = table[part] = {"name": inner}
            if not isinstance(inner, dict):
                raise UsageError("E-SET-02", f"--set {name}: {part} was given a value of its own")
            table = inner
        read = _value(value.strip())
        if isinstance(table.get(path[-1]), dict) and isinstance(read, str):
            table[path[-1]]["name"] = read
        else:
            table[path[-1]] = read
    return settings


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"] if "\n" not in text else text
    except tomllib.TOMLDecodeError:
        return text
