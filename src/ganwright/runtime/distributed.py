"""Several processes as one; every function is safe, and does nothing, in a lone process."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import torch
import torch.distributed
from torch import Tensor

from ganwright.runtime.nearby import HALF, Nearby

LEADER = 0
"""The process that decides, speaks and saves."""


def world_size() -> int:
    """How many processes train together."""
    return torch.distributed.get_world_size() if _together() else 1


def rank() -> int:
    """This process's number, `LEADER` in the one that speaks and saves."""
    return torch.distributed.get_rank() if _together() else LEADER


def share_of(count: int) -> slice:
    """The places of a global batch of `count` that belong to this process: every world_size-th, from its rank on.

    So of data that are dealt out to readers by their place, a process always meets the same ones (`data/shards.py`).
    """
    return slice(rank(), count, world_size())


def parts_of(count: int, parts: int) -> list[slice]:
    """This process's places of a global batch of `count`, in up to `parts` parts that are as large as can be.

    Every process has as many parts as the others, since they meet in each.
    """
    size, first = world_size(), rank()
    mine = len(range(first, count, size))
    parts = max(1, min(parts, count // size))
    edges = [mine * part // parts for part in range(parts + 1)]
    return [slice(first + size * a, min(count, first + size * b), size) for a, b in pairwise(edges)]


def sum_over_processes(gradients: Iterable[Tensor], numbers: dict[str, Tensor]) -> dict[str, Tensor]:
    """Replace each gradient by its sum over all processes, and give the sums of the numbers (), in one flat exchange."""
    if world_size() == 1:
        return numbers
    each = [*gradients, *numbers.values()]
    flat = torch.cat([value.reshape(-1) for value in each])
    _add(flat)
    sums = [part.view_as(value) for value, part in zip(each, flat.split([value.numel() for value in each]), strict=True)]
    first = len(each) - len(numbers)
    torch._foreach_copy_(each[:first], sums[:first])  # pyright: ignore[reportPrivateImportUsage]
    return {name: part.clone() for name, part in zip(numbers, sums[first:], strict=True)}


def summed(value: Tensor) -> Tensor:
    """The sum of `value` over all processes; nothing flows back through it."""
    if world_size() == 1:
        return value
    total = value.detach().clone(memory_format=torch.contiguous_format)
    _add(total.view(-1))
    return total


def from_leader(value: Tensor) -> Tensor:
    """Replace `value`, on the CPU, by what the leader has there, and give it."""
    if world_size() == 1:
        return value
    if _nearby is not None and value.nbytes <= HALF:
        return value.copy_(_nearby.gathered(value)[LEADER].view_as(value))
    torch.distributed.broadcast(value, LEADER)
    return value


def gathered(value: Tensor) -> list[Tensor]:
    """What each process has as its `value`, in their order; all are of one shape, and nothing flows back."""
    if world_size() == 1:
        return [value.detach()]
    mine = value.detach().contiguous()
    if _nearby is not None and mine.device.type == "cpu" and mine.nbytes <= HALF:
        return _nearby.gathered(mine)
    every = [torch.empty_like(mine) for _ in range(world_size())]
    torch.distributed.all_gather(every, mine)
    return every


def summed_within(value: Tensor) -> Tensor:
    """The sum of `value` over all processes, as a part of what each of them differentiates.

    A loss is the sum of what each process has of it. So what flows back is the sum of what flows back in each, and so on for
    the derivatives of that.
    """
    result: Tensor = _Sum.apply(value) if world_size() > 1 else value
    return result


class _Sum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        return summed(value)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        return _Sum.apply(gradient)


_nearby: Nearby | None = None


def come_near(others: Nearby | None) -> None:
    """From now on, what lies on the CPU goes by this way, where there is one, instead of torch's."""
    global _nearby
    _nearby = others


def _add(flat: Tensor) -> None:
    """Replace (N,) by its sum over all processes."""
    if _nearby is not None and flat.device.type == "cpu":
        _nearby.add(flat)
    else:
        torch.distributed.all_reduce(flat)


_meeting = False


@contextmanager
def meeting() -> Generator[None]:
    """All processes do the same meanwhile, so that layers may speak to each other; elsewhere they must not."""
    global _meeting
    before, _meeting = _meeting, True
    try:
        yield
    finally:
        _meeting = before


def is_meeting() -> bool:
    """Whether batch statistics are of all processes together."""
    return _meeting and world_size() > 1


def _together() -> bool:
    return torch.distributed.is_available() and torch.distributed.is_initialized()
