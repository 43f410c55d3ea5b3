"""Some series of a source: spans of rows of one table, kept column by column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np

from ganwright.data.record import Record
from ganwright.data.tables.cells import Cells


@dataclass(frozen=True)
class Spans(Sequence[Record]):
    """Series i is rows starts[i]..ends[i]-1; spans may lie over each other, as windows do."""

    cells: Cells
    """The table, the rows of a series one after the other."""
    starts: np.ndarray
    """int64 (n,)"""
    ends: np.ndarray
    """int64 (n,)"""
    first: int
    """The number of the first series in its source, from 0."""

    def __len__(self) -> int:
        return len(self.starts)

    @overload
    def __getitem__(self, place: int) -> Record: ...
    @overload
    def __getitem__(self, place: slice) -> Spans: ...
    def __getitem__(self, place: int | slice) -> Record | Spans:
        if isinstance(place, slice):
            begin, _, step = place.indices(len(self))
            if step != 1:
                raise ValueError("series are cut in one piece")
            return Spans(self.cells, self.starts[place], self.ends[place], self.first + begin)
        if not -len(self) <= place < len(self):
            raise IndexError(place)
        place %= len(self)
        rows = self.cells[int(self.starts[place]) : int(self.ends[place])]
        table = np.empty((len(rows), len(rows.names)), object)
        for number, column in enumerate(rows.columns):
            table[:, number] = column.tolist()
        return Record(self.name_of(place), table)

    def name_of(self, place: int) -> str:
        """What a person would call the series at `place`: where it begins."""
        return f"the series from {self.cells.name_of(int(self.starts[place]))}"

    @property
    def nbytes(self) -> int:
        """About how much memory the series take once their numbers are read."""
        return int((self.ends - self.starts).sum()) * len(self.cells.names) * 8
