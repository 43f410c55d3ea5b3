"""Several processes as one; every function is safe, and does nothing, in a lone process."""

from __future__ import annotations

from collections.abc import Iterable

import torch
import torch.distributed
from torch import Tensor


def world_size() -> int:
    """How many processes train together."""
    return torch.distributed.get_world_size() if _together() else 1


def rank() -> int:
    """This process's number, 0 in the one that speaks and saves."""
    return torch.distributed.get_rank() if _together() else 0


def share_of(count: int) -> slice:
    """The places of a global batch of `count` that belong to this process; shares differ by at most one."""
    size, mine = world_size(), rank()
    return slice(count * mine // size, count * (mine + 1) // size)


def sum_gradients(parameters: Iterable[Tensor]) -> None:
    """Replace each gradient by its sum over all processes, in one flat exchange."""
    if world_size() == 1:
        return
    gradients = [p.grad for p in parameters if p.grad is not None]
    flat = torch.cat([g.reshape(-1) for g in gradients])
    torch.distributed.all_reduce(flat)
    for gradient, part in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
        gradient.copy_(part.view_as(gradient))


def summed(value: Tensor) -> Tensor:
    """The sum of `value` over all processes."""
    if world_size() == 1:
        return value
    total = value.clone()
    torch.distributed.all_reduce(total)
    return total


def _together() -> bool:
    return torch.distributed.is_available() and torch.distributed.is_initialized()
