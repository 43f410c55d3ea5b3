"""Tables in Parquet files, which pyarrow reads."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from ganwright.core.errors import DataError, UsageError
from ganwright.core.text import printable
from ganwright.data.progress import Progress, no_progress
from ganwright.data.tables.cells import Cells
from ganwright.data.tables.frames import FrameTable

_INDEX = "__index_level_"
"""How the names of columns begin that only number the rows of a DataFrame."""
_FAULTS = (OSError, ValueError, KeyError, NotImplementedError, TypeError)
"""What pyarrow raises for a damaged file, or one with types that NumPy has not."""


class ParquetTable:
    """One file, a group of its rows in memory at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.names: tuple[str, ...] = ()
        self.notes: list[str] = []
        self.rows = 0
        self._file: Any = None
        self._starts: np.ndarray = np.zeros(1, np.int64)
        self._group: tuple[int, Cells] | None = None

    def __len__(self) -> int:
        return self.rows

    def load(self, scratch: Path, progress: Progress = no_progress) -> None:
        """Opens it.

        Raises:
            UsageError: pyarrow is not installed.
            DataError: it is no Parquet file, or empty.
        """
        parquet = pyarrow_parquet()
        try:
            self._file = parquet.ParquetFile(self.path)
            groups = [self._file.metadata.row_group(i).num_rows for i in range(self._file.num_row_groups)]
            self.names = tuple(name for name in self._file.schema_arrow.names if not name.startswith(_INDEX))
        except _FAULTS as error:
            raise self._unreadable(error) from None
        self._starts = np.concatenate([[0], np.cumsum(groups, dtype=np.int64)])
        self.rows = int(self._starts[-1])
        if not self.rows or not self.names:
            raise DataError("E-DATA-03", f"{self.path} has no rows")

    def close(self) -> None:
        """Lets the file go."""
        if self._file is not None:
            self._file.close()
        self._file = self._group = None

    def read(self, start: int, stop: int) -> Cells:
        """Rows start..stop-1."""
        stop = min(stop, self.rows)
        parts: list[Cells] = []
        while start < stop:
            number = int(np.searchsorted(self._starts, start, "right")) - 1
            begins, ends = int(self._starts[number]), int(self._starts[number + 1])
            parts.append(self._rows_of(number)[start - begins : min(stop, ends) - begins])
            start = min(stop, ends)
        return parts[0] if len(parts) == 1 else Cells.joined(parts)

    def _rows_of(self, number: int) -> Cells:
        if self._group is None or self._group[0] != number:
            try:
                group = self._file.read_row_group(number, columns=list(self.names))
                frame = group.to_pandas(date_as_object=False, ignore_metadata=True)
            except _FAULTS as error:
                raise self._unreadable(error) from None
            cells = FrameTable.of_frame(frame).read(0, len(frame))
            self._group = (number, Cells(cells.names, cells.columns, int(self._starts[number])))
        return self._group[1]

    def _unreadable(self, error: Exception) -> DataError:
        return DataError("E-DATA-03", f"cannot read {self.path}", why=printable(" ".join(str(error).split()), 200))


def pyarrow_parquet() -> Any:
    """pyarrow's module for Parquet.

    Raises:
        UsageError: it is not installed, or does not start.
    """
    try:
        return import_module("pyarrow.parquet")
    except (ImportError, RuntimeError, OSError) as error:
        hints = ('pip install "ganwright[parquet]"', "or save the table as CSV")
        raise UsageError("E-TABLE-04", "Parquet files need the library pyarrow", why=str(error), hints=hints) from error
