"""Feature networks: what measures see of a record. Distances in different features are different things."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

from ganwright.core.config import Part
from ganwright.core.registry import Registry
from ganwright.data.dataset import Dataset
from ganwright.data.progress import Progress, no_progress

FEATURES = Registry("features", "ganwright.features")
BATCH = 64
"""Records that are described at a time, always: the arithmetic of a row may depend on how many there are."""


class Extractor(ABC):
    """A feature network that is ready to describe records of one shape. Nothing in it moves any more."""

    identity: str
    """Names everything that decides the numbers, such as "random-v1-3x64x64" or "self-v1-3f2a9c01d2e4": figures compare only
    within one identity."""
    about: str
    """The same for people, in a sentence."""
    dimensions: int

    @abstractmethod
    def describe(self, x: Tensor) -> Tensor:
        """Features (BATCH, D) float32 of records (BATCH, *shape) as the networks see them, in -1..1 for pictures."""

    @torch.inference_mode()
    def extract(self, batches: Iterable[Tensor]) -> Tensor:
        """Features (N, D) float32 on the CPU of records that come in batches of any size; the last one is padded."""
        # Whole float32: TF32 convolutions would make figures depend on the kind of GPU.
        with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False):
            found = [self.describe(batch)[:count].float().cpu() for batch, count in _padded(batches)]
        return torch.cat(found) if found else torch.empty(0, self.dimensions)


class Features(Part, ABC):
    """A frozen dataclass of settings that makes an extractor."""

    registry = FEATURES

    @abstractmethod
    def extractor(self, data: Dataset, device: str = "cpu", progress: Progress = no_progress) -> Extractor:
        """The network for records of the shape of `data`; one that has to learn does so from these records alone.

        Raises:
            UsageError: there is no such network for data of this kind, or its weights are not on this machine.
        """


def _padded(batches: Iterable[Tensor]) -> Iterator[tuple[Tensor, int]]:
    """Batches of exactly BATCH rows, and how many of them count."""
    waiting: list[Tensor] = []
    rows = 0
    for batch in batches:
        waiting.append(batch)
        rows += len(batch)
        while rows >= BATCH:
            joined = torch.cat(waiting)
            yield joined[:BATCH], BATCH
            waiting, rows = [joined[BATCH:]], rows - BATCH
    if rows:
        joined = torch.cat(waiting)
        yield torch.cat([joined, joined.new_zeros(BATCH - rows, *joined.shape[1:])]), rows
