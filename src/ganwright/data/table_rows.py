"""Rows of a table in natural values, as measures look at them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class TableRows:
    """Columns of equal length, by name."""

    columns: Mapping[str, np.ndarray]
    """Numbers float64 (N,), NaN where a cell is missing, dates as microseconds since 1970; words as objects, None where a
    cell is missing."""
    kinds: Mapping[str, str]
    """What each column is, for people and for writing it: "whole", "decimal", "date", "category", "yes/no"."""

    @classmethod
    def of(cls, natural: Mapping[str, np.ndarray], kinds: Mapping[str, str]) -> TableRows:
        """Rows of what `Column.decode` gives."""
        return cls({name: _plain(values) for name, values in natural.items()}, kinds)

    @classmethod
    def join(cls, parts: Sequence[TableRows]) -> TableRows:
        """The rows of all parts, of which there is at least one."""
        names = parts[0].columns
        return cls({name: np.concatenate([part.columns[name] for part in parts]) for name in names}, parts[0].kinds)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def take(self, places: np.ndarray | slice) -> TableRows:
        """The rows at `places`."""
        return TableRows({name: values[places] for name, values in self.columns.items()}, self.kinds)


def _plain(values: np.ndarray) -> np.ndarray:
    if values.dtype.kind == "M":
        return np.where(np.isnat(values), np.nan, values.astype("datetime64[us]").astype(np.int64).astype(np.float64))
    return values if values.dtype == object else values.astype(np.float64)
