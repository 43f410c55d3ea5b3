"""What a model makes, as an evaluation wants it: in blocks, again and again, never all in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from ganwright.data.modalities.base import Codec
from ganwright.data.spec import DataSpec, first_class
from ganwright.model.conditions import sample_conditions
from ganwright.model.noise import BLOCK
from ganwright.networks.base import Generator


class Maker(Protocol):
    """A model, as far as it is needed here."""

    spec: DataSpec
    codec: Codec
    generator: Generator

    def tensors(self, n: int, *, seed: int = 0) -> Iterator[Tensor]:
        """The first `n` samples of a seed in blocks."""
        ...

    def block(self, start: int, seed: int) -> Tensor:
        """The whole block that begins at sample `start`."""
        ...


@dataclass(frozen=True)
class Drawn:
    """The first `count` samples of a seed."""

    model: Maker
    count: int
    seed: int

    def __len__(self) -> int:
        return self.count

    @property
    def labels(self) -> np.ndarray | None:
        """The class that was asked for of each, drawn in the data's shares; None where the model is told none."""
        conditions, condition = self.model.spec.conditions, first_class(self.model.codec.conditions)
        if condition is None or condition.name not in {each.name for each in conditions}:
            return None
        stop = -(-self.count // BLOCK) * BLOCK
        return sample_conditions(conditions, 0, stop, self.seed, {})[condition.name][: self.count].numpy()

    def batches(self) -> Iterator[Tensor]:
        """Blocks of samples, (B, *shape), as they would be read from files."""
        return (self.model.codec.as_recorded(block) for block in self.model.tensors(self.count, seed=self.seed))

    def at(self, places: np.ndarray) -> Tensor:
        """Those at `places`: each block that holds one is made anew."""
        made: dict[int, Tensor] = {}
        length = self.model.generator.block
        for block in sorted({int(place) // length for place in places}):
            made[block] = self.model.codec.as_recorded(self.model.block(block * length, self.seed))
        return torch.stack([made[int(place) // length][int(place) % length] for place in places])
