"""Batch normalisation by the statistics of the whole global batch, of which each process has a part.

torch's SyncBatchNorm refuses CPUs, and its derivative cannot be derived again, which R1 and R2 ask for. Here each process
puts the mean, the sum of squares around it and the count of its rows into a table that all add up; from there on it is
ordinary arithmetic (Chan et al. 1979, Updating formulae and a pairwise algorithm), which autograd derives at will.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ganwright.runtime.distributed import is_meeting, rank, summed_within, world_size


def joint_statistics(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Mean (C,), variance (C,) divided by N, and N (), of x (B, C, ...) over all processes."""
    dims = [dim for dim in range(x.ndim) if dim != 1]
    rows = x.numel() // x.shape[1]
    mean = x.mean(dims)
    around = (x - mean.view(1, -1, *(1,) * (x.ndim - 2))).square().sum(dims)
    row = torch.cat([mean, around, mean.new_tensor([rows])])
    place = torch.zeros(world_size(), 1, dtype=row.dtype, device=row.device)
    place[rank()] = 1
    means, arounds, counts = summed_within(place * row).split([x.shape[1], x.shape[1], 1], 1)
    count = counts.sum()
    joint = (counts * means).sum(0) / count
    return joint, (arounds + counts * (means - joint).square()).sum(0) / count, count


def normalised(x: Tensor, mean: Tensor, variance: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float) -> Tensor:
    """x (B, C, ...) by these statistics (C,), scaled and shifted."""
    shape = (1, -1, *(1,) * (x.ndim - 2))
    scale = (variance + eps).rsqrt()
    scale = scale if weight is None else scale * weight
    shift = -mean * scale if bias is None else bias - mean * scale
    return x * scale.view(shape) + shift.view(shape)


class _Joint(_BatchNorm):
    """Mixed into a class of torch's; what it does alone stays as it is."""

    def forward(self, input: Tensor) -> Tensor:
        if not is_meeting() or not (self.training or self.running_mean is None):
            return super().forward(input)
        self._check_input_dim(input)
        mean, variance, count = joint_statistics(input)
        if self.training and self.track_running_stats and self.running_mean is not None and self.running_var is not None:
            assert self.num_batches_tracked is not None
            with torch.no_grad():
                self.num_batches_tracked.add_(1)
                share = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
                self.running_mean.lerp_(mean, share)
                self.running_var.lerp_(variance * count / (count - 1), share)
        return normalised(input, mean, variance, self.weight, self.bias, self.eps)


@lru_cache
def _joint_class(kind: type[_BatchNorm]) -> Any:
    return type(kind.__name__, (_Joint, kind), {})


def join_statistics(network: nn.Module) -> None:
    """Have every batch normalisation of `network` take the statistics of all processes, while they meet.

    One whose class has a `forward` of its own is left as it is: it knows best.
    """
    for module in network.modules():
        if isinstance(module, _BatchNorm) and type(module).forward is _BatchNorm.forward:
            module.__class__ = _joint_class(type(module))
