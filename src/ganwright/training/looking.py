"""What is looked at again and again while a run trains: the same samples, beside real records."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch import Tensor

from ganwright.data.dataset import Dataset
from ganwright.data.spec import DataSpec, first_class
from ganwright.model.model import Model
from ganwright.training.health import diversity

MOST_ROWS, COLUMNS = 16, 8
"""Of the sheet of samples, where each class has a row: the first ones."""


@dataclass
class View:
    """Samples of fixed latents, and the real records that their variety is measured against."""

    real: list[Tensor]
    """Groups of records (N, *shape): one, or one for each class that is shown."""
    count: int
    conditions: dict[str, Any] = field(default_factory=dict)
    """What is asked of each sample, by the condition's name."""

    @classmethod
    def of(cls, dataset: Dataset, spec: DataSpec) -> View:
        """As many as the codec shows; of classes one row each: to see at a glance whether a class is heard.

        What else the networks are told is drawn as records of that class have it.
        """
        expand = dataset.codec.expand
        condition = first_class(spec.conditions)
        if condition is None:
            return cls([expand(dataset.some(dataset.codec.shown))], dataset.codec.shown)
        shown = condition.classes[:MOST_ROWS]
        classes = np.asarray(dataset.columns[condition.name])
        places = [np.flatnonzero(classes == place)[:COLUMNS] for place in range(len(shown))]
        real = [expand(dataset.head.batch(some)) for some in places]
        return cls(real, len(shown) * COLUMNS, {condition.name: [name for name in shown for _ in range(COLUMNS)]})

    def samples(self, model: Model, seed: int) -> Tensor:
        """(count, *shape), always of the same latents."""
        return model.tensor(self.count, seed=seed, **self.conditions)

    def diversity(self, samples: Tensor) -> float:
        """See `health.diversity`; within classes, where there are any."""
        return diversity(samples.split(COLUMNS) if self.conditions else [samples], self.real)
