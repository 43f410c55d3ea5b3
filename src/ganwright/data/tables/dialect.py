"""How a text file holds a table: what separates cells, what marks decimals, whether names come first."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Decimal = Literal[".", ","]
DELIMITERS = (",", ";", "\t", "|")
DELIMITER_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?%?")
_POINT = re.compile(r"[+-]?(\d{1,3}(,\d{3})+|\d*)\.\d+([eE][+-]?\d+)?")
_COMMA = re.compile(r"[+-]?(\d{1,3}(\.\d{3})+|\d*),\d+([eE][+-]?\d+)?")
MISSING_WORDS = frozenset({"", "?", "-", ".", "na", "n/a", "#n/a", "nan", "null", "none", "nil", "missing", "\\n"})
"""In lower case: cells that stand for nothing in a column of numbers or dates."""


@dataclass(frozen=True)
class Dialect:
    """What a reader of the file must know, and a writer of its like."""

    delimiter: str = ","
    decimal: Decimal = "."
    header: bool = True
    """Whether the first line names the columns."""
    spaced: bool = False
    """Whether spaces follow the delimiter, which belong to no cell."""


def sniff(lines: Sequence[str], delimiter: str | None = None) -> Dialect:
    """The dialect of the first lines of a file.

    Args:
        lines: whole ones, with their ends.
        delimiter: the one to take, whatever the lines look like.
    """
    found = delimiter or max(DELIMITERS, key=lambda each: _fit(split(lines, each)))
    rows = [row for row in split(lines, found) if row]
    spaced = _spaced(rows)
    rows = [[cell.strip() for cell in row] for row in rows] if spaced else rows
    body = rows[1:] or rows
    decimal: Decimal = "," if _decimals(body, _COMMA) > _decimals(body, _POINT) else "."
    return Dialect(found, decimal, names_first(rows), spaced)


def split(lines: Sequence[str], delimiter: str) -> list[list[str]]:
    """Rows of cells; what comes after a quote that is never closed is left out."""
    rows: list[list[str]] = []
    try:
        for row in csv.reader(lines, delimiter=delimiter):
            rows.append(row)
    except csv.Error:
        return rows
    return rows


def names_first(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names the columns of the others.

    Numbers name nothing, but for 0, 1, 2, ... which a DataFrame without names writes, and for years that count up after
    words. A word above numbers is a name, and then so are the words beside it, Na and None as well. Where all is text,
    names are different from each other and come back in no column, and only the first column may have none.
    """
    if not rows:
        return False
    first, others = [cell.strip() for cell in rows[0]], rows[1:]
    if len(first) > 1 and first in (_counted(0, len(first)), ["", *_counted(0, len(first) - 1)]):
        return True
    if any(_NUMBER.fullmatch(cell) for cell in first):
        return _counting(first, others)
    missing = [cell.lower() in MISSING_WORDS for cell in first]
    for place in range(len(first)):
        below = [row[place].strip() for row in others if len(row) > place]
        numbers = sum(bool(_NUMBER.fullmatch(cell)) for cell in below)
        if not missing[place] and numbers > len(below) / 2:
            return True
    if any(lacking and cell for lacking, cell in zip(missing, first, strict=True)):
        return False
    if any(not cell for cell in first[1:]):
        return False
    if not others:
        return True
    repeated = sum(
        any(len(row) > place and row[place].strip() == name for row in others) for place, name in enumerate(first)
    )
    return len(set(first)) == len(first) and repeated == 0


def _counting(first: Sequence[str], others: Sequence[Sequence[str]]) -> bool:
    """Whether it is words that come back in no row, then at least three years that count up, or other such numbers."""
    words = next((place for place, cell in enumerate(first) if _NUMBER.fullmatch(cell)), 0)
    numbers = first[words:]
    if not words or len(numbers) < 3 or not all(cell.isdecimal() and len(cell) > 3 for cell in numbers):
        return False
    if list(numbers) != _counted(int(numbers[0]), len(numbers)) or not all(first[:words]):
        return False
    return not any(row[place].strip() == first[place] for row in others for place in range(min(words, len(row))))


def _counted(first: int, count: int) -> list[str]:
    return [str(i) for i in range(first, first + count)]


def _fit(rows: Sequence[Sequence[str]]) -> tuple[float, int]:
    """How well rows are a table: the share of them with the usual number of cells, and of cells that are in one piece; then
    that number."""
    widths = Counter(len(row) for row in rows if row)
    if not widths:
        return (0.0, 0)
    usual, count = max(widths.items(), key=lambda pair: (pair[1] * (pair[0] > 1), pair[0]))
    if usual < 2:
        return (0.0, 0)
    cells = [cell for row in rows for cell in row if cell]
    # "1,5;2,5" cut at its commas leaves "5;2".
    whole = sum(bool(_NUMBER.fullmatch(cell)) or not any(map(cell.__contains__, DELIMITERS[1:])) for cell in cells)
    return (round(count / widths.total() * whole / max(len(cells), 1), 2), usual)


def _spaced(rows: Sequence[Sequence[str]]) -> bool:
    """Whether most cells after the first of a row begin with a space."""
    later = [cell for row in rows[1:] for cell in row[1:] if cell]
    return bool(later) and sum(cell.startswith(" ") for cell in later) > len(later) / 3


def _decimals(rows: Sequence[Sequence[str]], pattern: re.Pattern[str]) -> int:
    return sum(bool(pattern.fullmatch(cell.strip())) for row in rows for cell in row)
