"""Rows of a table as arrays that measures can count in: numbers as they are, words as places in one common list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ganwright.data.table_rows import TableRows


@dataclass(frozen=True)
class CodedColumn:
    """What the values of a column mean."""

    name: str
    kind: str
    """For people: "whole", "category"."""
    words: tuple[str | None, ...] | None
    """Of a column of words: all of them, those that the training rows have most often first; None among them stands for a
    missing cell. None for numbers."""
    missing: bool
    """Whether any cell is missing."""

    @property
    def is_number(self) -> bool:
        """Numbers and dates, not words."""
        return self.words is None


@dataclass(frozen=True, eq=False)
class Coded:
    """So many rows."""

    columns: tuple[CodedColumn, ...]
    values: tuple[np.ndarray, ...]
    """Of each column: float64 (N,) with NaN where a cell is missing, or int64 (N,) places in its words."""

    def __len__(self) -> int:
        return len(self.values[0]) if self.values else 0

    def take(self, places: np.ndarray | slice) -> Coded:
        """The rows at `places`."""
        return Coded(self.columns, tuple(each[places] for each in self.values))

    def missing(self, place: int) -> np.ndarray:
        """bool (N,): whether the cells of the column at `place` are missing."""
        words, values = self.columns[place].words, self.values[place]
        if words is None:
            return np.isnan(values)
        return values == words.index(None) if None in words else np.zeros(len(values), bool)

    def numbers(self, most_words: int) -> np.ndarray:
        """float64 (N, C): numbers, and places of words below `most_words`, all rarer ones as one; NaN where missing."""
        table = np.empty((len(self), len(self.columns)))
        for place, (column, values) in enumerate(zip(self.columns, self.values, strict=True)):
            table[:, place] = values if column.is_number else np.minimum(values, most_words - 1)
            table[self.missing(place), place] = np.nan
        return table


def coded(train: TableRows, *others: TableRows) -> list[Coded]:
    """The same columns of several tables, the first of which says how frequent words are."""
    tables = (train, *others)
    columns: list[CodedColumn] = []
    values: list[list[np.ndarray]] = [[] for _ in tables]
    for name, kind in train.kinds.items():
        cells = [table.columns[name] for table in tables]
        if cells[0].dtype != object:
            columns.append(CodedColumn(name, kind, None, any(bool(np.isnan(each).any()) for each in cells)))
            found = cells
        else:
            words, found = _places(cells)
            columns.append(CodedColumn(name, kind, words, None in words))
        for mine, each in zip(values, found, strict=True):
            mine.append(each)
    return [Coded(tuple(columns), tuple(mine)) for mine in values]


def _places(cells: Sequence[np.ndarray]) -> tuple[tuple[str | None, ...], list[np.ndarray]]:
    counts = Counter(cells[0].tolist())
    known = set(counts).union(*(set(each.tolist()) for each in cells[1:]))
    words = tuple(sorted(known, key=lambda word: (-counts[word], word is None, str(word))))
    table = {word: place for place, word in enumerate(words)}
    return words, [np.fromiter(map(table.__getitem__, each.tolist()), np.int64, len(each)) for each in cells]
