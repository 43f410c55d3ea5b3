"""Records that lie in a GPU's memory, where they fit, so that drawing a batch waits for no copy."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor

from ganwright.data.dataset import Dataset

SHARE = 0.25
"""Of a GPU's free memory that records may take; the rest is for training."""
CHUNK = 4096
"""Records that are copied at once."""


class Rows(Protocol):
    """Where batches are drawn from."""

    def batch(self, indices: np.ndarray, names: Collection[str] | None = None) -> dict[str, Tensor]:
        """As `Dataset.batch`."""
        ...


class Resident:
    """The records of `dataset` on `device`."""

    def __init__(self, dataset: Dataset, device: str) -> None:
        self._device = device
        self._columns: dict[str, Tensor] = {}
        count = len(dataset)
        for first in range(0, count, CHUNK):
            last = min(first + CHUNK, count)
            for name, rows in dataset.batch(np.arange(first, last)).items():
                if not first:
                    self._columns[name] = torch.empty(count, *rows.shape[1:], dtype=rows.dtype, device=device)
                self._columns[name][first:last] = rows

    def batch(self, indices: np.ndarray, names: Collection[str] | None = None) -> dict[str, Tensor]:
        """As `Dataset.batch`, on the device."""
        places = torch.from_numpy(indices).to(self._device, non_blocking=True)
        return {name: each.index_select(0, places) for name, each in self._columns.items() if names is None or name in names}


_kept: WeakKeyDictionary[Dataset, Resident] = WeakKeyDictionary()


def nearest(dataset: Dataset, device: str) -> Rows:
    """`dataset`, or where a GPU has room for it, its records there; they are copied once."""
    if device != "cuda" or dataset.endless or dataset.whole.readers is not None:
        return dataset
    if dataset not in _kept:
        free, _ = torch.cuda.mem_get_info()
        if bytes_of(dataset) > SHARE * free:
            return dataset
        _kept[dataset] = Resident(dataset, device)
    return _kept[dataset]


def bytes_of(dataset: Dataset) -> int:
    """What its records take."""
    whole = dataset.whole
    row_bytes = sum(column.itemsize * int(np.prod(column.shape[1:])) for column in whole.columns.values())
    return len(dataset) * row_bytes
