"""A convolution whose derivatives are convolutions, against torch's own."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.autograd import grad, gradcheck, gradgradcheck

from ganwright.networks.parts import convolution
from ganwright.networks.parts.convolution import conv2d

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
    """Up to the third: of the squared gradient at the weight, which itself was asked for at the input."""
    found: list[list[Tensor]] = []
    for function in (conv2d, torch.conv2d):
        x, weight, bias = tensors(kernel, groups)
        y = function(x, weight, bias, padding=padding, groups=groups)
        first = grad(y.tanh().sum(), [x, weight, bias], create_graph=True)
        second = grad(sum((g.square().sum() for g in first), start=y.sum()), [x, weight, bias], create_graph=True)
        third = grad(sum((g.square().sum() for g in second), start=y.sum()), [x, weight, bias])
        found.append([y, *first, *second, *third])
    for mine, theirs in zip(*found, strict=True):
        torch.testing.assert_close(mine, theirs)


@every_case
def test_derivatives_are_those_of_finite_differences(kernel: int, groups: int, padding: int) -> None:
    def function(*arguments: Tensor) -> Tensor:
        return conv2d(*arguments, padding=padding, groups=groups)

    assert gradcheck(function, tensors(kernel, groups))
    assert gradgradcheck(function, tensors(kernel, groups))


def test_the_weights_gradient_is_left_out_where_only_the_inputs_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a penalty asks for it: the weight's would be computed in vain, which takes as long again."""
    calls: list[bool] = []
    original = convolution._Geometry.backward

    def backward(self: Any, slope: Tensor, x: Tensor, weight: Tensor, of_input: bool) -> Tensor:
        calls.append(of_input)
        return original(self, slope, x, weight, of_input)

    monkeypatch.setattr(convolution._Geometry, "backward", backward)
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
