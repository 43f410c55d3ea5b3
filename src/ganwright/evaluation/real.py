"""The real records that samples are held against: which of them a model learned from, and which it never saw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ganwright.data.dataset import Dataset
from ganwright.data.held_out import Split, hold_out, split_below

MAY_HAVE_BEEN_SEEN = (
    "Nothing is known to have been kept from training: the floor's records may be ones that were learned from."
)


@dataclass(frozen=True)
class Real:
    """Real records in two parts."""

    split: Split
    unseen: bool
    """Whether the model learned from the one part and not from the other."""
    notes: tuple[str, ...] = ()
    """What is to be known of them, in sentences."""


def real_records(dataset: Dataset, held_out: Dataset | None = None, facts: Mapping[str, Any] | None = None) -> Real:
    """The records of `dataset` in two parts, as in training where `facts`, what a model file tells of its data, say how.

    Args:
        held_out: other records that were not learned from, to be used instead of those kept from training.
    """
    facts = facts or {}
    threshold = _threshold(facts)
    split = split_below(dataset, threshold) if threshold is not None else Split(dataset)
    notes = _differences(dataset, facts)
    if held_out is not None:
        return Real(Split(split.train, held_out), True, notes)
    if split.held_out is not None:
        return Real(split, True, notes)
    spare = hold_out(dataset)
    if spare.held_out is None:
        return Real(spare, False, (*notes, "There are too few real records to set any aside: figures have no floor."))
    return Real(spare, False, (*notes, MAY_HAVE_BEEN_SEEN))


def _threshold(facts: Mapping[str, Any]) -> int | None:
    """Of the records kept from training; None where the facts, which may be a stranger's, do not tell."""
    held_out = facts.get("held_out")
    try:
        return int(held_out["below"], 16) if isinstance(held_out, dict) else None
    except (KeyError, TypeError, ValueError):
        return None


def _differences(dataset: Dataset, facts: Mapping[str, Any]) -> tuple[str, ...]:
    known = facts.get("fingerprint")
    if known is None or known == dataset.fingerprint:
        return ()
    return ("These are not quite the records that the model was trained on: they were changed, or others were given.",)
