"""Whether what is learned from sampled series holds for real ones: the predictive score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ganwright.data.series.values import SeriesValues
from ganwright.metrics.base import Evidence, Metric, NotMeasurable
from ganwright.metrics.parts.measurement import Measurement
from ganwright.metrics.parts.post_hoc import Scaled, Training, for_each, look_ahead
from ganwright.runtime.keys import Key

FEWEST = 10


@dataclass(frozen=True)
class Foresight(Metric):
    """Yoon et al. 2019 (TimeGAN): a recurrent network learns from samples what the last column will be a step later, and is
    tried on real series; the floor is one that learned from real series."""

    seeds: int = 5
    """Networks, each of which starts differently."""
    iterations: int = 300
    """Steps of each, of 128 series."""
    rate: float = 0.01
    """Of their learning."""
    most: int = 4_000
    """Series that it learns from, and is tried on."""

    def __post_init__(self) -> None:
        if self.seeds < 2 or self.iterations < 1 or self.most < FEWEST:
            raise ValueError(f"at least 2 seeds, 1 iteration and {FEWEST} series are needed")

    def measure(self, evidence: Evidence) -> dict[str, Measurement]:
        train, fake, held_out = evidence.series.train, evidence.series.fake, evidence.series.held_out
        held_out = held_out if held_out is not None and len(held_out) >= FEWEST else None
        tested = train if held_out is None else held_out
        if (fewest := min(len(train), len(fake), len(tested))) < FEWEST:
            raise NotMeasurable(f"at least {FEWEST} series of each side are needed, not {fewest}")
        if train.values.shape[1] < 2:
            raise NotMeasurable("series of one step have no next one")
        scaled = Scaled(train)
        count = min(len(train), len(fake), self.most)
        values = self._errors(fake.take(slice(count)), tested, scaled)
        floors = self._errors(train.take(slice(count)), tested, scaled) if held_out is not None else None
        where = "training" if held_out is None else "held-out"
        return {
            "predictive": Measurement(
                float(values.mean()),
                "lower",
                count=len(fake),
                reference=len(tested),
                protocol=f"mean absolute error, in parts of its range, of {train.names[-1]} one step ahead in {where} "
                f"series, told by a recurrent network that learned from samples, mean of {self.seeds} that start "
                "differently; the floor learned from as many training series",
                error=float(values.std(ddof=1) / self.seeds**0.5),
                floor=None if floors is None else float(floors.mean()),
                floor_error=None if floors is None else float(floors.std(ddof=1) / self.seeds**0.5),
                floor_count=None if held_out is None else len(held_out),
                at_floor_count=None if floors is None else float(values.mean()),
            )
        }

    def _errors(self, learned: SeriesValues, tested: SeriesValues, scaled: Scaled) -> np.ndarray:
        how = Training(self.iterations, self.rate)
        keys = [Key(0, turn="foresight", step=seed) for seed in range(self.seeds)]
        some = tested.take(slice(self.most))
        return np.array(for_each(keys, lambda key: look_ahead(learned, some, scaled, how, key)))
