"""Weights divided by their largest singular value, whose vectors move once in their owner's turn."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from support import tiny_config, tiny_dataset, train
from torch import Tensor, nn

from ganwright.networks.parts.downsampling import ConvDownsample2d
from ganwright.networks.parts.spectral import SpectralNorm, all_spectral, spectral
from ganwright.networks.resnet import Resnet
from ganwright.optimizers.sgd import Sgd
from ganwright.regularizers.gradient_penalty import GradientPenalty
from ganwright.regularizers.r1 import R1
from ganwright.training.state import TrainState, initial_state
from ganwright.training.statistics import moved_once

NETWORK = Resnet(latent=8, width=4, max_width=8)


def vectors(state: TrainState) -> list[Tensor]:
    return [module._u for module in state.discriminator.modules() if isinstance(module, SpectralNorm)]


def test_the_largest_singular_value_is_one() -> None:
    torch.manual_seed(0)
    layer = spectral(nn.Conv2d(5, 7, 3))
    weights = [layer.weight.detach() for _ in range(100)]
    assert float(torch.linalg.matrix_norm(weights[-1].flatten(1), 2)) == pytest.approx(1, abs=1e-3)


def test_under_bf16_the_norm_is_that_of_single_precision() -> None:
    torch.manual_seed(0)
    layer = spectral(nn.Linear(64, 32)).eval()
    with torch.autocast("cpu", torch.bfloat16):
        weight = layer.weight
    assert weight.dtype == torch.float32
    assert torch.equal(weight, layer.weight)


def test_every_kind_of_layer_within_is_found() -> None:
    network = all_spectral(nn.Sequential(nn.Conv2d(2, 3, 3), nn.Sequential(nn.Linear(3, 4), nn.Embedding(5, 6)), nn.ReLU()))
    assert sum(isinstance(module, SpectralNorm) for module in network.modules()) == 3


@pytest.mark.parametrize("penalties", [(), (R1(interval=1), GradientPenalty())], ids=["plain", "penalties"])
@pytest.mark.parametrize("parts", [1, 2])
def test_vectors_move_in_the_discriminators_turn_once(penalties: tuple[object, ...], parts: int) -> None:
    """The weights stand still here, so the vectors tell how often they were moved."""
    still = Sgd(learning_rate=0.0)
    config = tiny_config(network=NETWORK, regularizers=penalties, discriminator_optimizer=still, micro_batches=parts)
    once, start = initial_state(config, tiny_dataset().codec.spec), initial_state(config, tiny_dataset().codec.spec)
    with torch.no_grad():
        once.discriminator(torch.zeros(1, 1, 8, 8))
    state, _ = train(config, 1)
    assert all(torch.equal(moved, expected) for moved, expected in zip(vectors(state), vectors(once), strict=True))
    assert not all(torch.equal(moved, before) for moved, before in zip(vectors(state), vectors(start), strict=True))


def test_parts_of_a_batch_meet_the_same_weights() -> None:
    """The generator's batch normalisation aside, which stands still here."""
    config = tiny_config(network=NETWORK, generator_optimizer=Sgd(learning_rate=0.0), regularizers=(R1(interval=1),))
    at_once, told = train(config, 1)
    in_parts, also_told = train(replace(config, micro_batches=4), 1)
    assert float(told[0]["r1"]) == pytest.approx(also_told[0]["r1"], rel=1e-4)
    assert told[0]["real_logits"] == pytest.approx(also_told[0]["real_logits"], rel=1e-4)
    assert all(torch.equal(a, b) for a, b in zip(vectors(at_once), vectors(in_parts), strict=True))


def test_batch_statistics_move_with_every_part() -> None:
    network = nn.Sequential(nn.BatchNorm1d(3), spectral(nn.Linear(3, 3)))
    norm, x = network[0], torch.randn(4, 3)
    assert isinstance(norm, nn.BatchNorm1d)
    with moved_once(network, first=False):
        network(x)
    assert norm.num_batches_tracked is not None
    assert int(norm.num_batches_tracked) == 1


@pytest.mark.parametrize("size", [(8, 8), (2, 6)])
def test_a_halving_convolution_is_a_convolution_and_a_mean(size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    halving = ConvDownsample2d(3, 5)
    plain = nn.Conv2d(3, 5, 3, padding=1)
    plain.load_state_dict(halving.state_dict())
    x = torch.randn(2, 3, *size)
    torch.testing.assert_close(halving(x), nn.functional.avg_pool2d(plain(x), 2), rtol=1e-4, atol=1e-5)


def test_an_odd_side_is_halved_upwards() -> None:
    assert ConvDownsample2d(1, 2)(torch.zeros(1, 1, 7, 4)).shape == (1, 2, 4, 2)
