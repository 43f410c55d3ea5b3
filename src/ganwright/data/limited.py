"""A part of a source, spread evenly over it."""

from __future__ import annotations

from ganwright.data.record import Record
from ganwright.data.sources.base import Source


class Limited(Source):
    """`count` records of another source at even distances, so that every folder and class gets its share."""

    def __init__(self, source: Source, count: int) -> None:
        self.name = source.name
        self.place = source.place
        self.columns = source.columns
        self.skipped = source.skipped
        self.notes = [*source.notes, f"{count:,} of {len(source):,} records taken, evenly spread"]
        self._source = source
        self._count = count

    @classmethod
    def can_open(cls, data: object) -> bool:
        return False

    @classmethod
    def open(cls, data: object) -> Limited:
        raise TypeError("a part is made of a source, not opened")

    def __len__(self) -> int:
        return self._count

    def read(self, start: int, stop: int) -> list[Record]:
        places = [i * len(self._source) // self._count for i in range(start, min(stop, self._count))]
        return [self._source.read(place, place + 1)[0] for place in places]

    def close(self) -> None:
        self._source.close()

    def fingerprint(self) -> str:
        return f"{self._source.fingerprint()}-{self._count}"
