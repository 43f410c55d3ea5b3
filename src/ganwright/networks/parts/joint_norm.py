"""Batch normalisation by the statistics of the whole global batch, of which each process has a part.

torch's SyncBatchNorm refuses CPUs, and its derivative cannot be derived again, which R1 and R2 ask for. Here each process
puts the mean, the sum of squares around it and the count of its rows into a table that all get (Chan et al. 1979,
Updating formulae and a pairwise algorithm). What follows is there twice: in torch's own kernels, as quick as in a lone
process, and in ordinary arithmetic, for a derivative that is to be derived again.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ganwright.runtime.distributed import gathered, is_meeting, rank, summed, summed_within, world_size


def normalised_by_all(
    x: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """x (B, C, ...), of which other processes have more rows, normalised by the statistics of all, scaled and shifted (C,).

    Gives the mean (C,), the variance (C,) divided by N, and N () too, through which nothing flows back.
    """
    y, mean, variance, count = _ByAll.apply(x, weight, bias, eps)
    return y, mean, variance, count


class _ByAll(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float) -> tuple[Tensor, ...]:
        # Of statistics that it may move, by nothing, the kernel takes over that they are more exact than bfloat16.
        still = torch.zeros(x.shape[1], dtype=torch.promote_types(x.dtype, torch.float32), device=x.device)
        own_mean, own_variance = torch.ops.aten.batch_norm_update_stats(x, still, still, 0.0)
        rows = x.numel() // x.shape[1]
        mean, variance, count = _joined(torch.stack(gathered(_row(own_mean, own_variance * rows, rows))))
        y = torch.batch_norm(x, weight, bias, mean, variance, False, 0.0, eps, torch.backends.cudnn.enabled)
        ctx.eps = eps
        ctx.save_for_backward(x, weight, bias, mean, variance, count)
        ctx.mark_non_differentiable(mean, variance, count)
        return y, mean, variance, count

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        x, weight, bias, mean, variance, count = ctx.saved_tensors
        slope = gradients[0]
        wanted = ctx.needs_input_grad[:3]
        if torch.is_grad_enabled():
            inputs = [value for value, want in zip((x, weight, bias), wanted, strict=True) if want]
            found = iter(torch.autograd.grad(_by_arithmetic(x, weight, bias, ctx.eps), inputs, slope, create_graph=True))
            return *(next(found) if want else None for want in wanted), None
        inverse = (variance + ctx.eps).rsqrt()
        # By fixed statistics the kernel gives sum(slope * (x - mean)) * inverse, and sum(slope).
        _, along, total = torch.ops.aten.native_batch_norm_backward(
            slope, x, torch.ones_like(mean), mean, variance, None, None, False, ctx.eps, (False, True, True)
        )
        downhill = _downhill(x, slope, mean, inverse, weight, summed(torch.stack([along, total])) / count)
        return downhill if wanted[0] else None, along if wanted[1] else None, total if wanted[2] else None, None


def _downhill(x: Tensor, slope: Tensor, mean: Tensor, inverse: Tensor, weight: Tensor | None, means: Tensor) -> Tensor:
    """What flows back to x: scale * (slope - means[1] - (x - mean) * inverse * means[0]), in two passes."""
    scale = inverse if weight is None else inverse * weight
    along, total = means
    of_x = -scale * inverse * along
    rest = -scale * total - of_x * mean
    # x * of_x + rest, by the kernel that normalises: torch's addcmul takes five times as long for it in bfloat16.
    zero, one = torch.zeros_like(mean), torch.ones_like(mean)
    y = torch.batch_norm(x, of_x, rest, zero, one, False, 0.0, 0.0, torch.backends.cudnn.enabled)
    return y.addcmul_(slope, scale.to(x.dtype).view(1, -1, *(1,) * (x.ndim - 2)))


def _by_arithmetic(x: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float) -> Tensor:
    """The same as `normalised_by_all`, at the price of several passes over x and of what they keep."""
    shape = (1, -1, *(1,) * (x.ndim - 2))
    dims = [dim for dim in range(x.ndim) if dim != 1]
    own_mean = x.mean(dims)
    around = (x - own_mean.view(shape)).square().sum(dims)
    place = torch.zeros(world_size(), 1, dtype=own_mean.dtype, device=x.device)
    place[rank()] = 1
    mean, variance, _ = _joined(summed_within(place * _row(own_mean, around, x.numel() // x.shape[1])))
    scale = (variance + eps).rsqrt()
    scale = scale if weight is None else scale * weight
    shift = -mean * scale if bias is None else bias - mean * scale
    return x * scale.view(shape) + shift.view(shape)


def _row(mean: Tensor, around: Tensor, rows: int) -> Tensor:
    """This process's row (2 C + 1) of the table."""
    return torch.cat([mean, around, mean.new_tensor([rows])])


def _joined(table: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Mean (C,), variance (C,) divided by N, and N (), from the table of all processes."""
    channels = table.shape[1] // 2
    means, arounds, counts = table.split([channels, channels, 1], 1)
    count = counts.sum()
    mean = (counts * means).sum(0) / count
    return mean, (arounds + counts * (means - mean).square()).sum(0) / count, count


class _Joint(_BatchNorm):
    """Mixed into a class of torch's; what it does alone stays as it is."""

    def forward(self, input: Tensor) -> Tensor:
        if not is_meeting() or not (self.training or self.running_mean is None):
            return super().forward(input)
        self._check_input_dim(input)
        y, mean, variance, count = normalised_by_all(input, self.weight, self.bias, self.eps)
        if self.training and self.track_running_stats and self.running_mean is not None and self.running_var is not None:
            assert self.num_batches_tracked is not None
            with torch.no_grad():
                self.num_batches_tracked.add_(1)
                share = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
                self.running_mean.lerp_(mean, share)
                self.running_var.lerp_(variance * count / (count - 1), share)
        return y


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
