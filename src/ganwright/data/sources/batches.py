"""Any iterable of batches: a torch DataLoader, a generator of arrays."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from ganwright.core.errors import DataError
from ganwright.data.batch_reading import BATCHES, Batch, gives_batches, read_batches
from ganwright.data.columns import ColumnWriter
from ganwright.data.disk import disk_errors
from ganwright.data.progress import Progress, no_progress
from ganwright.data.records import records_of
from ganwright.data.sources.base import ArraySource, digest_of_known
from ganwright.runtime.files import require_space, temporary_beside

COLUMN = "x.npy"


class Batches(ArraySource):
    """Arrays or tensors (B, ...) of one shape and type, alone or in pairs with their labels (B,).

    They are read once, by `load`, into a temporary file: what their values mean is decided over all of them, as for an
    array. Tensors of four axes are (B, C, H, W).
    """

    specificity: ClassVar[int] = 5
    opens: ClassVar[str] = "any iterable of batches, such as a torch DataLoader"

    def __init__(self, data: Iterable[Any]) -> None:
        self.name = "batches"
        self.skipped = []
        self.notes = []
        self._data = data
        self._folder: Path | None = None
        self._digest = ""

    @classmethod
    def can_open(cls, data: Any) -> bool:
        return gives_batches(data)

    @classmethod
    def open(cls, data: Any) -> Self:
        return cls(data)

    def load(self, scratch: Path, progress: Progress = no_progress, limit: int | None = None) -> None:
        """Reads all batches, or of a `limit` the first records, so that an iterable without an end is possible too."""
        if self._folder is not None:
            return
        self._folder = temporary_beside(scratch / "batches")
        try:
            limit = None if limit is None else max(limit, 1)
            first, labels = self._spool(self._folder, progress, limit)
            array = np.load(self._folder / COLUMN, mmap_mode="r", allow_pickle=False)
            records = records_of(array, BATCHES, channels_first=first.channels_first)
            if limit is not None and len(records) == limit:
                records.notes.append(f"only the first {limit:,} records were read")
            self._hold(records, labels, BATCHES)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        if self._folder is not None:
            vars(self).pop("_records", None)  # A mapped file cannot be removed on some systems.
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def fingerprint(self) -> str:
        digest = hashlib.sha256(f"batches\0{self._digest}\0".encode())
        digest.update(digest_of_known(self._known))
        return digest.hexdigest()

    def _spool(self, folder: Path, progress: Progress, limit: int | None) -> tuple[Batch, list[str]]:
        """Writes the values to `folder`; gives back the first batch and all labels."""
        with disk_errors(folder.parent):
            folder.mkdir(parents=True)
        first: Batch | None = None
        writer: ColumnWriter | None = None
        labels: list[str] = []
        try:
            for batch in read_batches(self._data):
                with disk_errors(folder.parent):
                    first = first or batch
                    writer = writer or ColumnWriter(folder / COLUMN, batch.values)
                    some = len(batch.values) if limit is None else min(len(batch.values), limit - writer.rows)
                    require_space(folder, batch.values.nbytes, "the batches")
                    writer.append(batch.values[:some])
                labels += (batch.labels or [])[:some]
                progress("reading batches", writer.rows, 0)
                if writer.rows == limit:
                    break
            if first is None or writer is None:
                hints = ("an iterator that was used before has nothing left: make it anew",)
                raise DataError("E-DATA-02", "there are no batches in the iterable", where=BATCHES, hints=hints)
            with disk_errors(folder.parent):
                self._digest = writer.finish()
            return first, labels
        finally:
            if writer is not None:
                writer.abandon()
