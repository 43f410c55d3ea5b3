"""What a network keeps of its batches moves when it should, and not otherwise."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from ganwright.training.statistics import held_statistics


def old_spectral_norm() -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return nn.utils.spectral_norm(nn.Linear(6, 6))


class Counting(nn.Module):
    """A layer of ours that moves with every call, unless it is asked to hold."""

    def __init__(self) -> None:
        super().__init__()
        self.hold_statistics = False
        self.calls: Tensor
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        if self.training and not self.hold_statistics:
            self.calls += 1
        return x


LAYERS: dict[str, Callable[[], nn.Module]] = {
    "batch norm": lambda: nn.BatchNorm1d(6),
    "spectral norm": lambda: parametrizations.spectral_norm(nn.Linear(6, 6)),
    "old spectral norm": old_spectral_norm,
    "ours": Counting,
}


def buffers(network: nn.Module) -> list[Tensor]:
    return [buffer.clone() for buffer in network.buffers()]


@pytest.mark.parametrize("name", LAYERS)
def test_held_layers_do_not_move_and_others_do(name: str) -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(6, 6), LAYERS[name](), nn.Dropout(0.5)).train()
    x = torch.randn(8, 6)
    before = buffers(network)
    with held_statistics(network):
        network(x)
    assert all(torch.equal(old, new) for old, new in zip(before, buffers(network), strict=True))
    assert all(module.training for module in network.modules()), "and everything is as it was"
    network(x)
    assert any(not torch.equal(old, new) for old, new in zip(before, buffers(network), strict=True))


def test_a_held_batch_is_normalised_by_its_own_statistics_and_dropped_out_of() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.BatchNorm1d(6), nn.Dropout(0.5)).train()
    x = torch.randn(64, 6) * 3 + 5
    with held_statistics(network):
        y = network(x)
    assert float((y == 0).float().mean()) == pytest.approx(0.5, abs=0.1)
    plain = copy.deepcopy(network[0])(x)
    assert torch.allclose(y[y != 0], 2 * plain[y != 0])
