"""One record as a source delivers it: bytes or numbers, not yet understood."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Record:
    """What lies at one place of a source."""

    name: str
    """Where it came from, as a person would say it: "cats/001.jpg", "row 7"."""
    payload: bytes | np.ndarray
    """An encoded file, or an array such as (H, W) or (H, W, C)."""
    conditions: Mapping[str, str] = field(default_factory=dict)
    """Known facts by name: {"label": "tabby"}."""
    fault: str = ""
    """Why it could not be read; then the payload is empty."""


@dataclass(frozen=True)
class Skipped:
    """A record, or something beside the records, that is left out."""

    name: str
    reason: str
    """A few words that group well: "damaged picture", "not a picture (.txt)"."""
