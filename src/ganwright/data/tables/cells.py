"""Rows of a table, kept column by column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np

from ganwright.data.record import Record
from ganwright.data.tables.text_cells import ColumnCells, CutText, is_array


@dataclass(frozen=True)
class Cells(Sequence[Record]):
    """Some rows of a table: columns of equal length, and a record for each row when one is asked for.

    A column (n,) is text as pieces of a file's bytes, or an array: text or None as objects, or numbers, truth values or
    times as a program held them. A table has too many rows for an object each, so what reads many of them reads columns.
    """

    names: tuple[str, ...]
    """Of the columns."""
    columns: tuple[ColumnCells, ...]
    first: int
    """The number of the first row in its table, from 0."""
    lines: np.ndarray | None = None
    """int64 (n,): where each row begins in its file, from 1."""

    def __len__(self) -> int:
        return len(self.columns[0])

    @overload
    def __getitem__(self, place: int) -> Record: ...
    @overload
    def __getitem__(self, place: slice) -> Cells: ...
    def __getitem__(self, place: int | slice) -> Record | Cells:
        if isinstance(place, slice):
            start, _, step = place.indices(len(self))
            if step != 1:
                raise ValueError("rows are cut in one piece")
            lines = None if self.lines is None else self.lines[place]
            return Cells(self.names, tuple(column[place] for column in self.columns), self.first + start, lines)
        if not -len(self) <= place < len(self):
            raise IndexError(place)
        place %= len(self)
        row = np.empty(len(self.columns), object)
        row[:] = [column[place] for column in self.columns]
        return Record(self.name_of(place), row)

    def taken(self, places: np.ndarray) -> Cells:
        """The rows at `places`, which are then numbered from the first of all."""
        lines = None if self.lines is None else self.lines[places]
        return Cells(self.names, tuple(column[places] for column in self.columns), self.first, lines)

    def name_of(self, place: int) -> str:
        """What a person would call the row at `place`: "line 7" of a file, "row 7" of a table in memory, from 1."""
        if self.lines is not None:
            return f"line {int(self.lines[place])}"
        return f"row {self.first + place + 1}"

    @property
    def nbytes(self) -> int:
        """About how much memory the rows take."""
        return sum(
            column.nbytes + 60 * len(column) * (is_array(column) and column.dtype == object) for column in self.columns
        )

    @classmethod
    def of(cls, records: Sequence[Record], names: Sequence[str] = ()) -> Cells:
        """The rows of records whose payloads are rows (D,), of one length."""
        if isinstance(records, Cells):
            return records
        rows = [record.payload for record in records if isinstance(record.payload, np.ndarray)]
        width = len(rows[0]) if rows else len(names)
        names = tuple(names) if len(names) == width else tuple(f"column {place + 1}" for place in range(width))
        return cls(names, tuple(np.array([row[place] for row in rows]) for place in range(width)), 0)

    @classmethod
    def joined(cls, parts: Sequence[Cells]) -> Cells:
        """Rows of one table, part after part."""
        columns = tuple(_joined(some) for some in zip(*(part.columns for part in parts), strict=True))
        numbered = [part.lines for part in parts if part.lines is not None]
        lines = np.concatenate(numbered) if len(numbered) == len(parts) else None
        return cls(parts[0].names, columns, parts[0].first, lines)


def _joined(parts: Sequence[ColumnCells]) -> ColumnCells:
    cut = [part for part in parts if isinstance(part, CutText)]
    return CutText.joined(cut) if len(cut) == len(parts) else np.concatenate([np.asarray(part) for part in parts])
