"""Generated records, wherever they come from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np
from torch import Tensor

from ganwright.data.dataset import Dataset
from ganwright.features.base import BATCH


class Samples(Protocol):
    """So many generated records, to be gone through as often as one likes."""

    def __len__(self) -> int: ...

    @property
    def labels(self) -> np.ndarray | None:
        """The class that was asked for of each, int64 (N,): its place in the data's classes; None if none was."""
        ...

    def batches(self) -> Iterator[Tensor]:
        """All of them in order, (B, *shape) each, as the networks see them."""
        ...

    def at(self, places: np.ndarray) -> Tensor:
        """Those at `places`, (len(places), *shape)."""
        ...


class Recorded:
    """Records of a dataset: samples that some other tool made, or real ones. Taken in a random but fixed order."""

    def __init__(self, dataset: Dataset, order: np.ndarray) -> None:
        self._dataset, self._order = dataset, order

    def __len__(self) -> int:
        return len(self._order)

    @property
    def labels(self) -> np.ndarray | None:
        labels = self._dataset.labels
        return None if labels is None else np.asarray(labels)[self._order]

    def batches(self) -> Iterator[Tensor]:
        for start in range(0, len(self._order), BATCH):
            yield self.at(np.arange(start, min(start + BATCH, len(self._order))))

    def at(self, places: np.ndarray) -> Tensor:
        dataset = self._dataset
        return dataset.codec.expand(dataset.batch(self._order[places], ("x",)))
