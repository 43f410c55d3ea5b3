"""What samples are conditioned on: asked for by name, or drawn as often as the data had it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganwright.core.errors import UsageError
from ganwright.core.suggest import unknown_name_hints
from ganwright.data.spec import Condition
from ganwright.model.noise import BLOCK
from ganwright.runtime.keys import Key

Asked = Mapping[str, np.ndarray]
"""Class places, int64 (n,), by the condition's name."""


def draw_conditions(conditions: Sequence[Condition], count: int, key: Key) -> dict[str, Tensor]:
    """Classes in the data's shares, int64 (count,) on the CPU per condition; evenly where nobody counted them."""
    drawn: dict[str, Tensor] = {}
    for condition in conditions:
        counts = np.array(condition.counts or (1,) * len(condition.classes), np.float64)
        places = key.generator(f"condition {condition.name}").choice(len(counts), count, p=counts / counts.sum())
        drawn[condition.name] = torch.from_numpy(places.astype(np.int64))
    return drawn


def sample_conditions(conditions: Sequence[Condition], start: int, stop: int, seed: int, asked: Asked) -> dict[str, Tensor]:
    """The conditions of samples start..stop-1, whole blocks: what was asked for, the rest drawn for (seed, i)."""
    keys = [Key(seed, step=first // BLOCK, turn="sample") for first in range(start, stop, BLOCK)]
    drawn = [draw_conditions(conditions, BLOCK, key) for key in keys]
    found = {condition.name: torch.cat([block[condition.name] for block in drawn]) for condition in conditions}
    for name, places in asked.items():
        some = places[start:stop]
        found[name][: len(some)] = torch.from_numpy(some)
    return found


def ask(conditions: Sequence[Condition], given: Mapping[str, Any], n: int) -> Asked:
    """What `given` says, {"label": 7} or {"label": ["cat", "dog", ...]}, as places of `n` samples.

    Raises:
        UsageError: the model is not conditioned on that, there is no such class, or not one value per sample.
    """
    known = {condition.name: condition for condition in conditions}
    asked: dict[str, np.ndarray] = {}
    for name, value in given.items():
        if value is None:
            continue
        if name not in known:
            what = f"this model is not conditioned on {name!r}"
            hints = unknown_name_hints(name, known) if known else ("it was trained without conditions",)
            raise UsageError("E-SAMPLE-04", what, hints=hints)
        if isinstance(value, str) or np.ndim(value) == 0:
            asked[name] = np.full(n, _place(known[name], value), np.int64)
            continue
        if len(value) != n:
            raise UsageError(
                "E-SAMPLE-05", f"{name}: {len(value)} values for {n} samples", hints=("one, or as many as samples",)
            )
        places = {each: _place(known[name], each) for each in dict.fromkeys(map(_word, value))}
        asked[name] = np.array([places[_word(each)] for each in value], np.int64)
    return asked


def one_row_a_class(condition: Condition, rows: int, columns: int) -> Asked:
    """The first `rows` classes, each `columns` times."""
    return {condition.name: np.repeat(np.arange(min(rows, len(condition.classes)), dtype=np.int64), columns)}


def _word(value: Any) -> str:
    return str(value.item() if hasattr(value, "item") else value)


def _place(condition: Condition, value: Any) -> int:
    word = _word(value)
    if word not in condition.classes:
        hints = unknown_name_hints(word, condition.classes)
        raise UsageError("E-SAMPLE-06", f"{condition.name} {word!r} is not one that the model knows", hints=hints)
    return condition.classes.index(word)
