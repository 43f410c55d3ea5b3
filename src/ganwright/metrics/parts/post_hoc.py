"""Small recurrent networks that are trained after the fact, to tell series apart and to look a step ahead.

As Yoon et al. 2019 (TimeGAN, NeurIPS) judge series; numbers are scaled to 0..1 by the training series, gaps become 0 with a
flag beside them, and every random number follows from the seed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from ganwright.data.series.values import SeriesValues
from ganwright.metrics.parts.rank_test import rank_test
from ganwright.runtime.background import side_by_side
from ganwright.runtime.keys import Key

BATCH = 128
TEST_SHARE = 0.2
Learned = TypeVar("Learned")
_FIRST_WEIGHTS = threading.Lock()


@dataclass(frozen=True)
class Training:
    """How such a network is trained."""

    iterations: int
    rate: float
    width: int | None = None
    """Of its state; None: half of the columns, at least 16."""
    passes: int | None = 40
    """Over the series, at most: few series need no long training; None: as many as come."""

    def width_for(self, columns: int) -> int:
        """Of its state for so many columns."""
        return self.width or max(16, columns // 2)


class Scaled:
    """Scales numbers by what training series have: 0 for the lowest of a column, 1 for the highest."""

    def __init__(self, train: SeriesValues) -> None:
        low, high = np.nanmin(train.values, (0, 1)), np.nanmax(train.values, (0, 1))
        self._low, self._range = np.nan_to_num(low), np.where(high > low, high - low, 1)
        alive = np.arange(train.values.shape[1]) < train.lengths[:, None]
        self._flagged = np.isnan(train.values[alive]).any(0)

    def __call__(self, series: SeriesValues) -> Tensor:
        """(N, T, D + flags): scaled numbers, 0 where there is none, and of columns with gaps whether there is one."""
        scaled = (series.values - self._low) / self._range
        gaps = np.isnan(scaled)
        found = np.concatenate([np.where(gaps, 0, scaled), gaps[:, :, self._flagged]], 2)
        return torch.from_numpy(np.clip(found, -4, 4).astype(np.float32))

    def known(self, series: SeriesValues) -> Tensor:
        """bool (N, T, D): which numbers are there."""
        return torch.from_numpy(~np.isnan(series.values))


class _Judge(nn.Module):
    """A recurrent layer, and a number for the whole series or for each step."""

    def __init__(self, columns: int, width: int, each_step: bool) -> None:
        super().__init__()
        self.course = nn.GRU(columns, width, batch_first=True)
        self.out = nn.Linear(width, 1)
        self.each_step = each_step

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        hidden = self.course(x)[0]
        if self.each_step:
            return self.out(hidden).squeeze(2)
        return self.out(hidden[torch.arange(len(x)), lengths - 1]).squeeze(1)


@dataclass(frozen=True)
class Apart:
    """How well one judge told series apart, on those that it did not learn from."""

    auc: float
    accuracy: float


def tell_apart(real: SeriesValues, fake: SeriesValues, scaled: Scaled, how: Training, key: Key) -> Apart:
    """Learn to tell as many real series from made ones, and try it on a fifth of both."""
    count = min(len(real), len(fake))
    sides = [(scaled(each), torch.from_numpy(np.maximum(each.lengths, 1))) for each in (real, fake)]
    draw = key.generator("split")
    orders = [draw.permutation(count) for _ in sides]
    tested = max(1, round(TEST_SHARE * count))
    judge = _judge(key, sides[0][0].shape[2], how.width_for(len(real.names)), each_step=False)
    optimizer = torch.optim.Adam(judge.parameters(), lr=how.rate)
    labels = torch.tensor([1.0, 0.0]).repeat_interleave(BATCH)
    for _ in range(_iterations(how, count - tested)):
        places = [torch.from_numpy(draw.choice(order[tested:], BATCH)) for order in orders]
        # Both sides in one call, which takes hardly longer than one of them.
        x, lengths = (
            torch.cat([of_side[some] for of_side, some in zip(parts, places, strict=True)])
            for parts in zip(*sides, strict=True)
        )
        loss = 2 * binary_cross_entropy_with_logits(judge(x, lengths), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        on_real, on_fake = (
            judge(x[torch.from_numpy(order[:tested])], lengths[torch.from_numpy(order[:tested])]).numpy()
            for (x, lengths), order in zip(sides, orders, strict=True)
        )
    right = (on_real > 0).mean() / 2 + (on_fake <= 0).mean() / 2
    return Apart(1 - rank_test(on_real, on_fake).smaller, float(right))


def look_ahead(learned: SeriesValues, tested: SeriesValues, scaled: Scaled, how: Training, key: Key) -> float:
    """The mean error of the last column's next number, in parts of its range, after learning from `learned`.

    It is told of a step by the other columns, or by the only one there is.
    """
    columns = len(learned.names)
    target = columns - 1
    seen = [place for place in range(scaled(learned.take(slice(1))).shape[2]) if columns == 1 or place != target]
    x, known = scaled(learned), scaled.known(learned)[:, 1:, target]
    draw = key.generator("batches")
    judge = _judge(key, len(seen), how.width_for(columns), each_step=True)
    optimizer = torch.optim.Adam(judge.parameters(), lr=how.rate)
    ones = torch.ones(BATCH, dtype=torch.int64)
    for _ in range(_iterations(how, len(x))):
        places = torch.from_numpy(draw.choice(len(x), BATCH))
        said = judge(x[places][:, :-1, seen], ones).sigmoid()
        loss = _error(said, x[places][:, 1:, target], known[places])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        x, known = scaled(tested), scaled.known(tested)[:, 1:, target]
        return float(_error(judge(x[:, :-1, seen], ones).sigmoid(), x[:, 1:, target], known))


def for_each(keys: Sequence[Key], learn: Callable[[Key], Learned]) -> list[Learned]:
    """learn(key) of each, side by side, each by a thread that computes alone: for so small networks two are no quicker."""
    return list(side_by_side("ganwright-judge", learn, keys, min(torch.get_num_threads(), len(keys))))


def _judge(key: Key, columns: int, width: int, *, each_step: bool) -> _Judge:
    with _FIRST_WEIGHTS, torch.random.fork_rng(devices=[]):  # torch draws weights from one generator for all threads
        torch.manual_seed(key.seed_for("judge"))
        return _Judge(columns, width, each_step)


def _error(said: Tensor, meant: Tensor, known: Tensor) -> Tensor:
    return ((said - meant).abs() * known).sum() / known.sum().clamp(min=1)


def _iterations(how: Training, count: int) -> int:
    return how.iterations if how.passes is None else min(how.iterations, how.passes * -(-count // BATCH))
