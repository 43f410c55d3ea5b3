"""Running statistics of batch normalisation: they move in their owner's turn only, and are estimated anew for averages."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager

import torch
from torch import nn

BatchNorm = nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d | nn.SyncBatchNorm


def batch_norms(network: nn.Module) -> list[BatchNorm]:
    """The layers of `network` that keep running statistics."""
    return [module for module in network.modules() if isinstance(module, BatchNorm) and module.running_mean is not None]


@contextmanager
def held_statistics(network: nn.Module) -> Generator[None]:
    """Keep running statistics still; the batch's own are used for normalising, as always while training."""
    norms = [norm for norm in batch_norms(network) if norm.track_running_stats]
    for norm in norms:
        norm.track_running_stats = False
    try:
        yield
    finally:
        for norm in norms:
            norm.track_running_stats = True


@torch.no_grad()
def estimate_statistics(network: nn.Module, batches: int, run_batch: Callable[[int], object]) -> None:
    """Set the running statistics to their mean over `run_batch(0)` ... `run_batch(batches - 1)`; the rest stays in eval."""
    norms = batch_norms(network)
    if not norms:
        return
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over the batches that follow
        norm.train()
    for number in range(batches):
        run_batch(number)
    for norm in norms:
        norm.eval()
