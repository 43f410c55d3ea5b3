"""Some records of a dataset as a dataset of their own."""

from __future__ import annotations

import hashlib
from collections.abc import Collection

import numpy as np
from torch import Tensor

from ganwright.data.dataset import Dataset


class Subset(Dataset):
    """The records of `whole` at `places` (int64 (N,)), in that order; contents are not copied.

    `columns` holds the conditions only.
    """

    def __init__(self, whole: Dataset, places: np.ndarray) -> None:
        conditions = {name: np.take(column, places, axis=0) for name, column in whole.columns.items() if name != "x"}
        digest = hashlib.sha256(whole.fingerprint.encode() + np.ascontiguousarray(places, dtype="<i8").tobytes())
        super().__init__(conditions, whole.codec, whole.report, digest.hexdigest())
        self._whole, self._places = whole, places

    @property
    def whole(self) -> Dataset:
        return self._whole

    def __len__(self) -> int:
        return len(self._places)

    @property
    def places(self) -> np.ndarray:
        """int64 (N,): of the records in the whole."""
        return self._places

    @property
    def readers(self) -> np.ndarray | None:
        readers = self._whole.readers
        return None if readers is None else readers[self._places]

    @property
    def head(self) -> Dataset:
        present = self._whole.present
        return self if present is None else Subset(self._whole, self._places[present[self._places]])

    def batch(self, indices: np.ndarray, names: Collection[str] | None = None) -> dict[str, Tensor]:
        return self._whole.batch(self._places[indices], names)
