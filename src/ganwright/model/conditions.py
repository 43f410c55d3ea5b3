"""What samples are conditioned on: what was asked for, and for the rest what records of the data have together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ganwright.data.joint_rows import rows_of
from ganwright.data.spec import Condition
from ganwright.model.noise import BLOCK
from ganwright.runtime.keys import Key

NEAREST = 16
"""Rows that a sample is drawn from, at least, when a number is asked for: those whose number is nearest,"""
NEAREST_SHARE = 0.02
"""and at least this share of the rows."""


@dataclass(frozen=True)
class Wanted:
    """What one condition is to be."""

    places: tuple[int, ...] = ()
    """Of a class: one of these."""
    low: float = 0.0
    """Of a number, as the networks are told it: from here"""
    high: float = 0.0
    """to here; in a circle past its end, where it is below `low`."""
    labels: tuple[float, ...] = ()
    """Of each label 1 if it is to hold, 0 if not, NaN if it does not matter."""


@dataclass(frozen=True, eq=False)
class Wish:
    """What one condition is to be in each of n samples."""

    choices: tuple[Wanted | None, ...]
    """The different ones; None where nothing is asked for."""
    which: np.ndarray
    """int64 (n,): the choice of each sample."""


Asked = dict[str, Wish]
"""By the condition's name."""


def draw_conditions(conditions: Sequence[Condition], count: int, key: Key) -> dict[str, Tensor]:
    """Conditions as the data have them, (count, ...) each on the CPU: see `Condition`.

    Several of them are those of one record of the data, if the model keeps some; else each is drawn by itself, classes in
    the data's shares, and evenly where nobody counted them.
    """
    return {name: torch.from_numpy(column) for name, column in _drawn(conditions, count, key, [{}] * count).items()}


def sample_conditions(conditions: Sequence[Condition], start: int, stop: int, seed: int, asked: Asked) -> dict[str, Tensor]:
    """The conditions of samples start..stop-1, whole blocks: what was asked for, the rest drawn for (seed, i)."""
    blocks: list[dict[str, np.ndarray]] = []
    for first in range(start, stop, BLOCK):
        key = Key(seed, step=first // BLOCK, turn="sample")
        wishes: list[dict[str, Wanted]] = [{} for _ in range(BLOCK)]
        for name, wish in asked.items():
            for i, choice in enumerate(wish.which[first : first + BLOCK].tolist()):
                if (wanted := wish.choices[choice]) is not None:
                    wishes[i][name] = wanted
        blocks.append(_drawn(conditions, BLOCK, key, wishes))
    return {each.name: torch.from_numpy(np.concatenate([block[each.name] for block in blocks])) for each in conditions}


def one_row_a_class(condition: Condition, rows: int, columns: int) -> Asked:
    """The first `rows` classes, each `columns` times."""
    count = min(rows, len(condition.classes))
    choices = tuple(Wanted(places=(place,)) for place in range(count))
    return {condition.name: Wish(choices, np.repeat(np.arange(count, dtype=np.int64), columns))}


def _drawn(
    conditions: Sequence[Condition], count: int, key: Key, wishes: Sequence[dict[str, Wanted]]
) -> dict[str, np.ndarray]:
    """`count` samples' conditions, each a function of its place, the key and its own wish."""
    found = _joint(conditions, count, key, wishes) or {each.name: _alone(each, count, key) for each in conditions}
    for condition in conditions:
        random = None
        for i, wish in enumerate(wishes):
            if (wanted := wish.get(condition.name)) is not None:
                random = key.generator(f"wish {condition.name}").random(count) if random is None else random
                _fulfil(condition, wanted, found[condition.name], i, float(random[i]))
    return found


def _alone(condition: Condition, count: int, key: Key) -> np.ndarray:
    """Draws of one condition by itself."""
    random = key.generator(f"condition {condition.name}")
    if condition.kind == "number":
        return (2 * random.random(count) - 1).astype(np.float32)
    if condition.kind == "labels":
        return (random.random((count, len(condition.classes))) < 0.5).astype(np.float32)
    counts = np.array(condition.counts or (1,) * len(condition.classes), np.float64)
    return random.choice(len(counts), count, p=counts / counts.sum()).astype(np.int64)


def _joint(
    conditions: Sequence[Condition], count: int, key: Key, wishes: Sequence[dict[str, Wanted]]
) -> dict[str, np.ndarray]:
    """Conditions of kept rows, of such as agree with a sample's wish where there are any; {} where none are kept."""
    rows = {each.name: rows_of(each) for each in conditions if each.rows}
    if not rows or len(rows) < len(conditions) or not len(next(iter(rows.values()))):
        return {}
    of_all = np.arange(len(next(iter(rows.values()))))
    random = key.generator("condition rows").random(count)
    agreeing: dict[tuple[tuple[str, Wanted], ...], np.ndarray] = {}
    places = np.empty(count, np.int64)
    for i, wish in enumerate(wishes):
        exact = tuple(sorted(wish.items(), key=lambda pair: pair[0]))
        if exact not in agreeing:
            agreeing[exact] = _agreeing(conditions, rows, wish) if wish else of_all
        some = agreeing[exact]
        places[i] = some[min(int(random[i] * len(some)), len(some) - 1)]
    return {name: column[places] for name, column in rows.items()}


def _agreeing(conditions: Sequence[Condition], rows: dict[str, np.ndarray], wish: dict[str, Wanted]) -> np.ndarray:
    """The places of rows that a wish may be drawn from: those of its classes and labels, if any; of these the nearest."""
    count = len(next(iter(rows.values())))
    distance, near = np.zeros(count), np.zeros(count)
    for condition in conditions:
        if (wanted := wish.get(condition.name)) is None:
            continue
        column = rows[condition.name]
        if condition.kind == "class":
            distance += ~np.isin(column, wanted.places)
        elif condition.kind == "labels":
            wanted_labels = np.array(wanted.labels)
            distance += (~np.isnan(wanted_labels) & (column != wanted_labels)).sum(1)
        else:
            near += _outside(condition, column, wanted)
    # Where no row is all that is asked for, those that are most of it.
    some = np.flatnonzero(distance == distance.min())
    most = max(NEAREST, int(NEAREST_SHARE * len(some)), int((near[some] == 0).sum()))
    return np.sort(some[np.argsort(near[some], kind="stable")[:most]]) if near.any() else some


def _outside(condition: Condition, column: np.ndarray, wanted: Wanted) -> np.ndarray:
    """How far numbers (R,) lie from the range that is wanted; 0 within it."""
    if not condition.circular:
        return np.maximum(0.0, np.maximum(wanted.low - column, column - wanted.high)).astype(np.float64)
    # Going round once is 2: how far behind the range's beginning, less how long that is.
    length = (wanted.high - wanted.low) % 2
    behind = (column.astype(np.float64) - wanted.low) % 2
    return np.where(behind <= length, 0.0, np.minimum(behind - length, 2 - behind))


def _fulfil(condition: Condition, wanted: Wanted, column: np.ndarray, i: int, random: float) -> None:
    """Makes sample i's value what is wanted, unless it is."""
    if condition.kind == "class":
        if int(column[i]) not in wanted.places:
            counts = np.array([condition.counts[p] if condition.counts else 1 for p in wanted.places], np.float64)
            shares = np.cumsum(counts if counts.any() else counts + 1)
            column[i] = wanted.places[int(np.searchsorted(shares, random * shares[-1], "right"))]
    elif condition.kind == "labels":
        labels = np.array(wanted.labels, np.float32)
        column[i] = np.where(np.isnan(labels), column[i], labels)
    elif _outside(condition, column[i : i + 1], wanted)[0] > 0 or wanted.low == wanted.high:
        length = (wanted.high - wanted.low) % 2 if condition.circular else wanted.high - wanted.low
        value = wanted.low + random * length
        column[i] = (value + 1) % 2 - 1 if condition.circular else value
