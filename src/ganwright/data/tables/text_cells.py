"""Cells of one column as text: what numbers they are, and which of them are alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeGuard

import numpy as np

from ganwright.data.tables.numbers_in_text import (
    MOST_NUMBER_BYTES,
    Numerals,
    leading_zero,
    parse_bytes,
    parse_numbers,
    written_decimals,
)

PAD_BYTES = 32
"""Zeros behind the bytes that cells are cut from, so that eight can be read at once from anywhere."""
MOST_BYTES = 256
"""Of the longest cell, above which cells are compared as Python's text."""
WORD_BYTES = 8
_MASKS = np.array([(1 << 8 * kept) - 1 for kept in range(WORD_BYTES + 1)], np.uint64)
_PRIME = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(29)
_SPACE = 32
_MOST_SPACES = 16


@dataclass(frozen=True)
class Grouped:
    """Which cells are alike."""

    codes: np.ndarray
    """int64 (n,): the place of each cell among the words."""
    words: list[str]
    """The different cells, in order of their first appearance."""

    @property
    def counts(self) -> list[int]:
        """How often each word comes."""
        return np.bincount(self.codes, minlength=len(self.words)).tolist()


class CutText:
    """Cells (n,) that are pieces of a file's bytes; text is only made of those that are looked at.

    It stands where an array of objects (n,) could.
    """

    dtype = np.dtype(object)

    def __init__(self, raw: bytes, starts: np.ndarray, ends: np.ndarray) -> None:
        """UTF-8 with PAD_BYTES zeros behind, and int64 (n,) each where a cell begins and ends in it."""
        self._raw, self._starts, self._ends = raw, starts, ends

    @classmethod
    def of(cls, cells: Sequence[str]) -> CutText:
        """The same of texts that are in memory."""
        parts = [cell.encode("utf-8", "surrogatepass") for cell in cells]
        ends = np.cumsum([len(part) for part in parts], dtype=np.int64)
        return cls(b"".join(parts) + bytes(PAD_BYTES), np.concatenate([[0], ends])[: len(ends)], ends)

    @classmethod
    def joined(cls, parts: Sequence[CutText]) -> CutText:
        """The cells of one part after the other; the bytes between them are let go."""
        raws, lengths = [part._bytes() for part in parts], [part._lengths for part in parts]
        ends = np.cumsum(np.concatenate(lengths), dtype=np.int64)
        return cls(b"".join(raws) + bytes(PAD_BYTES), np.concatenate([[0], ends])[: len(ends)], ends)

    def __len__(self) -> int:
        return len(self._starts)

    def __getitem__(self, place: Any) -> Any:
        """A cell's text at a number; some cells at a slice, or an array of numbers or truth values."""
        if isinstance(place, int | np.integer):
            return self._text(int(self._starts[place]), int(self._ends[place]))
        return CutText(self._raw, self._starts[place], self._ends[place])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        found = np.empty(len(self), object)
        found[:] = self.tolist()
        return found

    @property
    def nbytes(self) -> int:
        """About how much memory the cells take."""
        return int(self._lengths.sum()) + self._starts.nbytes + self._ends.nbytes

    def tolist(self) -> list[str]:
        """The text of every cell."""
        ends = np.cumsum(self._lengths + 1)
        letters = np.frombuffer(self._raw, np.uint8)[self._places(self._lengths + 1, ends)]
        letters[ends - 1] = 0
        try:
            cells = letters[:-1].tobytes().decode("utf-8", "surrogatepass").split("\0")
        except UnicodeDecodeError:  # one of a file that changed since it was indexed
            cells = []
        if len(cells) == len(self):
            return cells
        return [self._text(*ends) for ends in zip(self._starts.tolist(), self._ends.tolist(), strict=True)]

    @cached_property
    def filled(self) -> np.ndarray:
        """bool (n,): whether something is in a cell."""
        return self._lengths > 0

    @cached_property
    def grouped(self) -> Grouped:
        """Which cells are alike."""
        import pandas as pd

        if not len(self) or int(self._lengths.max()) > MOST_BYTES:
            return _grouped(self.tolist())
        parts = self._words(self._starts, self._lengths)
        digest = parts[0]
        for part in parts[1:]:
            digest = (digest ^ (digest >> _SHIFT)) * _PRIME ^ part
        if 0 in np.frombuffer(self._raw, np.uint8)[:-PAD_BYTES]:  # a zero in a cell looks like its end
            digest = digest ^ (self._lengths.astype(np.uint64) * _PRIME)
            parts.append(self._lengths.astype(np.uint64))
        codes, _ = pd.factorize(digest)
        count = int(codes.max()) + 1
        first = np.empty(count, np.int64)
        first[codes[::-1]] = np.arange(len(codes) - 1, -1, -1)
        if len(parts) > 1 and any((part != part[first][codes]).any() for part in parts):
            return _grouped(self.tolist())  # two words have one digest
        return Grouped(codes, self[first].tolist())

    def numerals(self, decimal: Literal[".", ","]) -> Numerals:
        """The numbers that the cells are."""
        if not len(self):
            return Numerals(np.empty(0), np.empty(0, np.int64), np.empty(0, bool))
        letters, lengths = self._letters(self._starts, self._lengths), self._lengths
        if (letters == _SPACE).any():
            starts, ends = self._without_spaces()
            lengths = ends - starts
            letters = self._letters(starts, lengths)
        found, hard = parse_bytes(letters, lengths, decimal)
        if hard.any():
            places = np.flatnonzero(hard)
            some = self if len(places) == len(self) else self[places]
            found.put(places, _numerals_of(some.grouped, decimal))
        return found

    def _text(self, start: int, end: int) -> str:
        try:
            return self._raw[start:end].decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:  # of a file that changed since it was indexed
            return self._raw[start:end].decode("utf-8", "replace")

    def _bytes(self) -> bytes:
        """Those of all cells, one after the other."""
        return np.frombuffer(self._raw, np.uint8)[self._places(self._lengths, np.cumsum(self._lengths))].tobytes()

    def _places(self, lengths: np.ndarray, ends: np.ndarray) -> np.ndarray:
        """int64 (bytes,): where the first bytes of each cell are, when those of all end at `ends`."""
        return np.repeat(self._starts - ends + lengths, lengths) + np.arange(ends[-1] if len(ends) else 0)

    @cached_property
    def _lengths(self) -> np.ndarray:
        return self._ends - self._starts

    def _letters(self, starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """uint8 (width, n): the first bytes of all cells, then the second ones, ..., zeros behind the ends."""
        parts = self._words(starts, np.minimum(lengths, MOST_NUMBER_BYTES))
        joined = np.stack(parts, 1) if len(parts) > 1 else parts[0]
        return np.ascontiguousarray(joined.astype("<u8", copy=False).view(np.uint8).reshape(len(self), -1).T)

    def _words(self, starts: np.ndarray, lengths: np.ndarray) -> list[np.ndarray]:
        """The cells' bytes, eight at a time: little-endian uint64 (n,) each, zeros behind the ends."""
        windows = np.ndarray((len(self._raw) - WORD_BYTES + 1,), "<u8", self._raw, strides=(1,))
        longest = int(lengths.max()) if len(lengths) else 0
        parts: list[np.ndarray] = []
        for begin in range(0, max(longest, 1), WORD_BYTES):
            left = np.minimum(lengths - begin, WORD_BYTES)
            left = np.maximum(left, 0) if begin else left
            at = starts + begin if begin else starts
            # Zeros behind the last cell are enough for any that is short.
            at = np.minimum(at, len(windows) - 1) if begin + WORD_BYTES > PAD_BYTES else at
            parts.append(windows[at] & _MASKS[left])
        return parts

    def _without_spaces(self) -> tuple[np.ndarray, np.ndarray]:
        """Starts and ends, but for spaces there; where there are very many, some stay."""
        raw = np.frombuffer(self._raw, np.uint8)
        starts, ends = self._starts, self._ends
        for _ in range(_MOST_SPACES):
            spaced = (raw[starts] == _SPACE) & (starts < ends)
            if not spaced.any():
                break
            starts = starts + spaced
        for _ in range(_MOST_SPACES):
            spaced = (raw[ends - 1] == _SPACE) & (starts < ends)
            if not spaced.any():
                break
            ends = ends - spaced
        return starts, ends


ColumnCells = np.ndarray | CutText
"""Of one column: text as a file's bytes or as objects, or numbers, truth values or times as a program held them."""


def text_of(cells: ColumnCells) -> CutText:
    """Cells of text or objects, to be looked at; "" where there is nothing."""
    return cells if isinstance(cells, CutText) else CutText.of(as_text(cells).tolist())


def is_array(cells: ColumnCells) -> TypeGuard[np.ndarray]:
    """Whether cells are no pieces of a file."""
    return isinstance(cells, np.ndarray)


def as_text(cells: ColumnCells) -> np.ndarray:
    """Cells (n,) as objects of text, "" where there is nothing."""
    text = np.empty(len(cells), object)
    text[:] = [cell if isinstance(cell, str) else "" if is_nothing(cell) else as_word(cell) for cell in cells.tolist()]
    return text


def as_word(value: object) -> str:
    """A program's object as text, whole numbers without decimals: "3" for 3.0."""
    return f"{value:.0f}" if isinstance(value, float) and value.is_integer() else str(value)


def is_nothing(cell: object) -> bool:
    """Whether a program's object stands for nothing: None, NaN, NaT, pandas' NA."""
    if cell is None:
        return True
    try:
        return not bool(cell == cell)
    except (TypeError, ValueError):  # NA says neither yes nor no, and an array says many things
        return not isinstance(cell, np.ndarray)


def _grouped(cells: Sequence[str]) -> Grouped:
    places: dict[str, int] = {}
    codes = np.fromiter((places.setdefault(cell, len(places)) for cell in cells), np.int64, len(cells))
    return Grouped(codes, list(places))


def _numerals_of(grouped: Grouped, decimal: Literal[".", ","]) -> Numerals:
    words = np.empty(len(grouped.words), object)
    words[:] = grouped.words
    values = parse_numbers(words, decimal)
    known = np.isfinite(values).tolist()
    decimals = [written_decimals(word, decimal) if is_one else 0 for word, is_one in zip(grouped.words, known, strict=True)]
    zeros = [is_one and leading_zero(word) for word, is_one in zip(grouped.words, known, strict=True)]
    found = Numerals(values, np.array(decimals, np.int64), np.array(zeros, bool))
    return Numerals(*(part[grouped.codes] for part in (found.values, found.decimals, found.leading_zeros)))
