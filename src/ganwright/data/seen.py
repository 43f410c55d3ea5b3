"""A source of which something is remembered from the first look, so that it is not read and decoded a second time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ganwright.data.record import Record
from ganwright.data.sources.base import Source
from ganwright.data.wrapped import Wrapped

MOST_BYTES = 256 << 20
"""Of what is remembered; what comes later is read again."""


class Seen(Wrapped):
    """Another source, until a record is remembered: then it comes back as it was remembered."""

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self._remembered: dict[int, Record] = {}
        self._bytes = 0

    def remember(self, place: int, record: Record) -> bool:
        """Gives back `record` as number `place` from now on: the same, with its payload decoded (an array), or its fault."""
        assert record.fault or isinstance(record.payload, np.ndarray)
        size = record.payload.nbytes if isinstance(record.payload, np.ndarray) else 0
        has_room = self._bytes + size <= MOST_BYTES
        if has_room:
            self._bytes += size
            self._remembered[place] = record
        return has_room

    def forget(self) -> None:
        """Reads everything again, after all."""
        self._remembered.clear()
        self._bytes = 0

    def read(self, start: int, stop: int) -> Sequence[Record]:
        stop = min(stop, len(self))
        if self._remembered.keys().isdisjoint(range(start, stop)):
            return self._source.read(start, stop)
        # Between what is remembered lies what was damaged or of another kind.
        return [self._remembered.get(place) or self._source.read(place, place + 1)[0] for place in range(start, stop)]
