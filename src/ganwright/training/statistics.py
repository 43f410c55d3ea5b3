"""What networks keep of the batches they saw: it moves in its owner's turn only, and is estimated anew for averages."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm as BatchNorm
from torch.nn.utils.parametrizations import _SpectralNorm as SpectralNorm
from torch.nn.utils.spectral_norm import SpectralNorm as SpectralNormHook


def batch_norms(network: nn.Module) -> list[BatchNorm]:
    """The layers of `network` that keep running statistics."""
    return [module for module in network.modules() if isinstance(module, BatchNorm) and module.running_mean is not None]


@contextmanager
def held_statistics(network: nn.Module, vectors_only: bool = False) -> Generator[None]:
    """Keep running statistics and spectral vectors still; a batch is normalised by its own, as always in training.

    Layers of our own that keep anything else offer a flag `hold_statistics`.

    Args:
        vectors_only: keep nothing still but spectral vectors.
    """
    held = [
        (module, name, value, getattr(module, name))
        for module in network.modules()
        if not vectors_only or _has_vectors(module)
        for name, value in _switches(module)
    ]
    for module, name, value, _ in held:
        setattr(module, name, value)
    try:
        yield
    finally:
        for module, name, _, before in held:
            setattr(module, name, before)


def _switches(module: nn.Module) -> list[tuple[str, Any]]:
    """The attributes that keep `module` from moving, with their values."""
    if isinstance(module, BatchNorm):
        return [("track_running_stats", False)] if module.track_running_stats and module.running_mean is not None else []
    if _has_vectors(module):
        return [("training", False)]  # of the layer alone, whose vectors then stay as they are
    return [("hold_statistics", True)] if hasattr(module, "hold_statistics") else []


def _has_vectors(module: nn.Module) -> bool:
    old = any(isinstance(hook, SpectralNormHook) for hook in module._forward_pre_hooks.values())
    return isinstance(module, SpectralNorm) or old


def moved_once(network: nn.Module, first: bool) -> AbstractContextManager[None]:
    """Of a turn that is worked on in parts, the first moves spectral vectors, so that all meet the same weights."""
    return nullcontext() if first else held_statistics(network, vectors_only=True)


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
