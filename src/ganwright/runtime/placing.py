"""Networks put where they compute, in the order of memory that suits it."""

from __future__ import annotations

import torch
from torch import nn


def place(network: nn.Module, device: str) -> None:
    """Move the weights there; those of convolutions lie channels last, which suits every device we know."""
    network.to(device)
    for parameter in network.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
