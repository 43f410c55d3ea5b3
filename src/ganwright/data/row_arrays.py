"""Arrays of numbers, whatever their type, as rows of float64."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from ganwright.core.errors import DataError
from ganwright.data.spec import MAX_SIDE


class RowArray:
    """A view of (N, D), or of (N,) as one column, that gives float64 (n, D). It may be a memory map: it is read in pieces.

    Raises:
        DataError: another number of axes, an empty array, too many columns, values that are no real numbers.
    """

    noun: ClassVar[str] = "row"

    def __init__(self, array: np.ndarray, where: str, columns: tuple[str, ...] = ()) -> None:
        self.notes: list[str] = []
        self.clipped = 0  # Nothing is lost here: the codec scales and clips.
        self.columns = columns
        if array.dtype.kind not in "buif":
            raise DataError("E-DATA-04", f"rows of numbers cannot be made of {array.dtype} values", where=where)
        if array.ndim not in (1, 2):
            why = f"its shape is {array.shape}; expected (rows, columns)"
            raise DataError("E-DATA-04", "the array does not look like rows of numbers", where=where, why=why)
        if array.size == 0:
            raise DataError("E-DATA-04", "no rows in the array", where=where, why=f"its shape is {array.shape}")
        self.width = 1 if array.ndim == 1 else array.shape[1]
        if self.width > MAX_SIDE:
            why = f"each row has {self.width:,} numbers; at most {MAX_SIDE:,} are possible"
            raise DataError("E-DATA-04", "the rows are too long", where=where, why=why)
        self._array = array

    def __len__(self) -> int:
        return len(self._array)

    def read(self, start: int, stop: int) -> np.ndarray:
        """Rows start..stop-1 as float64 (n, D)."""
        return self.convert(self._array[start:stop])

    def convert(self, array: np.ndarray) -> np.ndarray:
        """Other rows of the same width; a copy."""
        return np.array(array, np.float64).reshape(-1, self.width)
