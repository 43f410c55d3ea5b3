"""Rows of numbers: arrays, tensors, and tables with labels beside them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np

from ganwright.data.in_memory import WHERE, frame_values, is_array, is_frame, is_series, known_of, plain
from ganwright.data.row_arrays import RowArray
from ganwright.data.sources.base import ArraySource


class Rows(ArraySource):
    """One table of numbers, or a tuple (table, labels).

    Arrays and tensors are (N, D), or (N,) for one column; a DataFrame with labels beside it has columns of numbers or
    booleans. Labels are one whole number or string per row, or columns with something of each.
    """

    # Above pictures in memory: (N, D) with labels (N, 1) could be taken for two grey pictures.
    specificity: ClassVar[int] = 11
    opens: ClassVar[str] = "rows of numbers: arrays (N, D)"

    @classmethod
    def can_open(cls, data: Any) -> bool:
        return _is_rows(data) or _is_pair(data)

    @classmethod
    def open(cls, data: Any) -> Self:
        table, labels = data if _is_pair(data) else (data, None)
        return cls("rows", _rows(table), known_of(labels), WHERE)


def _is_rows(data: Any) -> bool:
    return is_frame(data) or is_series(data) or (is_array(data) and len(data.shape) in (1, 2))


def _is_pair(data: Any) -> bool:
    """(rows, labels): the labels lie along one axis, or are one column beside as many rows."""
    if not isinstance(data, tuple) or len(data) != 2 or not _is_rows(data[0]):
        return False
    if isinstance(data[1], Mapping) or (is_frame(data[1]) and not is_frame(data[0])):
        return True
    try:
        shape = np.shape(plain(data[1]))
    except ValueError:  # Lists of several lengths.
        return False
    return len(shape) == 1 or (len(data[0].shape) == 2 and shape == (len(data[0]), 1))


def _rows(table: Any) -> RowArray:
    if is_series(table):
        table = table.to_frame()
    if is_frame(table):
        values, columns = frame_values(table)
        return RowArray(values, WHERE, columns)
    return RowArray(plain(table), WHERE)
