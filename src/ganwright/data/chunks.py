"""A source read piece by piece, in pieces that fit into memory."""

from __future__ import annotations

from collections.abc import Iterator

from ganwright.data.record import Record
from ganwright.data.sources.base import Source

FIRST_RECORDS = 16
MOST_RECORDS = 4096
CHUNK_BYTES = 64 << 20


def chunks(source: Source) -> Iterator[list[Record]]:
    """All records in order, in lists of growing length whose payloads stay near CHUNK_BYTES together."""
    start, count = 0, FIRST_RECORDS
    while start < len(source):
        records = source.read(start, start + count)
        start += count
        yield records
        size = sum(len(record.payload) if isinstance(record.payload, bytes) else record.payload.nbytes for record in records)
        fitting = CHUNK_BYTES * count // max(size, 1)
        count = max(1, min(fitting, count * 4, MOST_RECORDS))
