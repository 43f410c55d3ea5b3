"""Rows of a text file read letter by letter, which finds whatever is wrong with them."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ganwright.core.errors import DataError
from ganwright.data.tables.dialect import Dialect
from ganwright.data.tables.text_encoding import UTF_8


@dataclass(frozen=True)
class CarefulRow:
    """One row, and where it lies."""

    cells: list[str]
    line: int
    """The number of its first line, from 1."""
    begins: int
    """Its first byte."""
    ends: int
    """The byte behind it."""
    lines: int
    """How many lines it has, with blank ones before it."""


def careful_rows(path: Path, file: BinaryIO, dialect: Dialect, byte: int, line: int) -> Iterator[CarefulRow]:
    """The rows of an open file but for blank lines, from a place where one begins.

    Raises:
        DataError: a quote that is never closed or stands within a cell, zeros, an endless cell.
    """
    file.seek(byte)
    lines = _Lines(file, byte)
    reader = csv.reader(lines, delimiter=dialect.delimiter, skipinitialspace=dialect.spaced, strict=True)
    while True:
        begins, read = lines.byte, reader.line_num
        at = line + read
        try:
            row = next(reader)
        except StopIteration:
            return
        except UnicodeDecodeError as error:
            raise changed(path, error.reason) from None
        except csv.Error as error:
            raise _unreadable(path, at, str(error)) from None
        if lines.zeros:
            raise _unreadable(path, line - 1 + reader.line_num, "it holds zero bytes")
        if row:
            cells = [cell.rstrip(" ") for cell in row] if dialect.spaced else row
            yield CarefulRow(cells, at, begins, lines.byte, reader.line_num - read)


def changed(path: Path, why: str = "") -> DataError:
    """The error for a file that is another than it was a moment ago."""
    return DataError("E-DATA-03", f"{path} changed while it was read", why=why, hints=("start again",))


def _unreadable(path: Path, line: int, why: str) -> DataError:
    hints = ("mend that line", "is the delimiter right? --delimiter sets it")
    if "unexpected end" in why:
        why = "a quote that begins there is never closed"
    elif "field larger" in why:
        why = "a cell that begins there is longer than 131,072 characters; is a quote never closed?"
    elif "expected after" in why:
        why = "a quote stands within a cell; it must be doubled there"
    elif "new-line" in why:
        why = "a line ends with a return alone, others with a line feed"
    return DataError("E-DATA-03", f"cannot read {path} as a table", where=f"line {line:,}", why=why, hints=hints)


class _Lines:
    """The lines of an open file as text, and how far it was read."""

    def __init__(self, file: BinaryIO, byte: int) -> None:
        self._file, self.byte, self.zeros = file, byte, False

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._file.readline()
        if not line:
            raise StopIteration
        self.byte += len(line)
        self.zeros = self.zeros or b"\0" in line
        return line.decode(UTF_8)
