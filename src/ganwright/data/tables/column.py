"""What all columns have, as networks see them: every cell is one of a column's modes, and in the first of them also a value.

A mode is a word, a number that many rows share, or nothing (a missing cell). All other numbers, dates and rare words lie in
one more mode, the first, where the value in -1..1 says which: its place in the order of all that were seen, so that all
places are equally frequent (a quantile transform), whatever the tails.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from ganwright.data.tables.numbers_in_text import LARGEST_EXACT
from ganwright.data.tables.text_cells import ColumnCells

MOST_MODES = 65_536
UNKNOWN = -1
"""The mode of a cell that the column cannot hold."""


@dataclass(frozen=True)
class Encoded:
    """Cells of one column as modes and values."""

    modes: np.ndarray
    """int32 (n,): UNKNOWN for a cell that is none that was seen."""
    values: np.ndarray
    """float32 (n,) in -1..1; 0 outside the first mode, or where there is no such mode."""
    clipped: int = 0
    """Numbers beyond those that were seen."""


class Column(ABC):
    """What was learned of one column."""

    type: ClassVar[str]
    name: str
    kind: str

    @property
    def modes(self) -> int:
        """How many there are; 0 for a column that the networks do not see."""
        return 0

    @property
    def valued(self) -> bool:
        """Whether the first mode has values."""
        return False

    @property
    def mode_counts(self) -> np.ndarray:
        """int64 (modes,): how many rows had each when this was learned."""
        return np.empty(0, np.int64)

    @abstractmethod
    def encode(self, cells: ColumnCells) -> Encoded:
        """Cells (n,) as the networks see them."""

    @abstractmethod
    def decode(self, modes: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Natural values (n,): float64 with NaN, datetime64[us] with NaT, or objects with None where a cell is missing."""

    @abstractmethod
    def read(self, cells: ColumnCells) -> np.ndarray:
        """Cells (n,) as natural values, exactly: what `decode` gives of `encode` but for numbers between what was seen."""

    @abstractmethod
    def written(self, natural: np.ndarray) -> list[str]:
        """Natural values as the cells of a text file."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """Plain JSON values; long lists are in `numbers` and `words`."""

    def numbers(self) -> dict[str, np.ndarray]:
        """Lists of numbers that belong to the state, float64."""
        return {}

    def words(self) -> dict[str, list[str]]:
        """Lists of words that belong to the state."""
        return {}

    @classmethod
    @abstractmethod
    def from_state(
        cls, state: Mapping[str, Any], numbers: Mapping[str, np.ndarray], words: Mapping[str, Sequence[str]]
    ) -> Self:
        """The column again.

        Raises:
            ValueError, TypeError, KeyError: this is no such column's state.
        """


def whole_counts(numbers: np.ndarray) -> np.ndarray:
    """float64 (n,) of a state as int64; ValueError if they count nothing."""
    if (numbers != np.rint(numbers)).any() or (numbers < 0).any() or (numbers > LARGEST_EXACT).any():
        raise ValueError("counts must be whole numbers")
    return numbers.astype(np.int64)


def name_in(state: Mapping[str, Any]) -> str:
    """The name in a state; TypeError if it is no text."""
    if not isinstance(state["name"], str):
        raise TypeError("a column's name must be text")
    return state["name"]


def require_only(
    state: Mapping[str, Any],
    numbers: Mapping[str, Any],
    words: Mapping[str, Any],
    of_state: Sequence[str],
    of_numbers: Sequence[str],
    of_words: Sequence[str],
) -> None:
    """Raise ValueError where something is lacking, or more than that."""
    if {*state} != {"name", *of_state} or {*numbers} != {*of_numbers} or {*words} != {*of_words}:
        raise ValueError("the state of another column")
