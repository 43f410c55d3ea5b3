"""Columns of words, and those that are the same in every row; the kinds of columns that there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from ganwright.data.tables.column import MOST_MODES, UNKNOWN, Column, Encoded, name_in, require_only, whole_counts
from ganwright.data.tables.formulas import with_harmless
from ganwright.data.tables.measured import MeasuredColumn, Writing
from ganwright.data.tables.text_cells import ColumnCells, as_text, is_array, text_of

__all__ = ["UNKNOWN", "Column", "Encoded", "FixedColumn", "MeasuredColumn", "WordColumn", "Writing", "as_words"]


@dataclass(frozen=True, eq=False)
class WordColumn(Column):
    """Words: categories, and yes or no."""

    type = "words"

    name: str
    kind: str
    levels: tuple[str, ...]
    """Words with a mode of their own."""
    rare: tuple[str, ...]
    """Words that share the first mode, in order; fewer than two never do."""
    rare_counts: np.ndarray
    """int64: rows of each of them."""
    counts: np.ndarray
    """int64: rows of the first mode if there are rare words, of each level, and of missing cells if there were any."""
    missing: bool
    truth: bool = False
    """Whether a program held True and False."""
    _codes: dict[str, int] = field(init=False, repr=False)
    _rare_places: dict[str, int] = field(init=False, repr=False)
    _ends: np.ndarray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        codes = {word: place + bool(self.rare) for place, word in enumerate(self.levels)}
        if self.missing:
            codes.setdefault("", len(self.counts) - 1)
        rare = {word: place for place, word in enumerate(self.rare)}
        object.__setattr__(self, "_codes", with_harmless(codes, rare))
        object.__setattr__(self, "_rare_places", with_harmless(rare))
        ends = np.cumsum(self.rare_counts) / max(self.rare_counts.sum(), 1)
        object.__setattr__(self, "_ends", ends)

    @property
    def modes(self) -> int:
        return len(self.counts)

    @property
    def valued(self) -> bool:
        return bool(self.rare)

    @property
    def mode_counts(self) -> np.ndarray:
        return self.counts

    def encode(self, cells: ColumnCells) -> Encoded:
        grouped = text_of(cells).grouped
        modes = np.array([self._codes.get(word, UNKNOWN) for word in grouped.words], np.int32)
        values = np.zeros(len(modes), np.float32)
        if self.rare:
            starts = np.concatenate([[0], self._ends[:-1]])
            middles = starts + self._ends - 1  # of each word's share, in -1..1
            for place in np.flatnonzero(modes == UNKNOWN).tolist():
                if (rank := self._rare_places.get(grouped.words[place])) is not None:
                    modes[place], values[place] = 0, middles[rank]
        return Encoded(modes[grouped.codes], values[grouped.codes])

    def decode(self, modes: np.ndarray, values: np.ndarray) -> np.ndarray:
        first = int(self.valued)
        table = np.empty(len(self.counts), object)
        table[first : first + len(self.levels)] = self.levels
        found = table[modes]
        if self.rare:
            free = modes == 0
            shares = (np.clip(values[free].astype(np.float64), -1, 1) + 1) / 2
            words = np.array(self.rare, object)
            found[free] = words[np.minimum(np.searchsorted(self._ends, shares, "right"), len(words) - 1)]
        return found

    def read(self, cells: ColumnCells) -> np.ndarray:
        return as_words(cells)

    def written(self, natural: np.ndarray) -> list[str]:
        return ["" if word is None else str(word) for word in natural.tolist()]

    def state(self) -> dict[str, Any]:
        return {"name": self.name, "kind": self.kind, "missing": self.missing, "truth": self.truth}

    def numbers(self) -> dict[str, np.ndarray]:
        return {"counts": self.counts.astype(np.float64), "rare_counts": self.rare_counts.astype(np.float64)}

    def words(self) -> dict[str, list[str]]:
        return {"levels": list(self.levels), "rare": list(self.rare)}

    @classmethod
    def from_state(
        cls, state: Mapping[str, Any], numbers: Mapping[str, np.ndarray], words: Mapping[str, Sequence[str]]
    ) -> Self:
        require_only(state, numbers, words, ("kind", "missing", "truth"), ("counts", "rare_counts"), ("levels", "rare"))
        levels, rare = tuple(words["levels"]), tuple(words["rare"])
        counts, rare_counts = whole_counts(numbers["counts"]), whole_counts(numbers["rare_counts"])
        if state["kind"] not in ("category", "yes/no") or any(
            type(state[name]) is not bool for name in ("missing", "truth")
        ):
            raise ValueError("a column of words is of another kind")
        if len(counts) != bool(rare) + len(levels) + state["missing"] or not 1 <= len(counts) <= MOST_MODES:
            raise ValueError("a column of words has another number of modes")
        if len(rare_counts) != len(rare) or len({*levels, *rare}) != len(levels) + len(rare) or (rare_counts < 1).any():
            raise ValueError("the words of a column must differ, and be counted")
        if "" in levels or "" in rare or (state["truth"] and not {*levels, *rare} <= {"True", "False"}):
            raise ValueError("nothing is no word, and only True and False are truth values")
        return cls(name_in(state), state["kind"], levels, rare, rare_counts, counts, state["missing"], state["truth"])


@dataclass(frozen=True, eq=False)
class FixedColumn(Column):
    """The same in every row, or nothing at all."""

    type = "fixed"

    name: str
    kind: str
    word: str
    """What stands in every cell."""
    number: bool = False
    """Whether it is one."""

    def encode(self, cells: ColumnCells) -> Encoded:
        return Encoded(np.zeros(len(cells), np.int32), np.zeros(len(cells), np.float32))

    def decode(self, modes: np.ndarray, values: np.ndarray) -> np.ndarray:
        if self.number:
            return np.full(len(modes), float(self.word))
        found = np.empty(len(modes), object)
        found[:] = self.word or None
        return found

    def read(self, cells: ColumnCells) -> np.ndarray:
        return (
            cells.astype(np.float64) if self.number and is_array(cells) and cells.dtype.kind in "iufb" else as_words(cells)
        )

    def written(self, natural: np.ndarray) -> list[str]:
        return [self.word] * len(natural)

    def state(self) -> dict[str, Any]:
        return {"name": self.name, "kind": self.kind, "number": self.number}

    def words(self) -> dict[str, list[str]]:
        return {"word": [self.word]}

    @classmethod
    def from_state(
        cls, state: Mapping[str, Any], numbers: Mapping[str, np.ndarray], words: Mapping[str, Sequence[str]]
    ) -> Self:
        require_only(state, numbers, words, ("kind", "number"), (), ("word",))
        (word,) = words["word"]
        number = state["number"]
        if (
            state["kind"] not in ("constant", "empty")
            or type(number) is not bool
            or (number and not np.isfinite(float(word)))
        ):
            raise ValueError("no fixed column")
        return cls(name_in(state), state["kind"], word, number)


def as_words(cells: ColumnCells) -> np.ndarray:
    """Cells (n,) as text objects, None where there is nothing."""
    words = as_text(cells)
    words[words == ""] = None
    return words
