"""Upsampling and convolution in one, against the two operations that it stands for."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.autograd import grad, gradgradcheck
from torch.nn.functional import conv2d, interpolate

from ganwright.networks.parts.upsampling import UpsampleConv2d

SIZES = [(4, 4), (5, 3), (1, 1), (1, 6)]


def reference(layer: UpsampleConv2d, x: Tensor) -> Tensor:
    return conv2d(interpolate(x, scale_factor=2, mode="nearest"), layer.weight.transpose(0, 1), layer.bias, padding=1)


def layer_and_input(size: tuple[int, int], bias: bool = True) -> tuple[UpsampleConv2d, Tensor]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layer = UpsampleConv2d(3, 2, bias=bias).double()
        x = torch.randn(2, 3, *size, dtype=torch.float64, requires_grad=True)
        if layer.bias is not None:
            torch.nn.init.normal_(layer.bias)
    return layer, x


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("size", SIZES)
def test_values_and_gradients_are_those_of_interpolation_and_convolution(size: tuple[int, int], bias: bool) -> None:
    layer, x = layer_and_input(size, bias)
    ours, theirs = layer(x), reference(layer, x)
    assert ours.shape == (2, 2, 2 * size[0], 2 * size[1])
    torch.testing.assert_close(ours, theirs)
    weights = [x, *layer.parameters()]
    probe = torch.randn(ours.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    for mine, expected in zip(grad((ours * probe).sum(), weights), grad((theirs * probe).sum(), weights), strict=True):
        torch.testing.assert_close(mine, expected)


def test_second_derivatives_are_those_of_interpolation_and_convolution() -> None:
    """As R1 takes them: of the squared gradient at the input, in the weights."""
    layer, x = layer_and_input((4, 5))
    found: list[tuple[Tensor, ...]] = []
    for output in (layer(x), reference(layer, x)):
        (slope,) = grad(output.tanh().sum(), x, create_graph=True)
        found.append(grad(slope.square().sum(), [x, *layer.parameters()]))
    for mine, expected in zip(*found, strict=True):
        torch.testing.assert_close(mine, expected)
    assert gradgradcheck(layer, (layer_and_input((2, 2))[1],))


def test_first_weights_are_spread_like_those_of_a_convolution() -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        ours, theirs = UpsampleConv2d(64, 64), torch.nn.Conv2d(64, 64, 3)
    assert float(ours.weight.detach().std()) == pytest.approx(float(theirs.weight.detach().std()), rel=0.05)
    assert ours.bias is not None
    assert not ours.bias.any()


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_single_precision_in_either_memory_layout(layout: torch.memory_format) -> None:
    layer, x = layer_and_input((6, 7))
    layer, single = layer.float(), x.detach().float().contiguous(memory_format=layout)
    torch.testing.assert_close(layer(single), reference(layer, single), rtol=1e-5, atol=1e-5)
