"""One player's weights: let them gather gradients, move them, and hold them still again."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.nn.utils import get_total_norm

from ganwright.runtime.distributed import sum_over_processes

Report = dict[str, Tensor]
"""Numbers of one step, as detached scalars still on the device: reading one is what waits for it."""


def added(reports: Iterable[Report]) -> Report:
    """The reports of a turn's parts as one."""
    first, *others = reports
    return {name: sum((each[name] for each in others), start=value) for name, value in first.items()}


def unfreeze(optimizer: torch.optim.Optimizer) -> None:
    """Let the optimizer's weights, and no others, gather gradients, from nothing."""
    optimizer.zero_grad(set_to_none=True)
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            parameter.requires_grad_(True)


def update(player: str, optimizer: torch.optim.Optimizer, network: torch.nn.Module, report: Report) -> Report:
    """Move `network` down the gradients that were gathered, over all processes, and freeze it again; gives their report."""
    network.requires_grad_(False)
    gradients = [weight.grad for weight in network.parameters() if weight.grad is not None]
    report = sum_over_processes(gradients, report)
    report[f"{player}_gradient"] = get_total_norm(gradients)
    optimizer.step()
    return report
