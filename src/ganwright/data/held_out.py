"""Which records are kept from training, so that there is something to measure against.

A record is held out by its content: when a digest of it lies below a threshold. So the split does not depend on order or on
place, it is found again from the threshold alone (which the model file keeps) even when records were added since, and equal
pictures lie on one side: a copy of a training record among the held-out ones would make copying look innocent.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass

import numpy as np

from ganwright.data.dataset import Dataset
from ganwright.data.digests import DIGEST_BYTES, as_numbers, content_digest
from ganwright.data.subset import Subset

SHARE = 0.05
"""Of the records, held out by default,"""
FEWEST = 200
"""but at least so many,"""
LARGEST_SHARE = 0.10
"""and at most this share."""
SMALL_CLASS = 20
"""A class of fewer records gives none, unless all are as small."""
CHUNK = 1024


@dataclass(frozen=True)
class Split:
    """A dataset in two: what is learned from, and what is not."""

    train: Dataset
    held_out: Dataset | None = None
    """None where nothing is held out."""
    below: int = 0
    """Records whose digest lies below it are held out, but for those of small classes."""


def hold_out(dataset: Dataset) -> Split:
    """The usual split: 5% of the records, at least 200, at most 10%; nothing of an endless stream or of a handful."""
    if dataset.endless or not dataset.withholds:
        return Split(dataset)
    wanted = int(min(max(SHARE * len(dataset), FEWEST), LARGEST_SHARE * len(dataset)))
    digests, eligible = record_digests(dataset), _eligible(dataset)
    in_order = np.sort(digests[eligible])
    if not 0 < wanted < len(in_order):
        return Split(dataset)
    # The first digest that stays, with all its equals: a picture that is there too often is not held out.
    return _split(dataset, digests, eligible, int(in_order[wanted]))


def split_below(dataset: Dataset, below: int) -> Split:
    """The records split by a threshold that `hold_out` gave, for these or for similar data."""
    return _split(dataset, record_digests(dataset), _eligible(dataset), below)


def _split(dataset: Dataset, digests: np.ndarray, eligible: np.ndarray, below: int) -> Split:
    held: np.ndarray = eligible & (digests < np.uint64(below))
    if not held.any() or held.all():
        return Split(dataset)
    return Split(Subset(dataset, np.flatnonzero(~held)), Subset(dataset, np.flatnonzero(held)), below)


def record_digests(dataset: Dataset) -> np.ndarray:
    """uint64 (N,): a digest of each record's packed content, conditions left out.

    Where equal records come by nature, as rows of a table do, the second of them has another digest than the first: else a
    frequent row would lie on one side with all its equals, and shares would differ between the sides.
    """
    known = dataset.digests
    if known is not None:
        return np.asarray(known)
    found: list[bytes] = []
    seen: Counter[bytes] = Counter()
    for start in range(0, len(dataset), CHUNK):
        indices = np.arange(start, min(start + CHUNK, len(dataset)))
        for row in dataset.batch(indices, ("x",))["x"].numpy():
            digest = content_digest(row)
            if dataset.codec.repeats:
                seen[digest] += 1
                if seen[digest] > 1:
                    again = digest + seen[digest].to_bytes(8, "little")
                    digest = hashlib.blake2b(again, digest_size=DIGEST_BYTES).digest()
            found.append(digest)
    digests = as_numbers(b"".join(found))
    dataset.keep_digests(digests)
    return digests


def _eligible(dataset: Dataset) -> np.ndarray:
    """bool (N,): not of a small class."""
    eligible = np.ones(len(dataset), bool)
    for condition in dataset.codec.conditions:
        if condition.kind != "class":
            continue
        places = np.asarray(dataset.columns[condition.name])
        small = np.bincount(places[places >= 0], minlength=len(condition.classes)) < SMALL_CLASS
        eligible &= (places < 0) | ~small[places]
    return eligible if eligible.any() else np.ones(len(dataset), bool)
