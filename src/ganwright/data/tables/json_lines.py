"""Tables with an object on each line of a file: .jsonl, .ndjson."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ganwright.core.errors import DataError
from ganwright.core.text import printable
from ganwright.data.progress import Progress, no_progress
from ganwright.data.tables.careful import changed
from ganwright.data.tables.cells import Cells
from ganwright.data.tables.text_encoding import UTF_8, text_encoding

JSON_LINES = (".jsonl", ".ndjson")
STRIDE = 1024
MOST_COLUMNS = 16_384


class JsonLines:
    """One file, indexed on its first reading. What an object lacks is missing; lists and objects within it are text."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.names: tuple[str, ...] = ()
        self.notes: list[str] = []
        self.rows = 0
        self._places: list[tuple[int, int]] = []

    def __len__(self) -> int:
        return self.rows

    def load(self, scratch: Path, progress: Progress = no_progress) -> None:
        """One look at every line.

        Raises:
            DataError: a line that is no JSON object, or nothing at all.
        """
        if text_encoding(self.path).name != UTF_8:
            raise DataError("E-DATA-03", f"{self.path} is no UTF-8 text", hints=("save it as UTF-8",))
        names: dict[str, None] = {}
        self._places, self.rows = [], 0
        size = self.path.stat().st_size
        for line, byte, text in self._lines(0, 0):
            if self.rows % STRIDE == 0:
                self._places.append((byte, line))
                progress("looking at lines", byte, size)
            names.update(dict.fromkeys(self._object(text, line)))
            if len(names) > MOST_COLUMNS:
                raise DataError("E-DATA-04", f"{self.path} has more than {MOST_COLUMNS:,} columns")
            self.rows += 1
        if not names:
            raise DataError("E-DATA-03", f"nothing is in {self.path}")
        self.names = tuple(names)

    def read(self, start: int, stop: int) -> Cells:
        """Rows start..stop-1."""
        stop = min(stop, self.rows)
        if start >= stop:
            return Cells(self.names, tuple(np.empty(0, object) for _ in self.names), start, np.empty(0, np.int64))
        byte, line = self._places[start // STRIDE]
        skip, wanted = start % STRIDE, stop - start
        columns = [np.empty(wanted, object) for _ in self.names]
        lines = np.empty(wanted, np.int64)
        row = -skip
        for number, _, text in self._lines(byte, line - 1):
            if row >= wanted:
                break
            if row >= 0:
                record = self._object(text, number)
                lines[row] = number
                for column, name in zip(columns, self.names, strict=True):
                    column[row] = _cell(record.get(name))
            row += 1
        if row < wanted:
            raise changed(self.path)
        return Cells(self.names, tuple(columns), start, lines)

    def _lines(self, byte: int, line: int) -> Iterator[tuple[int, int, bytes]]:
        """The number, the first byte and the bytes of each line that is not blank."""
        with self.path.open("rb") as file:
            file.seek(byte)
            while raw := file.readline():
                line += 1
                if raw.strip():
                    yield line, byte, raw
                byte += len(raw)

    def _object(self, text: bytes, line: int) -> dict[str, Any]:
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise DataError(
                "E-DATA-03", f"{self.path} holds a line that is no JSON", where=f"line {line:,}", why=str(error)
            ) from None
        if not isinstance(found, dict):
            what = f"{self.path} holds a line that is no object: {printable(str(found), 40)}"
            raise DataError(
                "E-DATA-03", what, where=f"line {line:,}", hints=('one object a line: {"age": 39, "city": "Rome"}',)
            )
        return found


def _cell(value: Any) -> Any:
    """As text, but for nothing: the kinds of cells are found from text, as in other files."""
    if value is None or isinstance(value, str | bool):
        return value
    return json.dumps(value, ensure_ascii=False)
