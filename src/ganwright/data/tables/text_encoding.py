"""In which encoding a text file is written."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ganwright.core.errors import DataError

PIECE_BYTES = 1 << 20
SOME_BYTES = 64 << 10
_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_FOREIGN = {
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"GIF8": "a GIF picture",
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a zip archive or a spreadsheet (.xlsx); save it as CSV",
    b"\xd0\xcf\x11\xe0": "an old spreadsheet (.xls); save it as CSV",
    b"PAR1": "a Parquet file; call it .parquet",
    b"\x1f\x8b": "compressed with gzip; unpack it first",
    b"SQLite format 3": "an SQLite database; export the table as CSV",
}
UTF_8 = "utf-8"
WINDOWS = "windows-1252"


@dataclass(frozen=True)
class TextEncoding:
    """How the bytes of a file are text."""

    name: str
    """As Python calls it: "utf-8"."""
    mark_bytes: int = 0
    """Bytes of the byte order mark, which is no text."""
    note: str = ""
    """What a user should know of it."""


def text_encoding(path: Path, wanted: str = "table") -> TextEncoding:
    """The encoding of the file at `path`, which is read whole.

    Args:
        wanted: what the file should be, for the error that says that it is something else.

    UTF-8 if all of it is; UTF-16 by its mark or its zeros; Windows-1252 otherwise.

    Raises:
        DataError: it is no text, or cannot be read.
    """
    try:
        with path.open("rb") as file:
            start = file.read(SOME_BYTES)
            if not start.strip():
                raise DataError("E-DATA-03", f"nothing is in {path}")
            for magic, what in _FOREIGN.items():
                if start.startswith(magic):
                    raise DataError("E-DATA-03", f"{path} is no {wanted}: it is {what}")
            for mark, name in _MARKS.items():
                if start.startswith(mark):
                    note = "" if name == UTF_8 else "UTF-16"
                    if name != UTF_8 or _first_other_line(file) is None:
                        return TextEncoding(name, len(mark), note)
            if (wide := _wide(start)) is not None:
                return TextEncoding(wide, 0, "UTF-16")
            if 0 in start:
                line = start[: start.index(0)].count(b"\n") + 1
                raise DataError("E-DATA-03", f"{path} is no text", where=f"line {line}", why="it holds zero bytes")
            other = _first_other_line(file)
    except OSError as error:
        raise DataError("E-DATA-03", f"cannot read {path}", why=error.strerror or str(error)) from None
    if other is None:
        return TextEncoding(UTF_8)
    note = f"not UTF-8 (line {other:,}): read as Windows-1252; save it as UTF-8 if letters look wrong"
    return TextEncoding(WINDOWS, 0, note)


def decoded(raw: bytes, encoding: str) -> str:
    """The text of whole lines; the five bytes that Windows-1252 leaves open are what Latin-1 has there."""
    if encoding != WINDOWS:
        return raw.decode(encoding)
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        return "".join(_letter(byte) for byte in raw)


def _letter(byte: int) -> str:
    try:
        return bytes([byte]).decode(WINDOWS)
    except UnicodeDecodeError:
        return chr(byte)


def _wide(start: bytes) -> str | None:
    """UTF-16 without a mark: about every other byte of plain letters is zero."""
    even, odd = start[0::2].count(0), start[1::2].count(0)
    half = len(start) // 2
    if half and odd > 0.4 * half and even < 0.1 * half:
        return "utf-16-le"
    if half and even > 0.4 * half and odd < 0.1 * half:
        return "utf-16-be"
    return None


def _first_other_line(file: BinaryIO) -> int | None:
    """The number of the first line that is not UTF-8, from 1; None if all are."""
    file.seek(0)
    decoder = codecs.getincrementaldecoder(UTF_8)()
    lines = 1
    while piece := file.read(PIECE_BYTES):
        try:
            decoder.decode(piece)
        except UnicodeDecodeError as error:
            # What is left of the last piece comes first in the error's bytes.
            before = len(error.object) - len(piece)
            return lines + piece[: max(0, error.start - before)].count(b"\n")
        lines += piece.count(b"\n")
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return lines
    return None
