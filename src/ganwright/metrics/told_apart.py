"""Whether a recurrent network can tell sampled series from real ones: the discriminative score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ganwright.data.series.values import SeriesValues
from ganwright.metrics.base import Evidence, Metric, NotMeasurable
from ganwright.metrics.parts.measurement import Better, Measurement
from ganwright.metrics.parts.post_hoc import Apart, Scaled, Training, for_each, tell_apart
from ganwright.runtime.keys import Key

FEWEST = 20
"""Series of each side that it needs."""


@dataclass(frozen=True)
class ToldApart(Metric):
    """Yoon et al. 2019 (TimeGAN): |accuracy - 1/2| of a recurrent network after the fact, and the area under its curve, the
    mean of several that start differently; a single one is largely luck."""

    seeds: int = 5
    """Networks, each of which starts differently."""
    iterations: int = 300
    """Steps of each, of 128 series."""
    rate: float = 0.01
    """Of their learning."""
    most: int = 4_000
    """Series of each side that are looked at."""

    def __post_init__(self) -> None:
        if self.seeds < 2 or self.iterations < 1 or self.most < FEWEST:
            raise ValueError(f"at least 2 seeds, 1 iteration and {FEWEST} series are needed")

    def measure(self, evidence: Evidence) -> dict[str, Measurement]:
        train, fake, held_out = evidence.series.train, evidence.series.fake, evidence.series.held_out
        if (fewest := min(len(train), len(fake))) < FEWEST:
            raise NotMeasurable(f"at least {FEWEST} series of each side are needed, not {fewest}")
        count = min(len(train), len(fake), self.most)
        scaled = Scaled(train)
        found = self._told(train, fake, count, scaled)
        floor: list[Apart] = []
        at_floor = found
        floor_count = None
        if held_out is not None and len(held_out) >= FEWEST:
            floor_count = min(len(held_out), count)
            floor = self._told(train, held_out, floor_count, scaled)
            at_floor = found if floor_count == count else self._told(train, fake, floor_count, scaled)
        how = (
            "a recurrent network that learns to tell samples from as many training series, tried on a fifth of both, mean "
            f"of {self.seeds} that start differently, numbers scaled to 0..1"
        )
        protocols = {
            "told_apart": f"area under the curve of {how}; one half where it cannot",
            "discriminative": f"|accuracy - 1/2| of {how}; zero where it cannot",
        }
        return {
            name: _measured(name, each, found, floor, at_floor, floor_count, len(fake), len(train))
            for name, each in protocols.items()
        }

    def _told(self, real: SeriesValues, fake: SeriesValues, count: int, scaled: Scaled) -> list[Apart]:
        how = Training(self.iterations, self.rate)
        some = slice(count)
        # Whatever the seed of an evaluation: the value is a function of the records.
        keys = [Key(0, turn="told apart", step=seed) for seed in range(self.seeds)]
        return for_each(keys, lambda key: tell_apart(real.take(some), fake.take(some), scaled, how, key))


def _measured(
    name: str,
    protocol: str,
    found: list[Apart],
    floor: list[Apart],
    at_floor: list[Apart],
    floor_count: int | None,
    count: int,
    reference: int,
) -> Measurement:
    def numbers(judged: list[Apart]) -> np.ndarray:
        return np.array([each.auc if name == "told_apart" else abs(each.accuracy - 0.5) for each in judged])

    def error(values: np.ndarray) -> float:
        return float(values.std(ddof=1) / len(values) ** 0.5)

    better: Better = "lower"
    values = numbers(found)
    return Measurement(
        float(values.mean()),
        better,
        count=count,
        reference=reference,
        protocol=protocol,
        error=error(values),
        floor=float(numbers(floor).mean()) if floor else None,
        floor_error=error(numbers(floor)) if floor else None,
        floor_count=floor_count,
        at_floor_count=float(numbers(at_floor).mean()) if floor else None,
    )
