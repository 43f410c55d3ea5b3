"""Tables of numbers in a .csv file."""

from __future__ import annotations

import csv
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np

from ganwright.core.errors import DataError

MISSING = frozenset({"", "na", "n/a", "nan", "null", "none"})


@dataclass(frozen=True)
class NumberTable:
    """What a file held."""

    values: np.ndarray
    """float64 (N, D); NaN where a cell was empty."""
    columns: tuple[str, ...]
    """The names in the first line; empty where it held numbers already."""
    notes: list[str]


def read_numbers(path: Path) -> NumberTable:
    """The table in a file with commas between cells, UTF-8, whose first line may name the columns.

    Raises:
        DataError: a cell that is no number, lines of several lengths, nothing in it, or not such a file at all.
    """
    try:
        # The "-sig" takes away the mark that spreadsheet programs put first.
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _parsed(path, csv.reader(file, strict=True))
    except UnicodeDecodeError as error:
        hints = ("save it as UTF-8",)
        raise DataError("E-DATA-03", f"{path} is no UTF-8 text", why=error.reason, hints=hints) from None
    except (OSError, csv.Error) as error:
        raise DataError("E-DATA-03", f"cannot read {path}", why=str(error)) from None
    except MemoryError:
        raise DataError("E-DATA-03", f"{path} does not fit into memory") from None


def _parsed(path: Path, reader: Iterator[list[str]]) -> NumberTable:
    first = next((row for row in reader if row), None)
    if first is None:
        raise DataError("E-DATA-03", f"nothing is in {path}")
    if len(first) == 1 and any(mark in first[0] for mark in ";\t|"):
        hints = ("separate the columns by commas",)
        raise DataError("E-DATA-03", f"{path} has only one column, {first[0][:60]!r}", hints=hints)
    named = _are_names(first)
    columns = tuple(cell.strip() for cell in first) if named else ()
    values = array("d")
    for row in reader if named else chain([first], reader):
        if not row:
            continue
        if len(row) != len(first):
            what = f"{path} has lines of several lengths"
            why = f"line {reader.line_num} has {len(row)} cells, the first has {len(first)}"  # type: ignore[attr-defined]
            raise DataError("E-DATA-03", what, why=why)
        try:
            values.extend(map(float, row))
        except ValueError:
            del values[len(values) - len(values) % len(first) :]
            line: int = reader.line_num  # type: ignore[attr-defined]
            values.extend(_number(path, cell, columns[i] if named else f"{i + 1}", line) for i, cell in enumerate(row))
    if not values:
        raise DataError("E-DATA-03", f"{path} has no rows below the names of its columns")
    table = np.frombuffer(values, np.float64).reshape(-1, len(first))
    if not named:
        return NumberTable(table, (), ["the first line holds numbers: the columns have no names"])
    # What a DataFrame's `to_csv` writes unless told otherwise: the rows' numbers, in a column without a name.
    if len(columns) > 1 and not columns[0] and (table[:, 0] == np.arange(len(table))).all():
        note = "the first column left out: it has no name and only counts the rows"
        return NumberTable(table[:, 1:], columns[1:], [note])
    return NumberTable(table, columns, [])


def _are_names(cells: list[str]) -> bool:
    """Whether the first line names the columns; names may be the numbers 0, 1, 2, ... as a DataFrame's are."""
    return (len(cells) > 1 and cells == [str(i) for i in range(len(cells))]) or not all(map(_is_number, cells))


def _is_number(cell: str) -> bool:
    try:
        float(cell)
        return True
    except ValueError:
        return False


def _number(path: Path, cell: str, column: str, line: int) -> float:
    if cell.strip().lower() in MISSING:
        return float("nan")
    try:
        return float(cell)
    except ValueError:
        where = f"line {line}, column {column or 'without a name'}"
        hints = ("leave this column out; tables with text or categories are not possible yet",)
        what = f"{path} holds text: {cell[:60]!r}"
        raise DataError("E-DATA-04", what, where=where, hints=hints) from None
