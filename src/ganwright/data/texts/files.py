"""The characters of a text file, piece by piece: any encoding that is told apart, any line ending, no line too long."""

from __future__ import annotations

import io
import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from ganwright.core.errors import DataError
from ganwright.data.tables.text_encoding import UTF_8, WINDOWS, TextEncoding, text_encoding

PIECE = 1 << 20
"""Characters that are read at a time,"""
LONGEST_LINE = 1 << 20
"""and of a line, at most: what follows is another line."""
BROKEN = re.compile("[\ud800-\udfff]")
"""Bytes that are not of the encoding, as Python keeps them apart, and half characters of JSON."""
NOT_TEXT = re.compile("[\x00-\x08\x0b-\x1f\x7f\ufeff]")
"""Control characters but for tab and line break."""


def encoding_of(path: Path) -> TextEncoding:
    """The encoding of a text file; UTF-8 also where no more than half of its lines with other than plain
    letters are damaged: another encoding is hardly ever right as UTF-8 by chance.

    Raises:
        DataError: it is no text, or cannot be read.
    """
    found = text_encoding(path, "text")
    if found.name != WINDOWS:
        return found
    whole = broken = 0
    for line in lines_of(path, replace(found, name=UTF_8)):
        if not line.isascii():
            damaged = BROKEN.search(line) is not None
            broken, whole = broken + damaged, whole + (not damaged)
    return TextEncoding(UTF_8) if whole >= max(1, broken) else found


def pieces_of(path: Path, encoding: TextEncoding) -> Iterator[str]:
    """The text in pieces, line breaks as \\n; what is not of the encoding is BROKEN.

    Raises:
        DataError: it cannot be read.
    """
    try:
        with path.open("rb") as raw:
            raw.seek(encoding.mark_bytes)
            errors = "surrogateescape" if encoding.name == UTF_8 else "replace"
            with io.TextIOWrapper(raw, encoding=encoding.name, errors=errors, newline=None) as file:
                while piece := file.read(PIECE):
                    yield piece
    except OSError as error:
        raise DataError("E-DATA-03", f"cannot read {path}", why=error.strerror or str(error)) from None


def lines_of(path: Path, encoding: TextEncoding) -> Iterator[str]:
    """The lines without their ends; a very long one in several."""
    rest = ""
    for piece in pieces_of(path, encoding):
        *lines, rest = (rest + piece).split("\n")
        yield from lines
        if len(rest) > LONGEST_LINE:
            yield rest
            rest = ""
    if rest:
        yield rest


def json_texts(path: Path, field: str | None) -> Iterator[tuple[int, str | None]]:
    """The number of each line that is not blank, and the text in its field; None where there is none.

    Args:
        field: None for the only one that an object has.

    Raises:
        DataError: a line that is no JSON object.
    """
    encoding = encoding_of(path)
    for number, line in enumerate(lines_of(path, encoding), 1):
        if not line.strip():
            continue
        try:
            found: Any = json.loads(line)
        except (ValueError, RecursionError) as error:
            where, what = f"line {number:,}", f"{path} holds a line that is no JSON"
            raise DataError("E-DATA-03", what, where=where, why=str(error)) from None
        if not isinstance(found, dict):
            hints = ('one object a line: {"text": "a bicycle"}',)
            raise DataError("E-DATA-03", f"{path} holds a line that is no object", where=f"line {number:,}", hints=hints)
        value = found.get(field) if field is not None else next(iter(found.values()), None)
        yield number, value if isinstance(value, str) else None


def only_field(path: Path, looked_at: int = 20) -> bool:
    """Whether the first lines of a file are JSON objects with one text each, under the same name."""
    names: set[str] = set()
    try:
        with path.open("rb") as file:
            for _ in range(looked_at):
                line = file.readline(LONGEST_LINE)
                if not line.strip():
                    continue
                found = json.loads(line)
                if not isinstance(found, dict) or len(found) != 1 or not isinstance(next(iter(found.values())), str):
                    return False
                names.update(found)
    except (OSError, ValueError, RecursionError):
        return False
    return len(names) == 1


def tidy(text: str) -> str:
    """Composed characters (so that é is one, however it was typed), no control characters, no blanks before a line's end."""
    text = NOT_TEXT.sub("", unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n")))
    return "\n".join(line.rstrip() for line in text.split("\n"))
