"""Layers whose weight is divided by its largest singular value."""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.nn.utils.parametrizations import _SpectralNorm

Module = TypeVar("Module", bound=nn.Module)


class SpectralNorm(_SpectralNorm):
    """Miyato et al. 2018 (arXiv:1802.05957), algorithm 1, in single precision whatever the rest is computed in.

    With singular vectors in half precision the norm would be of little use. `training.statistics` keeps the vectors still
    where they are not to move.
    """

    def forward(self, weight: Tensor) -> Tensor:
        device = weight.device.type
        if not torch.amp.is_autocast_available(device):  # the meta device has none
            return super().forward(weight)
        with torch.autocast(device, enabled=False):
            return super().forward(weight)


def spectral(layer: Module) -> Module:
    """The layer, its `weight` (out, in, ...) normalised from now on."""
    weight = layer.weight
    assert isinstance(weight, Tensor)
    parametrize.register_parametrization(layer, "weight", SpectralNorm(weight))
    return layer


def all_spectral(network: Module) -> Module:
    """The network with every convolution, linear layer and table of vectors in it normalised."""
    for layer in list(network.modules()):
        if isinstance(layer, nn.Conv2d | nn.Linear | nn.Embedding):
            spectral(layer)
    return network
