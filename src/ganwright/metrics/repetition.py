"""Whether samples repeat each other more than real texts do."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ganwright.data.texts.lines import Texts
from ganwright.metrics.base import Evidence, Metric, NotMeasurable
from ganwright.metrics.parts.measurement import Better, Measurement

MOST = 500
"""Texts that are held against each other: the figures depend on how many there are."""
FEWEST = 20
ORDERS = (1, 2, 3, 4)
SPLITS = 10
Gram = tuple[str, ...]


@dataclass(frozen=True)
class Repetition(Metric):
    """Self-BLEU (Zhu et al. 2018, arXiv:1802.01886), the mean BLEU-4 of a sample with all others as references; the share
    of n-grams that are different ones (Li et al. 2016, arXiv:1510.03055); and samples with a twin.

    All depend on the number of texts, so as many real ones are taken for the floor; neither says whether a text has a sense.
    """

    def measure(self, evidence: Evidence) -> dict[str, Measurement]:
        texts = evidence.texts
        real = texts.held_out if texts.held_out is not None else texts.train
        count, floor_count = min(MOST, len(texts.fake)), min(MOST, len(texts.fake), len(real))
        if floor_count < FEWEST:
            raise NotMeasurable(f"at least {FEWEST} texts of each side are needed, not {floor_count}")
        fake, floor = _measured(texts.fake.take(slice(count))), _measured(real.take(slice(floor_count)))
        as_many = fake if floor_count == count else _measured(texts.fake.take(slice(floor_count)))
        unit = texts.fake.unit
        better: dict[str, Better] = {name: "lower" if name in ("self_bleu", "twins") else "higher" for name in fake}
        protocols = {
            "self_bleu": f"mean BLEU-4 in {unit} of each of {count:,} texts, the others being the references",
            "twins": f"share of {count:,} texts that are there more than once",
        }
        return {
            name: Measurement(
                value,
                better[name],
                count=count,
                reference=floor_count,
                protocol=protocols.get(name, f"share of different ones among all {name[-1]}-grams of {unit}"),
                error=error,
                floor=floor[name][0],
                floor_error=floor[name][1],
                floor_count=floor_count,
                at_floor_count=as_many[name][0],
            )
            for name, (value, error) in fake.items()
        }


def _measured(texts: Texts) -> dict[str, tuple[float, float | None]]:
    """Values with their standard errors, where there is one."""
    units = [tuple(each) for each in texts.units]
    scores = self_bleu(units)
    again = Counter(texts.lines)
    found: dict[str, tuple[float, float | None]] = {
        "self_bleu": (float(np.mean(scores)), float(np.std(scores)) / math.sqrt(len(scores)))
    }
    for n in ORDERS[:3]:
        every = [gram for text in units for gram in grams(text, n)]
        found[f"distinct_{n}"] = (len(set(every)) / max(1, len(every)), None)
    twins = float(np.mean([again[line] > 1 for line in texts.lines]))
    return {**found, "twins": (twins, math.sqrt(twins * (1 - twins) / len(texts)))}


def self_bleu(texts: Sequence[Gram]) -> list[float]:
    """BLEU-4 of each text against all others (Papineni et al. 2002), one added to both counts of each length but 1 (Lin and
    Och 2004), so that a short text is not nothing."""
    lengths = np.sort([len(text) for text in texts])
    logs = np.zeros(len(texts))
    for n in ORDERS:
        counted = [Counter(grams(text, n)) for text in texts]
        # The most often that any text has an n-gram, which one that is, and the most often that another has it.
        best: dict[Gram, tuple[int, int, int]] = {}
        for place, counts in enumerate(counted):
            for gram, often in counts.items():
                first, who, second = best.get(gram, (0, -1, 0))
                best[gram] = (often, place, first) if often > first else (first, who, max(second, often))
        smooth = n > 1
        for place, counts in enumerate(counted):
            shared = 0
            for gram, often in counts.items():
                first, who, second = best[gram]
                shared += min(often, second if who == place else first)
            share = (shared + smooth) / max(1, sum(counts.values()) + smooth)
            logs[place] += math.log(share) if share > 0 else -math.inf
    brief = [_brevity(len(text), lengths) for text in texts]
    return [float(penalty * math.exp(log / len(ORDERS))) for penalty, log in zip(brief, logs, strict=True)]


def grams(text: Sequence[str], n: int) -> list[Gram]:
    """The n-grams of a text."""
    return [tuple(text[start : start + n]) for start in range(len(text) - n + 1)]


def _brevity(length: int, lengths: np.ndarray) -> float:
    """The penalty of a text that is shorter than the reference nearest in length; the text itself is one of `lengths`."""
    places = np.searchsorted(lengths, length)
    others = np.delete(lengths, min(int(places), len(lengths) - 1))
    nearest = int(others[np.argmin(np.abs(others - length))])
    return 1.0 if length >= nearest else math.exp(1 - nearest / max(length, 1))
