"""How often which units follow each other, and how far two such countings are apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ganwright.data.texts.lines import Texts

MIX = np.uint64(0x9E3779B97F4A7C15)
"""An odd number without a pattern: with it, equal sums of unequal n-grams come by chance alone, once in 2^64."""
END = "\x00"
"""Stands behind a line, so that how lines end is counted too; no text holds it."""


@dataclass(frozen=True)
class Counts:
    """n-grams of one length, by digest."""

    digests: np.ndarray
    """uint64 (K,), in order."""
    counts: np.ndarray
    """int64 (K,)."""

    @property
    def total(self) -> int:
        """How many there are."""
        return int(self.counts.sum())


class Coding:
    """Numbers for units, the same for all texts that are compared."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def coded(self, texts: Texts) -> Coded:
        """Texts as numbers, an END behind each line."""
        numbers = self._numbers
        found: list[int] = []
        starts = [0]
        for units in texts.units:
            found += [numbers.setdefault(unit, len(numbers)) for unit in units]
            found.append(numbers.setdefault(END, len(numbers)))
            starts.append(len(found))
        return Coded(np.array(found, np.int64), np.array(starts, np.int64))


@dataclass(frozen=True)
class Coded:
    """Texts as numbers."""

    ids: np.ndarray
    """int64 (T,): the units of all lines, one line behind the other."""
    starts: np.ndarray
    """int64 (N + 1,): where lines begin, and where the last one ends."""

    def __len__(self) -> int:
        return len(self.starts) - 1

    def take(self, places: np.ndarray | slice) -> Coded:
        """The lines at `places`."""
        firsts, lasts = self.starts[:-1][places], self.starts[1:][places]
        lengths = lasts - firsts
        starts = np.concatenate([[0], np.cumsum(lengths)])
        # Each unit's place in the old order: where its line began there, and how far into the line it is.
        within = np.arange(starts[-1]) - np.repeat(starts[:-1], lengths)
        return Coded(self.ids[np.repeat(firsts, lengths) + within], starts)

    def counts(self, n: int) -> Counts:
        """Of the n-grams that lie within one line."""
        return Counts(*np.unique(self.digests(n)[0], return_counts=True))

    def digests(self, n: int) -> tuple[np.ndarray, np.ndarray]:
        """uint64 (M,), a digest of each n-gram in the order of the texts, and int64 (M,) the line that it lies in."""
        length = max(0, len(self.ids) - n + 1)
        line_of = np.repeat(np.arange(len(self)), np.diff(self.starts))
        whole = line_of[:length] == line_of[n - 1 : n - 1 + length]
        digest = np.full(length, n, np.uint64)
        with np.errstate(over="ignore"):
            for place in range(n):
                digest = (digest ^ (self.ids[place : place + length].astype(np.uint64) + np.uint64(1))) * MIX
                digest ^= digest >> np.uint64(29)
        return digest[whole], line_of[:length][whole]


def coded(*texts: Texts) -> list[Coded]:
    """Several texts in one coding."""
    coding = Coding()
    return [coding.coded(each) for each in texts]


def divergence(one: Counts, other: Counts) -> float:
    """The Jensen-Shannon divergence of two countings in bits: 0 where they are the same, 1 where they share nothing.

    As Gulrajani et al. 2017 (arXiv:1704.00028) compare character models. Countings of few n-grams differ by chance, and the
    more so the longer these are: only at equal counts do two such figures compare.
    """
    if not one.total or not other.total:
        return 0.0 if one.total == other.total else 1.0
    both, places = np.unique(np.concatenate([one.digests, other.digests]), return_inverse=True)
    p, q = np.zeros(len(both)), np.zeros(len(both))
    p[places[: len(one.digests)]] = one.counts / one.total
    q[places[len(one.digests) :]] = other.counts / other.total
    # Rounded, since sums of logarithms leave a few units of the last place.
    return round(float(np.clip(_entropy((p + q) / 2) - (_entropy(p) + _entropy(q)) / 2, 0, 1)), 9)


def divergences(one: Coded, other: Coded, orders: Sequence[int]) -> Mapping[int, float]:
    """The divergence of the n-grams of each length n."""
    return {n: divergence(one.counts(n), other.counts(n)) for n in orders}


def covered(real: Counts, fake: Counts) -> float:
    """The share of the real n-grams, each as often as it comes, that are among the made ones: it falls in a collapse."""
    return float(real.counts[np.isin(real.digests, fake.digests)].sum() / max(real.total, 1))


def _entropy(shares: np.ndarray) -> float:
    some = shares[shares > 0]
    return float(-(some * np.log2(some)).sum())
