"""Real records for a turn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ganwright.core.errors import DataError, UsageError
from ganwright.data.blocks import KNOWN, BlockLayout
from ganwright.data.dataset import Dataset
from ganwright.data.resident import nearest
from ganwright.data.sampler import Balanced, Dealt, Shuffled
from ganwright.networks.base import UNCONDITIONED, Conditions
from ganwright.runtime.keys import Key
from ganwright.training.config import TrainConfig

ALL = slice(None)
"""Rows of a batch."""


@dataclass
class Batches:
    """Draws of real batches, each a function of its key alone."""

    dataset: Dataset
    config: TrainConfig

    def __post_init__(self) -> None:
        self._sampler = balanced(self.dataset) if self.config.balance else shuffled(self.dataset)
        self._rows = nearest(self.dataset, self.config.device)
        self._layout = BlockLayout(self.dataset.codec.spec.blocks)
        # A generator's turn that compares with reals draws fresh ones, after those of the discriminator's turns.
        self._draws_per_step = self.config.discriminator_steps + self.config.generator_needs_real

    def real(self, key: Key, rows: slice = ALL) -> tuple[Tensor, Conditions]:
        """`rows` of the turn's real records, (B, *shape) float32 on the run's device, and their conditions.

        Of rows whose columns are drawn in several passes, only what is known and what is drawn; zeros elsewhere.
        """
        columns = self._columns(key, rows, None)
        x, conditions = self.dataset.codec.expand(columns), self._conditions(columns)
        if self.config.mirror:
            turned = torch.from_numpy(key.generator("mirror").random(self.config.batch)[rows] < 0.5).to(x.device)
            x = torch.where(turned.view(-1, 1, 1, 1), x.flip(-1), x)
        if self.config.known is None:
            return x, conditions
        drawn = self.config.known.draw(key, self.config.batch, self._layout.passes)
        known, drawn = (torch.from_numpy(mask[rows]).to(x.device) for mask in drawn)
        # Of a real row the discriminator sees what it would see of a fake one.
        return self._layout.masked(x, known + drawn), {**conditions, KNOWN: self._layout.told(x, known, drawn)}

    def condition(self, key: Key, rows: slice = ALL) -> Conditions:
        """What the generator is to draw in its turn: as the reals of that turn, or of the discriminator's last one."""
        names = self.config.conditions
        return self._conditions(self._columns(key, rows, names)) if names else UNCONDITIONED

    def _columns(self, key: Key, rows: slice, names: tuple[str, ...] | None) -> dict[str, Tensor]:
        last = self._draws_per_step - 1
        draw = key.step * self._draws_per_step + (key.repeat if key.turn == "discriminator" else last)
        first = draw * self.config.batch
        indices = self._sampler.draw(key, range(first, first + self.config.batch)[rows])
        columns = self._rows.batch(indices, names)
        return {name: column.to(self.config.device, non_blocking=True) for name, column in columns.items()}

    def _conditions(self, columns: Mapping[str, Tensor]) -> Conditions:
        if not self.config.conditions:
            return UNCONDITIONED
        if self.dataset.endless and any(_has_unknown(columns[name]) for name in self.config.conditions):
            what = "the stream gave a class that its first records did not have"
            raise DataError("E-DATA-12", what, hints=("let its first batches have every class",))
        return {name: columns[name] for name in self.config.conditions}


def shuffled(dataset: Dataset) -> Shuffled | Dealt:
    """The sampler that gives every record once a pass, or once a pass of its reader."""
    readers = dataset.readers
    return Shuffled(len(dataset)) if readers is None else Dealt(readers)


def balanced(dataset: Dataset) -> Balanced:
    """The sampler that gives each class of the records its turn.

    Raises:
        UsageError: they have no classes, or come in an order of their own.
    """
    if dataset.endless:
        raise UsageError("E-RECIPE-04", "a stream comes in its own order: its classes cannot be drawn evenly")
    classes = dataset.labels
    if classes is None:
        hints = ("one sub-folder per class, or a column of words in labels.csv",)
        raise UsageError("E-RECIPE-04", "the data have no classes to draw evenly from", hints=hints)
    return Balanced(np.asarray(classes))


def _has_unknown(column: Tensor) -> bool:
    return bool(column.isnan().any()) if column.is_floating_point() else int(column.min()) < 0
