"""One record as a source delivers it: bytes or numbers, not yet understood."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ganwright.data.picture_names import printable

Value = str | tuple[str, ...]
"""What is known of a record: a word or a number as text, "" for nothing; or all the labels that it has."""


@dataclass(frozen=True)
class Record:
    """What lies at one place of a source."""

    name: str
    """Where it came from, as a person would say it: "cats/001.jpg", "row 7"."""
    payload: bytes | np.ndarray | str
    """An encoded file, an array such as (H, W) or (H, W, C), or a text."""
    conditions: Mapping[str, Value] = field(default_factory=dict)
    """Known facts by name: {"label": "tabby", "age": "31", "tags": ("glasses", "hat")}."""
    fault: str = ""
    """Why it could not be read; then the payload is empty."""


@dataclass(frozen=True)
class Skipped:
    """A record, or something beside the records, that is left out."""

    name: str
    reason: str
    """A few words that group well: "damaged picture", "not a picture (.txt)"."""


def value_of(value: Any) -> Value:
    """A value of JSON, or one that a program holds, as records have it: text, or all labels of a list."""
    if value is None:
        return ""
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, str):
        return printable(value.strip())
    if isinstance(value, list | tuple | set | np.ndarray):
        items = sorted(value, key=str) if isinstance(value, set) else list(value)
        if items and all(isinstance(item, bool | int | float | np.number | np.bool_) for item in items):
            # One number for each label.
            return tuple(str(place) for place, item in enumerate(items) if item > 0)
        return tuple(word for item in items if (word := value_of(item)) and isinstance(word, str))
    if isinstance(value, dict):
        return ""
    number = value.item() if isinstance(value, np.generic) else value
    if isinstance(number, float) and number.is_integer() and abs(number) < 1e15:
        number = int(number)
    return printable(str(number))
