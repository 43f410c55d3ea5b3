"""Tables: .csv, .tsv, .jsonl and .parquet files, DataFrames, structured arrays."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self

import numpy as np

from ganwright.core.errors import DataError
from ganwright.data.in_memory import WHERE, is_frame, is_series
from ganwright.data.progress import Progress, no_progress
from ganwright.data.sources.base import Source
from ganwright.data.tables.asked import Asked
from ganwright.data.tables.asked import TableFile as TableFile
from ganwright.data.tables.cells import Cells
from ganwright.data.tables.delimited import DelimitedFile
from ganwright.data.tables.frames import FrameTable
from ganwright.data.tables.json_lines import JSON_LINES, JsonLines
from ganwright.data.tables.parquet import ParquetTable
from ganwright.data.tables.text_cells import is_array

DELIMITED = {".csv": None, ".tsv": "\t", ".tab": "\t", ".psv": "|"}
PARQUET = (".parquet", ".pq")
DIGEST_ROWS = 16_384


class _Table(Protocol):
    names: tuple[str, ...]
    notes: list[str]

    def __len__(self) -> int: ...

    def read(self, start: int, stop: int) -> Cells: ...


class Tables(Source):
    """One table, read column by column."""

    specificity: ClassVar[int] = 12
    opens: ClassVar[str] = "a table: .csv, .tsv, .jsonl, .parquet, a DataFrame"

    def __init__(self, table: _Table, name: str, path: Path | None = None) -> None:
        self.name = name
        self.skipped = []
        self.notes = list(table.notes)
        self.columns = table.names
        self._table, self._path = table, path

    @classmethod
    def can_open(cls, data: Any) -> bool:
        if isinstance(data, Path):
            return data.suffix.lower() in {*DELIMITED, *JSON_LINES, *PARQUET} and data.is_file()
        if isinstance(data, np.ndarray):
            return bool(data.dtype.names) or (data.ndim == 2 and data.dtype.kind in "USO")
        return isinstance(data, TableFile) or is_frame(data) or is_series(data)

    @classmethod
    def open(cls, data: Any) -> Self:
        if is_series(data):
            data = data.to_frame()
        if is_frame(data) or isinstance(data, np.ndarray):
            table = FrameTable.of_array(data) if isinstance(data, np.ndarray) else FrameTable.of_frame(data)
            if not len(table):
                raise DataError("E-DATA-04", "no rows in the table", where=WHERE, why=f"its shape is {data.shape}")
            source = cls(table, "table")
            source.forms = table.forms
            return source
        asked = data.asked if isinstance(data, TableFile) else Asked()
        path = Path(data.path).expanduser() if isinstance(data, TableFile) else data
        suffix = path.suffix.lower()
        if suffix in PARQUET:
            return cls(ParquetTable(path), path.stem, path)
        if suffix in JSON_LINES:
            return cls(JsonLines(path), path.stem, path)
        source = cls(DelimitedFile(path, asked), path.stem, path)
        source.reading = asked
        return source

    @property
    def file(self) -> DelimitedFile | None:
        """The file of delimited cells that this is, so that others like it can be written."""
        return self._table if isinstance(self._table, DelimitedFile) else None

    def load(self, scratch: Path, progress: Progress = no_progress, limit: int | None = None) -> None:
        if isinstance(self._table, DelimitedFile | JsonLines | ParquetTable):
            self._table.load(scratch, progress)
        self.columns = self._table.names
        self.notes = list(self._table.notes)
        if self.file is not None:
            self.dialect = self.file.dialect
            self.notes.insert(0, self.file.about)

    def close(self) -> None:
        if isinstance(self._table, DelimitedFile | ParquetTable):
            self._table.close()

    def __len__(self) -> int:
        return len(self._table)

    def read(self, start: int, stop: int) -> Cells:
        return self._table.read(start, min(stop, len(self)))

    def fingerprint(self) -> str:
        if self._path is not None:
            facts = self._path.stat()
            asked = self.file.asked if self.file else None
            return hashlib.sha256(f"table\0{facts.st_size}\0{facts.st_mtime_ns}\0{asked}".encode()).hexdigest()
        digest = hashlib.blake2b("\0".join(["table", *self.columns]).encode("utf-8", "surrogateescape"))
        if self.forms:
            digest.update(repr(sorted(self.forms.items())).encode("utf-8", "surrogateescape"))
        for start in range(0, len(self), DIGEST_ROWS):
            for column in self.read(start, start + DIGEST_ROWS).columns:
                digest.update(f"{column.dtype}\0".encode())
                if is_array(column) and column.dtype != object:
                    digest.update(column.tobytes())
                else:
                    digest.update("\0".join(map(repr, column.tolist())).encode("utf-8", "surrogatepass"))
        return digest.hexdigest()
