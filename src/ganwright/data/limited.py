"""A part of a source, spread evenly over it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ganwright.data.record import Record
from ganwright.data.sources.base import Source
from ganwright.data.tables.cells import Cells
from ganwright.data.wrapped import Wrapped


class Limited(Wrapped):
    """`count` records of another source at even distances, so that every folder and class gets its share."""

    def __init__(self, source: Source, count: int) -> None:
        super().__init__(source)
        self.notes = [*source.notes, f"{count:,} of {len(source):,} records taken, evenly spread"]
        self._count = count

    def __len__(self) -> int:
        return self._count

    def read(self, start: int, stop: int) -> Sequence[Record]:
        places = [i * len(self._source) // self._count for i in range(start, min(stop, self._count))]
        # A table is quicker read in one piece than row by row.
        if places and isinstance(first := self._source.read(places[0], places[0] + 1), Cells):
            rows = self._source.read(places[0], places[-1] + 1)
            return rows.taken(np.array(places) - places[0]) if isinstance(rows, Cells) else first
        return [self._source.read(place, place + 1)[0] for place in places]

    def fingerprint(self) -> str:
        return f"{self._source.fingerprint()}-{self._count}"
