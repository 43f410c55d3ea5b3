"""What layers of ours draw by themselves, so that it does not depend on how many processes share a batch.

Where rows of a batch are worked on apart, each layer draws for the whole batch and takes its rows of that.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor

Draw = Callable[[tuple[int, ...], torch.Generator | None], Tensor]
"""Draws a tensor of this shape, from a generator or, without one, from torch's global one."""


@dataclass
class JointDraws:
    """The draws of one turn."""

    rows: slice
    """Of the global batch, that are worked on here."""
    batch: int
    seed: int
    """That torch's global generator would have if all rows were worked on at once."""
    device: str
    _generator: torch.Generator = field(init=False)

    def __post_init__(self) -> None:
        self._generator = torch.Generator(self.device).manual_seed(self.seed)

    @property
    def count(self) -> int:
        """Of rows that are worked on here."""
        return len(range(self.batch)[self.rows])

    def drawn(self, shape: tuple[int, ...], draw: Draw) -> Tensor:
        """These rows of a draw for the whole batch, (k * count, ...), where several batches may lie one after another."""
        times = shape[0] // self.count
        whole = draw((times * self.batch, *shape[1:]), self._generator)
        return whole.view(times, self.batch, *shape[1:])[:, self.rows].reshape(shape)


_now: JointDraws | None = None


@contextmanager
def drawing(draws: JointDraws | None) -> Generator[None]:
    """Layers draw so meanwhile; None where a batch is whole."""
    global _now
    before, _now = _now, draws
    try:
        yield
    finally:
        _now = before


def drawn(shape: tuple[int, ...], draw: Draw) -> Tensor:
    """What a layer draws for values of `shape`, whose first axis are the records at hand."""
    if _now is None or shape[0] % _now.count:
        return draw(shape, None)
    return _now.drawn(shape, draw)
