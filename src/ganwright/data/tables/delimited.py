"""Tables in text files whose cells are separated by a character: .csv, .tsv."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ganwright.core.errors import DataError
from ganwright.core.text import printable
from ganwright.data.progress import Progress, no_progress
from ganwright.data.tables.asked import Asked
from ganwright.data.tables.careful import CarefulRow, careful_rows, changed
from ganwright.data.tables.cells import Cells
from ganwright.data.tables.cutting import cut
from ganwright.data.tables.dialect import DELIMITER_NAMES, Dialect, sniff
from ganwright.data.tables.text_encoding import UTF_8, WINDOWS, TextEncoding, decoded, text_encoding
from ganwright.runtime.files import require_space, temporary_beside

SNIFFED_BYTES = 256 << 10
STRIDE = 1024
"""Rows between two places that reading can begin at."""
MOST_COLUMNS = 16_384
TOLD = 8
"""Bad lines that a message names."""
PIECE_BYTES = 1 << 20
BLOCK_BYTES = 4 << 20
"""That are cut into rows at once while a file is indexed."""
CAREFUL_ROWS = 4096
"""That are read one by one where they cannot be cut."""


@dataclass
class DelimitedFile:
    """One file, indexed on its first reading so that any rows can be read again."""

    path: Path
    asked: Asked = field(default_factory=Asked)
    names: tuple[str, ...] = ()
    dialect: Dialect = field(default_factory=Dialect)
    notes: list[str] = field(default_factory=list)
    rows: int = 0
    _text: Path = field(init=False)
    _encoding: TextEncoding = field(init=False)
    _first: int = 0
    """Cells before the first of a row that is kept: 1 where a column only counts the rows."""
    _width: int = 0
    _places: list[tuple[int, int]] = field(default_factory=list)
    """(byte, line) of every STRIDE-th row that is kept."""

    def __post_init__(self) -> None:
        self._text = self.path
        self._encoding = text_encoding(self.path)
        if self._encoding.note:
            self.notes.append(self._encoding.note)

    def __len__(self) -> int:
        return self.rows

    @property
    def about(self) -> str:
        """How it is written, for people: "delimiter ';', decimal ','"."""
        parts = [f"{DELIMITER_NAMES.get(self.dialect.delimiter, repr(self.dialect.delimiter))}s between cells"]
        if self.dialect.decimal == ",":
            parts.append("decimal comma")
        if not self.dialect.header:
            parts.append("no line of names")
        return ", ".join(parts)

    def load(self, scratch: Path, progress: Progress = no_progress) -> None:
        """Finds out how the file is written and where its rows lie.

        Raises:
            DataError: lines with too many or too few cells, a quote that is never closed, no rows.
        """
        returns = self._returns_only()
        if self._encoding.name != UTF_8 or returns:
            self._transcode(scratch, returns)
        self._sniff()
        self._index(progress)

    def close(self) -> None:
        """Removes the copy in another encoding, if one was needed."""
        if self._text != self.path:
            self._text.unlink(missing_ok=True)
            self._text = self.path
            self._places.clear()

    def read(self, start: int, stop: int) -> Cells:
        """Rows start..stop-1 as text."""
        stop = min(stop, self.rows)
        if start >= stop:
            empty = np.empty(0, object)
            return Cells(self.names, tuple(empty for _ in self.names), start, np.empty(0, np.int64))
        first, last = start // STRIDE, -(-stop // STRIDE)
        byte, line = self._places[first]
        skip, wanted = start - first * STRIDE, stop - start
        with self._text.open("rb") as file:
            file.seek(byte)
            to_end = last >= len(self._places)
            block = file.read() if to_end else file.read(self._places[last][0] - byte)
            rows = cut(block, self.dialect.delimiter, self.dialect.spaced, last=True)
            if rows is None:
                return self._read_carefully(file, byte, line, start, skip, wanted)
        chosen = np.flatnonzero(rows.counts == self._width)[skip : skip + wanted]
        if len(chosen) != wanted:
            raise changed(self.path)
        return Cells(self.names, rows.columns(chosen, self._first, self._width), start, line + rows.lines[chosen])

    def _read_carefully(self, file: BinaryIO, byte: int, line: int, start: int, skip: int, wanted: int) -> Cells:
        rows: list[list[str]] = []
        lines: list[int] = []
        for row in careful_rows(self.path, file, self.dialect, byte, line):
            if len(row.cells) != self._width:
                continue
            if skip:
                skip -= 1
                continue
            rows.append(row.cells[self._first :])
            lines.append(row.line)
            if len(rows) == wanted:
                break
        if len(rows) != wanted:
            raise changed(self.path)
        return Cells(self.names, tuple(map(_column, zip(*rows, strict=True))), start, np.array(lines, np.int64))

    def _returns_only(self) -> bool:
        """Whether lines end as on the first Macintosh computers."""
        with self.path.open("rb") as file:
            start = file.read(SNIFFED_BYTES)
        if self._encoding.name.startswith("utf-16"):
            start = start.decode(self._encoding.name, "replace").encode(UTF_8, "replace")
        return b"\r" in start and b"\n" not in start

    def _transcode(self, scratch: Path, returns: bool) -> None:
        """Makes a copy in UTF-8 whose lines end with line feeds."""
        require_space(scratch, 2 * self.path.stat().st_size, "a copy of the table as UTF-8")
        scratch.mkdir(parents=True, exist_ok=True)
        copy = temporary_beside(scratch / "table.csv")
        encoding = self._encoding.name
        decoder = None if encoding == WINDOWS else codecs.getincrementaldecoder(encoding)()
        try:
            with self.path.open("rb") as raw, copy.open("w", encoding=UTF_8, newline="") as text:
                raw.seek(self._encoding.mark_bytes)
                while piece := raw.read(PIECE_BYTES):
                    letters = decoder.decode(piece) if decoder else decoded(piece, encoding)
                    text.write(letters.replace("\r", "\n") if returns else letters)
                text.write(decoder.decode(b"", final=True) if decoder else "")
        except (OSError, UnicodeError) as error:
            copy.unlink(missing_ok=True)
            raise DataError("E-DATA-03", f"cannot read {self.path}", why=str(error)) from None
        self._text, self._encoding = copy, replace(self._encoding, name=UTF_8, mark_bytes=0)

    def _sniff(self) -> None:
        with self._text.open("rb") as file:
            file.seek(self._encoding.mark_bytes)
            start = file.read(SNIFFED_BYTES)
        if len(start) == SNIFFED_BYTES and b"\n" in start:
            start = start[: start.rindex(b"\n") + 1]
        lines = [line for line in io.StringIO(start.decode(UTF_8, "ignore"), newline="\n") if line.strip()]
        found = sniff(lines, self.asked.delimiter)
        if self.asked.header is not None:
            found = replace(found, header=self.asked.header)
        if self.asked.decimal is not None:
            found = replace(found, decimal="," if self.asked.decimal == "," else ".")
        self.dialect = found
        if found.spaced:
            self.notes.append("spaces after the delimiters left out")

    def _index(self, progress: Progress) -> None:
        """One look at every row."""
        first: list[str] = []
        found: list[_Rows] = []
        for rows in self._all_rows(progress):
            first = first or rows.first
            if len(first) > MOST_COLUMNS:
                what = f"{self.path} has {len(first):,} columns; at most {MOST_COLUMNS:,} are possible"
                raise DataError("E-DATA-04", what)
            found.append(rows)
        header = int(self.dialect.header)
        widths, begins, lines = (
            np.concatenate([np.empty(0, np.int64), *some])[header:]
            for some in zip(*((rows.counts, rows.begins, rows.lines) for rows in found), strict=True)
        )
        if not len(widths):
            raise DataError("E-DATA-03", f"{self.path} has no rows" + (" below the names of its columns" if header else ""))
        names = [cell.strip() for cell in first] if self.dialect.header else [f"column {i + 1}" for i in range(len(first))]
        self._width = len(first)
        if self.dialect.header and (widths == len(first) + 1).all():
            # What R writes: names for all columns but the one that names the rows.
            self.notes.append("the first column left out: it has no name and only names the rows")
            self._width, self._first = len(first) + 1, 1
        odd = np.flatnonzero(widths != self._width)
        if len(odd):
            self._leave_out(odd, widths, lines)
            begins, lines = np.delete(begins, odd), np.delete(lines, odd)
        self.rows = len(widths) - len(odd)
        if not self.rows:
            raise DataError("E-DATA-03", f"{self.path} has no rows that are as long as the first line")
        self._places = list(zip(begins[::STRIDE].tolist(), lines[::STRIDE].tolist(), strict=True))
        if self._first == 0 and len(names) > 1 and not names[0] and self._counts_rows():
            self.notes.append("the first column left out: it has no name and only counts the rows")
            self._first, names = 1, names[1:]
        self.names = self._different(names)

    def _leave_out(self, odd: np.ndarray, widths: np.ndarray, lines: np.ndarray) -> None:
        some = ", ".join(f"line {lines[row]:,} ({widths[row]})" for row in odd[:TOLD].tolist())
        more = f" and {len(odd) - TOLD:,} more" if len(odd) > TOLD else ""
        if self.asked.skip_bad_rows:
            self.notes.append(f"{len(odd):,} lines without {self._width} cells left out: {some}{more}")
            return
        why = f"the first line has {self._width} cells; {len(odd):,} of {len(widths):,} rows have another number"
        hints = ("mend those lines", "--bad-rows skip leaves them out")
        raise DataError("E-DATA-04", f"{self.path} has lines of several lengths", where=some + more, why=why, hints=hints)

    def _counts_rows(self) -> bool:
        cells = self.read(0, min(self.rows, 4 * STRIDE)).columns[0]
        try:
            numbers = [int(cell) for cell in cells]
        except ValueError:
            return False
        return numbers == list(range(numbers[0], numbers[0] + len(numbers))) and numbers[0] in (0, 1)

    def _different(self, names: list[str]) -> tuple[str, ...]:
        """Names that are told apart; what was renamed is noted."""
        taken: set[str] = set()
        renamed: list[str] = []
        for place, name in enumerate(names):
            wanted = name or f"column {place + 1}"
            number = 2
            found = wanted
            while found in taken:
                found, number = f"{wanted} ({number})", number + 1
            if found != name:
                old = repr(printable(name, 40)) if name else f"the one at place {place + 1}"
                renamed.append(f"{old} is now {printable(found, 40)!r}")
            names[place] = found
            taken.add(found)
        if renamed:
            more = f" and {len(renamed) - TOLD} more" if len(renamed) > TOLD else ""
            self.notes.append(f"columns whose name is missing or comes twice: {', '.join(renamed[:TOLD])}{more}")
        return tuple(names)

    def _all_rows(self, progress: Progress) -> Iterator[_Rows]:
        """Every row but blank lines, many at a time, the line of names among them."""
        size = self._text.stat().st_size
        byte, line = self._encoding.mark_bytes, 1
        with self._text.open("rb") as file:
            while byte < size:
                progress("looking at lines", byte, size)
                file.seek(byte)
                block = file.read(BLOCK_BYTES)
                if not block:
                    raise changed(self.path)
                rows = cut(block, self.dialect.delimiter, self.dialect.spaced, last=byte + len(block) >= size)
                if rows is not None:
                    first = rows.row(0) if len(rows.counts) else []
                    yield _Rows(rows.counts, byte + rows.begins, line + rows.lines, first)
                    byte, line = byte + rows.used, line + rows.used_lines
                    continue
                reader = careful_rows(self.path, file, self.dialect, byte, line)
                if not (some := list(islice(reader, CAREFUL_ROWS))):
                    return
                yield _Rows.of(some)
                byte, line = some[-1].ends, line + sum(row.lines for row in some)


@dataclass(frozen=True, eq=False)
class _Rows:
    """Where some rows are in a file: int64 (n,) each."""

    counts: np.ndarray
    """Of cells."""
    begins: np.ndarray
    lines: np.ndarray
    first: list[str]
    """The cells of the first of them."""

    @classmethod
    def of(cls, rows: Sequence[CarefulRow]) -> _Rows:
        where = np.array([(len(row.cells), row.begins, row.line) for row in rows], np.int64)
        return cls(where[:, 0], where[:, 1], where[:, 2], rows[0].cells)


def _column(cells: tuple[str, ...]) -> np.ndarray:
    column = np.empty(len(cells), object)
    column[:] = cells
    return column
