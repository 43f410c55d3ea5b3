"""Real records for a turn."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ganwright.data.dataset import Dataset
from ganwright.data.sampler import Shuffled
from ganwright.runtime.distributed import share_of
from ganwright.runtime.keys import Key
from ganwright.training.config import TrainConfig


@dataclass
class Batches:
    """Draws of real batches, each a function of its key alone."""

    dataset: Dataset
    config: TrainConfig

    def __post_init__(self) -> None:
        self._sampler = Shuffled(len(self.dataset))
        # A generator's turn that compares with reals draws fresh ones, after those of the discriminator's turns.
        self._draws_per_step = self.config.discriminator_steps + self.config.loss.generator_needs_real

    def real(self, key: Key) -> Tensor:
        """This process's share of the turn's real records, (B, *shape) float32 on the run's device."""
        draw = key.step * self._draws_per_step
        draw += key.repeat if key.turn == "discriminator" else self.config.discriminator_steps
        first = draw * self.config.batch
        indices = self._sampler.draw(key, range(first, first + self.config.batch))[share_of(self.config.batch)]
        columns = self.dataset.batch(indices)
        columns = {name: column.to(self.config.device, non_blocking=True) for name, column in columns.items()}
        return self.dataset.codec.expand(columns)
