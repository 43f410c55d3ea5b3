"""Records that come from an iterable as training asks for them, for data that fit on no disk or have no end."""

from __future__ import annotations

import hashlib
import os
import time
from collections import Counter, deque
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganwright.core.errors import DataError, UsageError
from ganwright.data.batch_reading import BATCHES, Batch, gives_batches, read_batches
from ganwright.data.classes import LABEL
from ganwright.data.dataset import Dataset, codec_digest
from ganwright.data.modalities.base import CLIPPED, Codec, Modality, Progress, no_progress
from ganwright.data.picture_arrays import PictureArray
from ganwright.data.preparation import modality_for
from ganwright.data.record import Record
from ganwright.data.records import records_of
from ganwright.data.report import FEWEST_RECORDS, DataReport, grouped, too_few
from ganwright.data.row_arrays import RowArray
from ganwright.data.sources.base import ArraySource
from ganwright.data.spec import unknown

HEAD_RECORDS = 1024
NOT_FINITE = "value that is not a number"
Columns = dict[str, np.ndarray]


def open_stream(
    data: Any,
    modality: Modality | None = None,
    limit: int | None = None,
    progress: Progress = no_progress,
    head_records: int = HEAD_RECORDS,
) -> Stream:
    """A dataset that reads `data`, an iterable of batches, while it is trained on; nothing is written to disk.

    What the records mean (sizes, ranges, classes) is learned from the first `head_records` of them alone.

    Args:
        modality: what the records mean, with settings; by default the first modality that they look like.
        limit: at most so many records of each pass.

    Raises:
        UsageError: `data` is a path, or something that is in memory already.
        DataError: no batches, or fewer than 4 usable records at their beginning.
    """
    if not gives_batches(data):
        is_path = isinstance(data, str | os.PathLike)
        why = "a path is packed once and then read piece by piece" if is_path else f"a {type(data).__name__} has an end"
        hints = ("leave out stream=True",)
        raise UsageError("E-DATA-07", "only an iterable of batches can be streamed", why=why, hints=hints)
    began = time.monotonic()
    incoming = _Incoming(data, limit)
    first: list[Batch] = []
    read = 0
    while read < head_records and (batch := incoming.next_of_pass()) is not None:
        # A copy, since the memory of a batch may be used for the next one.
        first.append(replace(batch, values=batch.values.copy()))
        read += len(batch.values)
        progress("reading the first records", min(read, head_records), head_records)
    if not first:
        raise DataError("E-DATA-02", "there are no batches in the iterable", where=BATCHES)
    values = np.concatenate([batch.values for batch in first])
    records = records_of(values, BATCHES, channels_first=first[0].channels_first)
    source = _Head("stream", records, [label for batch in first for label in batch.labels or ()], BATCHES)
    modality = modality or modality_for(source)
    codec = modality.fit(source, progress)
    packed = codec.pack(source.read(0, len(source)))
    rows = len(packed.names)
    if rows < FEWEST_RECORDS:
        raise too_few(source, codec.noun, rows, packed.skipped)
    unlike = ["duplicates are not looked for in a stream"] if modality.duplicates == "drop" else []
    report = DataReport(
        name=source.name,
        place="a stream",
        noun=codec.noun,
        found=rows + len(packed.skipped),
        used=rows,
        size=codec.describe() + (f" ({codec.reason})" if codec.reason else ""),
        skipped=grouped(packed.skipped),
        notes=(*source.notes, *codec.notes, *(f"{count:,} {sentence}" for sentence, count in packed.notes.items()), *unlike),
        seconds=time.monotonic() - began,
        streamed=True,
    )
    return Stream(packed.columns, codec, report, _digest(packed.columns, codec), incoming, records)


class Stream(Dataset):
    """Records in the order in which an iterable gives them, begun again when it ends.

    Its columns, and so `len`, `labels`, `some` and `head`, are those of the first records, which also come first in
    `batch`. Values beyond the range that these have are clipped; see `notes`.
    """

    def __init__(
        self,
        columns: Columns,
        codec: Codec,
        report: DataReport,
        fingerprint: str,
        incoming: _Incoming,
        records: PictureArray | RowArray,
    ) -> None:
        super().__init__(columns, codec, report, fingerprint)
        self.skipped: Counter[str] = Counter()
        """How many records after the first ones were left out, by reason."""
        self._incoming = incoming
        incoming.used = len(self)
        self._records = records
        self._counts: Counter[str] = Counter()
        self._waiting = deque([self.columns])
        self._last: Columns = {}

    @property
    def endless(self) -> bool:
        return True

    @property
    def head(self) -> Dataset:
        """The first records, as a dataset of their own."""
        return Dataset(self.columns, self.codec, self.report, self.fingerprint)

    @property
    def notes(self) -> list[str]:
        """What was done to records after the first ones: "12 values beyond the range that was found, clipped to it"."""
        counts = self._counts + Counter({CLIPPED: self._records.clipped})
        skipped = [f"{count:,} records left out: {reason}" for reason, count in self.skipped.most_common()]
        return [f"{count:,} {sentence}" for sentence, count in counts.most_common()] + skipped

    def batch(self, indices: np.ndarray, names: Collection[str] | None = None) -> dict[str, Tensor]:
        """The next len(indices) records; `names` without "x" gives those columns of the batch last given (before the
        first, of the first records), repeated or cut to that length.

        Raises:
            DataError: the iterable has ended and cannot begin again.
        """
        count = len(indices)
        if names is None or "x" in names:
            self._last = self._next(count)
        columns = self._last or self.columns
        places = np.arange(count) % len(columns["x"])
        wanted = [name for name in columns if names is None or name in names]
        return {name: torch.from_numpy(np.take(columns[name], places, axis=0)) for name in wanted}

    def _next(self, count: int) -> Columns:
        pieces = [{name: column[:0] for name, column in self.columns.items()}]
        while count:
            if not self._waiting:
                self._waiting.append(self._packed(self._incoming.next()))
            columns = self._waiting.popleft()
            pieces.append({name: column[:count] for name, column in columns.items()})
            if len(columns["x"]) > count:
                self._waiting.append({name: column[count:] for name, column in columns.items()})
            count -= len(pieces[-1]["x"])
        return {name: np.concatenate([piece[name] for piece in pieces]) for name in self.columns}

    def _packed(self, batch: Batch) -> Columns:
        values = batch.values
        faults = [""] * len(values)
        # Rows are looked at by their codec, which knows the names of the columns; pixels have no place for such values.
        if isinstance(self._records, PictureArray):
            finite: np.ndarray = np.all(np.isfinite(values.reshape(len(values), -1)), axis=1)
            faults = ["" if usable else NOT_FINITE for usable in finite.tolist()]
            values = np.nan_to_num(values, posinf=0, neginf=0) if not finite.all() else values
        payloads = self._records.convert(values)
        labels = [{}] * len(payloads) if batch.labels is None else [{"label": label} for label in batch.labels]
        packed = self.codec.pack([Record("record", *facts) for facts in zip(payloads, labels, faults, strict=True)])
        self._counts.update(packed.notes)
        self.skipped.update(item.reason for item in packed.skipped)
        if (labels := packed.columns.get(LABEL)) is not None and (strange := int(unknown(labels).sum())):
            self._counts["records of a class that the first ones do not have"] += strange
        self._incoming.used += len(packed.names)
        return packed.columns


class _Incoming:
    """The batches of an iterable, one pass after the other."""

    def __init__(self, data: Iterable[Any], limit: int | None) -> None:
        self.used = 0
        """Records of this pass that could be used; the first pass begins with some."""
        self._data = data
        self._limit = limit
        self._like: Batch | None = None
        self._given = 0
        self._pass = self._begin()

    def next(self) -> Batch:
        """The next batch, of the next pass if this one is over.

        Raises:
            DataError: it cannot begin again, or a whole pass held nothing.
        """
        batch = self.next_of_pass()
        if batch is not None:
            return batch
        given, used = self._given, self.used
        if used and not isinstance(self._data, Iterator):
            self._given = self.used = 0
            self._pass = self._begin()
            if (batch := self.next_of_pass()) is not None:
                return batch
        why = f"it gave {given:,} records and cannot begin again" if used else f"of {given:,} records none could be used"
        hints = (
            "stream=False keeps them on disk",
            "or give something that can be iterated over again, such as a DataLoader",
        )
        raise DataError("E-DATA-08", "the stream has ended", where=BATCHES, why=why, hints=hints)

    def next_of_pass(self) -> Batch | None:
        """The next batch of this pass; None at its end."""
        left = None if self._limit is None else self._limit - self._given
        if left is not None and left <= 0:
            return None
        batch = next(self._pass, None)
        if batch is None:
            return None
        if left is not None and left < len(batch.values):
            batch = Batch(batch.values[:left], batch.labels and batch.labels[:left], batch.channels_first)
        self._like = self._like or Batch(batch.values[:1].copy(), batch.labels, batch.channels_first)
        self._given += len(batch.values)
        return batch

    def _begin(self) -> Iterator[Batch]:
        return read_batches(self._data, self._like)


class _Head(ArraySource):
    """The first records of a stream."""

    @classmethod
    def can_open(cls, data: object) -> bool:
        return False

    @classmethod
    def open(cls, data: object) -> _Head:
        raise TypeError("the head of a stream is made of its batches, not opened")


def _digest(columns: Columns, codec: Codec) -> str:
    digest = hashlib.sha256(codec_digest(codec).encode())
    for name, column in sorted(columns.items()):
        digest.update(f"{name}{column.shape}{column.dtype.str}".encode())
        digest.update(np.ascontiguousarray(column).data)
    return digest.hexdigest()
