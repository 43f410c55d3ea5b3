"""A convolution whose derivatives are convolutions, against torch's own."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.autograd import grad, gradcheck, gradgradcheck
from torch.func import functional_call

from ganwright.networks.parts import convolution
from ganwright.networks.parts.convolution import conv2d, doubling
from ganwright.networks.parts.halving import HalvingConv2d
from ganwright.networks.parts.phases import doubled

CASES = [(1, 1, 0), (3, 1, 1), (3, 2, 1), (3, 4, 1), (3, 1, 0)]
every_case = pytest.mark.parametrize(("kernel", "groups", "padding"), CASES)


def tensors(kernel: int, groups: int) -> tuple[Tensor, Tensor, Tensor]:
    """Input (2, 4, 5, 3), weight and bias."""
    random = torch.Generator().manual_seed(0)
    shapes = (2, 4, 5, 3), (4, 4 // groups, kernel, kernel), (4,)
    x, weight, bias = (torch.randn(shape, dtype=torch.float64, generator=random).requires_grad_(True) for shape in shapes)
    return x, weight, bias


@every_case
def test_values_and_derivatives_are_those_of_torch(kernel: int, groups: int, padding: int) -> None:
    found = [
        derivatives(partial(function, padding=padding, groups=groups), *tensors(kernel, groups))
        for function in (conv2d, torch.conv2d)
    ]
    for mine, theirs in zip(*found, strict=True):
        torch.testing.assert_close(mine, theirs)


@every_case
def test_derivatives_are_those_of_finite_differences(kernel: int, groups: int, padding: int) -> None:
    def function(*arguments: Tensor) -> Tensor:
        return conv2d(*arguments, padding=padding, groups=groups)

    assert gradcheck(function, tensors(kernel, groups))
    assert gradgradcheck(function, tensors(kernel, groups))


def derivatives(function: Callable[..., Tensor], x: Tensor, weight: Tensor, bias: Tensor) -> list[Tensor]:
    """Values and derivatives up to the third: of the squared gradients, and of theirs."""
    y = function(x, weight, bias)
    first = grad(y.tanh().sum(), [x, weight, bias], create_graph=True)
    second = grad(sum((g.square().sum() for g in first), start=y.sum()), [x, weight, bias], create_graph=True)
    third = grad(sum((g.square().sum() for g in second), start=y.sum()), [x, weight, bias])
    return [y, *first, *second, *third]


def of_four_taps(channels: int, out: int, size: tuple[int, int]) -> tuple[Tensor, Tensor, Tensor]:
    random = torch.Generator().manual_seed(0)
    shapes = (2, channels, *size), (channels, out, 4, 4), (out,)
    x, weight, bias = (torch.randn(shape, dtype=torch.float64, generator=random).requires_grad_(True) for shape in shapes)
    return x, weight, bias


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (4, 4)])
@pytest.mark.parametrize("out", [1, 3, 4, 5])
def test_doubling_is_torchs_transposed_convolution(out: int, size: tuple[int, int]) -> None:
    def theirs(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        return torch.conv_transpose2d(x, weight, bias, stride=2, padding=1)

    for mine, other in zip(
        derivatives(doubling, *of_four_taps(6, out, size)), derivatives(theirs, *of_four_taps(6, out, size)), strict=True
    ):
        torch.testing.assert_close(mine, other)


@pytest.mark.parametrize("size", [(2, 2), (6, 4), (7, 5)], ids=["smallest", "even", "odd"])
@pytest.mark.parametrize("colours", [1, 3, 5])
def test_halving_is_torchs_convolution_at_every_other_pixel(colours: int, size: tuple[int, int]) -> None:
    layer = HalvingConv2d(colours, 6).double()
    x = of_four_taps(colours, 6, size)[0]

    def mine(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        return functional_call(layer, {"weight": weight, "bias": bias}, (x,))

    def theirs(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        return torch.conv2d(x, weight, bias, stride=2, padding=1)

    assert layer.bias is not None
    found = derivatives(mine, x, layer.weight, layer.bias)
    for one, other in zip(found, derivatives(theirs, x, layer.weight, layer.bias), strict=True):
        torch.testing.assert_close(one, other)


def test_pictures_of_few_colours_are_doubled_by_phases_on_a_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """On the way forwards, and where a gradient comes back to the picture."""
    calls: list[tuple[int, ...]] = []

    def counted(x: Tensor, weight: Tensor) -> Tensor:
        calls.append(tuple(x.shape))
        return doubled(x, weight)

    monkeypatch.setattr(convolution, "doubled", counted)
    x, weight, bias = of_four_taps(6, 3, (4, 4))
    doubling(x, weight, bias)
    assert calls == [(2, 6, 4, 4)]
    calls.clear()
    picture = torch.randn(2, 3, 8, 8, requires_grad=True)
    HalvingConv2d(3, 6)(picture).sum().backward()
    assert picture.grad is not None
    assert calls == [(2, 6, 4, 4)]
    calls.clear()
    doubling(*of_four_taps(6, 5, (4, 4)))
    assert not calls


def test_doubling_under_autocast() -> None:
    x, weight, bias = (value.detach().float().requires_grad_(True) for value in of_four_taps(6, 3, (4, 5)))
    with torch.autocast("cpu", torch.bfloat16):
        y = doubling(x, weight, bias)
    assert y.dtype == torch.bfloat16
    exact = torch.conv_transpose2d(x, weight, bias, stride=2, padding=1)
    torch.testing.assert_close(y.float(), exact, rtol=0.05, atol=0.1)
    y.float().square().sum().backward()
    assert {value.grad.dtype for value in (x, weight, bias) if value.grad is not None} == {torch.float32}


def test_the_weights_gradient_is_left_out_where_only_the_inputs_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a penalty asks for it: the weight's would be computed in vain, which takes as long again."""
    calls: list[bool] = []
    original = convolution._Geometry._torchs

    def backward(self: Any, slope: Tensor, x: Tensor, weight: Tensor, of_input: bool) -> Tensor:
        calls.append(of_input)
        return original(self, slope, x, weight, of_input)

    monkeypatch.setattr(convolution._Geometry, "_torchs", backward)
    x, weight, bias = tensors(3, 2)
    y = conv2d(x, weight, bias, padding=1, groups=2).tanh()
    (slope,) = grad(y.sum(), x, create_graph=True)
    assert calls == [True]
    calls.clear()
    slope.square().sum().backward()
    assert weight.grad is not None
    # Through the gradient, the weight's once and the slope's way back; then what the forward pass owes.
    assert calls.count(False) == 2


def test_a_frozen_weight_or_input_gets_no_gradient() -> None:
    x, weight, bias = tensors(3, 1)
    conv2d(x, weight.detach(), bias.detach(), padding=1).square().sum().backward()
    assert x.grad is not None
    x.grad = None
    conv2d(x.detach(), weight, bias, padding=1).square().sum().backward()
    assert weight.grad is not None
    assert x.grad is None


def test_autocast_narrows_the_products_and_gradients_come_back_wide() -> None:
    x, weight, bias = (value.detach().float().requires_grad_(True) for value in tensors(3, 2))
    with torch.autocast("cpu", torch.bfloat16):
        y = conv2d(x, weight, bias, padding=1, groups=2)
    assert y.dtype == torch.bfloat16
    torch.testing.assert_close(y.float(), torch.conv2d(x, weight, bias, padding=1, groups=2), rtol=0.05, atol=0.05)
    (slope,) = grad(y.float().tanh().sum(), x, create_graph=True)
    slope.square().sum().backward()
    assert {value.grad.dtype for value in (weight, x) if value.grad is not None} == {torch.float32}


def test_without_gradients_it_is_torchs_own() -> None:
    x, weight, bias = tensors(3, 2)
    with torch.no_grad():
        y = conv2d(x, weight, bias, padding=1, groups=2)
    assert torch.equal(y, torch.conv2d(x, weight, bias, padding=1, groups=2))
    assert not y.requires_grad
