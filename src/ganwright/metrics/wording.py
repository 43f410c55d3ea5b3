"""How long texts are, whether their words exist, and whether whole texts are copied."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ganwright.data.texts.lines import Texts
from ganwright.metrics.base import Evidence, Metric, NotMeasurable
from ganwright.metrics.parts.measurement import Measurement

FEWEST = 10


@dataclass(frozen=True)
class Wording(Metric):
    """The largest difference of the distributions of lengths; the share of words that no training text has; the share of
    texts that are training texts again. Real texts have new words and repeat each other too: held-out ones say how often."""

    def measure(self, evidence: Evidence) -> dict[str, Measurement]:
        texts = evidence.texts
        train, fake, held_out = texts.train, texts.fake, texts.held_out
        if min(len(train), len(fake)) < FEWEST:
            raise NotMeasurable(f"at least {FEWEST} texts of each side are needed")
        known = {word for words in train.words for word in words}
        lines = set(train.lines)
        lengths = _lengths(train)

        def measured(some: Texts) -> dict[str, tuple[float, float | None]]:
            words = [word for each in some.words for word in each if word[0].isalpha()]
            strange = np.array([word not in known for word in words])
            copied = np.array([line in lines for line in some.lines])
            found: dict[str, tuple[float, float | None]] = {"lengths": (_kolmogorov(lengths, _lengths(some)), None)}
            if len(words):
                found["strange_words"] = _share(strange)
            return {**found, "copied": _share(copied)}

        values = measured(fake)
        floors = measured(held_out) if held_out is not None and len(held_out) >= FEWEST else {}
        protocols = {
            "lengths": f"largest difference of the distribution functions of the number of {fake.unit} in a text",
            "strange_words": "share of words that are in no training text",
            "copied": "share of texts that are training texts, character for character",
        }
        return {
            name: Measurement(
                value,
                "lower",
                count=len(fake),
                reference=len(train),
                protocol=protocols[name],
                error=error,
                floor=floors[name][0] if name in floors else None,
                floor_error=floors[name][1] if name in floors else None,
                floor_count=len(held_out) if held_out is not None and name in floors else None,
                at_floor_count=value if name in floors else None,
            )
            for name, (value, error) in values.items()
        }


def _share(holds: np.ndarray) -> tuple[float, float]:
    value = float(holds.mean()) if len(holds) else 0.0
    return value, math.sqrt(value * (1 - value) / max(1, len(holds)))


def _lengths(texts: Texts) -> np.ndarray:
    return np.sort([len(units) for units in texts.units])


def _kolmogorov(one: np.ndarray, other: np.ndarray) -> float:
    points = np.union1d(one, other)
    shares = (np.searchsorted(each, points, "right") / len(each) for each in (one, other))
    return float(np.abs(np.subtract(*shares)).max())
