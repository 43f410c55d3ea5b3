"""Rows of a DataFrame as lines of a file like the one that the data came from."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ganwright.data.tables.columns import Column, FixedColumn, WordColumn
from ganwright.data.tables.formulas import harmless
from ganwright.data.tables.text_cells import is_nothing


@dataclass(frozen=True)
class Style:
    """How rows stand in a file."""

    delimiter: str = ","
    header: bool = True

    def __post_init__(self) -> None:
        if len(self.delimiter) != 1 or self.delimiter in '"\r\n':
            raise ValueError("a delimiter is one character")

    @classmethod
    def of_state(cls, state: Any) -> Style:
        """The style again, from what a file says.

        Raises:
            ValueError: it is none.
        """
        if not isinstance(state, dict) or set(state) != {"delimiter", "header"}:
            raise ValueError("not a style of tables")
        delimiter, header = state["delimiter"], state["header"]
        if not isinstance(delimiter, str) or type(header) is not bool:
            raise ValueError("not a style of tables")
        return cls(delimiter, header)


def write_rows(frame: Any, columns: Mapping[str, Column], style: Style, path: Path, begin: bool) -> None:
    """The rows of a DataFrame added to a file, or to a new one if `begin` is set.

    Words that a spreadsheet program would run as a formula get an apostrophe in front. Columns of the frame that are none
    of `columns`, as new ids are, are written as text.
    """
    with path.open("w" if begin else "a", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=style.delimiter, lineterminator="\n")
        if begin and style.header:
            writer.writerow(map(harmless, map(str, frame.columns)))
        cells = [_written(columns.get(name), frame[name]) for name in frame.columns]
        writer.writerows(zip(*cells, strict=True))


def natural_of(series: Any) -> np.ndarray:
    """A column of a DataFrame as `Column.written` takes it."""
    kind = getattr(series.dtype, "kind", "O")
    if kind == "M":
        return series.to_numpy("datetime64[us]")
    if kind in "iuf":
        return series.to_numpy(np.float64, na_value=np.nan)
    found = np.empty(len(series), object)
    found[:] = [None if is_nothing(value) else value for value in series.astype(object).tolist()]
    return found


def _written(column: Column | None, series: Any) -> list[str]:
    if column is None:
        return [harmless("" if is_nothing(cell) else str(cell)) for cell in series.tolist()]
    cells = column.written(natural_of(series))
    return list(map(harmless, cells)) if isinstance(column, WordColumn | FixedColumn) else cells
