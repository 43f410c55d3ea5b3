"""Cells of a table as text for people."""

from __future__ import annotations

import numpy as np

from ganwright.core.text import printable

MISSING = "(missing)"


def cell_text(value: float | str | None, kind: str) -> str:
    """A value of `TableRows` in a column of that kind."""
    if value is None or value != value:
        return MISSING
    if isinstance(value, str):
        return printable(value) or '""'
    if kind == "date":
        return str(np.datetime64(int(value), "us").astype("datetime64[s]")).replace("T", " ").removesuffix(" 00:00:00")
    if value == round(value) and abs(value) < 1e15:
        return f"{value:.0f}"
    return f"{value:.6g}"
