"""Tables that a program holds: DataFrames, structured arrays, arrays of objects."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from ganwright.core.errors import DataError
from ganwright.core.text import printable
from ganwright.data.tables.cells import Cells
from ganwright.data.tables.columns import Column, WordColumn
from ganwright.data.tables.forms import form_of, in_forms
from ganwright.data.tables.numbers_in_text import LARGEST_EXACT

NO_FORMS: Mapping[str, str] = MappingProxyType({})


class FrameTable:
    """Columns in memory."""

    def __init__(self, columns: dict[str, np.ndarray]) -> None:
        self.names = tuple(columns)
        self.notes: list[str] = []
        self.forms: dict[str, str] = {}
        """The pandas types of columns that samples should have again."""
        self._columns = tuple(columns.values())

    @classmethod
    def of_frame(cls, frame: Any) -> FrameTable:
        """A pandas DataFrame; its index is left out, and names that come twice are told apart."""
        columns: dict[str, np.ndarray] = {}
        forms: dict[str, str] = {}
        renamed: list[str] = []
        for place, name in enumerate(map(str, frame.columns)):
            found, number = name, 2
            while found in columns:
                found, number = f"{name} ({number})", number + 1
            if found != name:
                renamed.append(f"{printable(name, 40)!r} is now {printable(found, 40)!r}")
            columns[found] = _column(frame.iloc[:, place])
            if form := form_of(frame.iloc[:, place]):
                forms[found] = form
        table = cls(columns)
        table.forms = forms
        if renamed:
            table.notes.append(f"columns whose name comes twice: {', '.join(renamed)}")
        return table

    @classmethod
    def of_array(cls, array: np.ndarray) -> FrameTable:
        """A structured array (N,), or objects, text or numbers (N, D) whose columns have no names."""
        if array.dtype.names:
            nested = [name for name in array.dtype.names if array[name].ndim > 1 or array.dtype[name].names]
            if nested or array.ndim != 1:
                why = f"field {nested[0]!r} holds more than one value" if nested else f"an array of shape {array.shape}"
                raise DataError("E-DATA-04", "a structured array must be a list of rows of plain values", why=why)
            return cls({name: _plain(array[name]) for name in array.dtype.names})
        return cls({f"column {place + 1}": _plain(array[:, place]) for place in range(array.shape[1])})

    def __len__(self) -> int:
        return len(self._columns[0]) if self._columns else 0

    def read(self, start: int, stop: int) -> Cells:
        """Rows start..stop-1."""
        return Cells(self.names, tuple(column[start:stop] for column in self._columns), start)


def _column(series: Any) -> np.ndarray:
    """A column in the plainest NumPy type that holds all of it."""
    kind = getattr(series.dtype, "kind", "O")
    name = str(series.dtype)
    if name.startswith("datetime64"):
        if getattr(series.dt, "tz", None) is not None:
            series = series.dt.tz_convert("UTC").dt.tz_localize(None)
        return series.to_numpy("datetime64[us]")
    if kind == "b" and not series.isna().any():
        return series.to_numpy(bool)
    if kind in "iuf":
        numbers = series.to_numpy(np.float64, na_value=np.nan)
        if kind == "f" or not (np.abs(numbers) > LARGEST_EXACT).any():
            return numbers
    # Whole numbers that float64 does not hold stay as text.
    return series.astype(object).to_numpy(object)


def _plain(column: np.ndarray) -> np.ndarray:
    if column.dtype.kind == "S":
        cells = [cell.decode("utf-8", "replace") for cell in column.tolist()]
    elif column.dtype.kind in "iu" and len(column) and max(abs(int(column.min())), int(column.max())) > LARGEST_EXACT:
        cells = column.tolist()
    elif column.dtype.kind in "iufbMO":
        return column
    else:
        cells = column.tolist()
    found = np.empty(len(column), object)
    found[:] = cells
    return found


def as_frame(columns: Mapping[str, Column], natural: Mapping[str, np.ndarray], forms: Mapping[str, str] = NO_FORMS) -> Any:
    """A DataFrame of natural values: whole numbers as such, also beside missing ones, and truth values as such.

    Args:
        forms: the pandas types that columns are to have, where they fit.
    """
    import pandas as pd

    frame: dict[str, Any] = {}
    for name, values in natural.items():
        column = columns[name]
        if column.kind == "whole":
            missing = np.isnan(values)
            whole = np.where(missing, 0, values).astype(np.int64)
            frame[name] = pd.array(whole, dtype="Int64") if missing.any() else whole
            if missing.any():
                frame[name][missing] = pd.NA
        elif isinstance(column, WordColumn) and column.truth:
            truth = np.array([None if word is None else word == "True" for word in values.tolist()], object)
            frame[name] = truth.astype(bool) if not column.missing else truth
        else:
            frame[name] = values
    words = {name: (*column.levels, *column.rare) for name, column in columns.items() if isinstance(column, WordColumn)}
    return in_forms(pd.DataFrame(frame), {name: form for name, form in forms.items() if name in natural}, words)
