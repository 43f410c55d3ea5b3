"""A source read piece by piece, in pieces that fit into memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ganwright.data.record import Record
from ganwright.data.series.spans import Spans
from ganwright.data.sources.base import Source
from ganwright.data.tables.cells import Cells

FIRST_RECORDS = 16
MOST_RECORDS = 4096
MOST_ROWS = 16_384
"""Rows of a table, which are no objects each."""
CHUNK_BYTES = 64 << 20


def chunks(source: Source) -> Iterator[Sequence[Record]]:
    """All records in order, in lists of growing length whose payloads stay near CHUNK_BYTES together."""
    start, count = 0, FIRST_RECORDS
    while start < len(source):
        records = source.read(start, start + count)
        start += count
        yield records
        fitting = CHUNK_BYTES * count // max(_size(records), 1)
        most = MOST_ROWS if isinstance(records, Cells) else MOST_RECORDS
        count = max(1, min(fitting, count * 4, most))


def _size(records: Sequence[Record]) -> int:
    """Bytes of all payloads."""
    if isinstance(records, Cells | Spans):
        return records.nbytes
    return sum(
        record.payload.nbytes if isinstance(record.payload, np.ndarray) else len(record.payload) for record in records
    )
