"""Cells of a column with few different values as whole numbers, so that tables can be looked up by them."""

from __future__ import annotations

import numpy as np

from ganwright.data.tables.columns import UNKNOWN, Column, MeasuredColumn, WordColumn
from ganwright.data.tables.formulas import with_harmless
from ganwright.data.tables.text_cells import ColumnCells, text_of


class Keys:
    """What stands in a column, counted from 0: its words, or its numbers; what comes after the last stands for nothing."""

    def __init__(self, column: Column) -> None:
        self.column = column
        self._words: tuple[str, ...] = ()
        self._numbers = np.empty(0)
        if isinstance(column, WordColumn):
            self._words = (*column.levels, *column.rare)
        elif isinstance(column, MeasuredColumn):
            self._numbers = column.spikes
        self._codes = with_harmless({word: place for place, word in enumerate(self._words)})
        self._codes.setdefault("", len(self))

    def __len__(self) -> int:
        return len(self._words) + len(self._numbers)

    @property
    def cells(self) -> np.ndarray:
        """The natural cell of each code (K + 1,), the last of them missing."""
        if isinstance(self.column, MeasuredColumn):
            return self.column.natural(np.append(self._numbers, np.nan))
        return self.words_of(np.arange(len(self) + 1))

    @staticmethod
    def can_be(column: Column) -> bool:
        """Whether the column has few enough values: words, or numbers that all have a mode of their own."""
        return isinstance(column, WordColumn) or (isinstance(column, MeasuredColumn) and not column.valued)

    def codes(self, cells: ColumnCells) -> np.ndarray:
        """int64 (n,): len(self) where nothing is, UNKNOWN for a word that was not seen; the nearest for such a number."""
        if isinstance(self.column, MeasuredColumn):
            return self.codes_of_numbers(self.column.numbers_of(cells))
        grouped = text_of(cells).grouped
        codes = np.array([self._codes.get(word, UNKNOWN) for word in grouped.words], np.int64)
        return codes[grouped.codes]

    def codes_of_numbers(self, numbers: np.ndarray) -> np.ndarray:
        """As `codes`, of float64 (n,) with NaN for missing."""
        middles = (self._numbers[1:] + self._numbers[:-1]) / 2
        return np.where(np.isnan(numbers), len(self), np.searchsorted(middles, numbers))

    def words_of(self, codes: np.ndarray) -> np.ndarray:
        """The words (n,) as objects, None where nothing is."""
        table = np.empty(len(self) + 1, object)
        table[: len(self)] = self._words
        return table[codes]
