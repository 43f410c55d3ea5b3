"""LeakyReLU in place, against torch's own."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.autograd import grad, gradcheck, gradgradcheck

from ganwright.networks.parts.activation import LeakyReLU, leaky


def test_values_and_derivatives_are_those_of_torch() -> None:
    """Of a penalty on a slope too, at the input and at the weights."""
    found: list[list[Tensor]] = []
    for activation in (LeakyReLU(0.2), nn.LeakyReLU(0.2)):
        torch.manual_seed(0)
        layers = nn.Sequential(nn.Linear(3, 5), activation, nn.Linear(5, 4), activation, nn.Linear(4, 1)).double()
        x = torch.randn(7, 3, dtype=torch.float64, requires_grad=True)
        y = layers(x)
        (slope,) = grad(y.sum(), x, create_graph=True)
        second = grad(slope.square().sum(), [weight for weight in layers.parameters() if weight.ndim == 2])
        found.append([y, slope, *second])
    for mine, theirs in zip(*found, strict=True):
        torch.testing.assert_close(mine, theirs)


def test_derivatives_are_those_of_finite_differences() -> None:
    x = torch.randn(4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()

    def function(x: Tensor) -> Tensor:
        return leaky(x * 1.5, 0.2)

    assert gradcheck(function, x)
    assert gradgradcheck(function, x)


def test_gradients_that_lie_otherwise_in_memory_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """As those of a flattened map do; torch gets two maps that lie alike, of which it is ten times as quick."""
    x = torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(0)).contiguous(memory_format=torch.channels_last)
    seen: list[tuple[tuple[int, ...], tuple[int, ...]]] = []
    original = torch.ops.aten.leaky_relu_backward

    def backward(gradient: Tensor, result: Tensor, slope: float, by_result: bool) -> Tensor:
        seen.append((gradient.stride(), result.stride()))
        return original(gradient, result, slope, by_result)

    monkeypatch.setattr(torch.ops.aten, "leaky_relu_backward", backward)
    found: list[Tensor] = []
    for activation in (LeakyReLU(0.2), nn.LeakyReLU(0.2)):
        leaf = x.clone().requires_grad_()
        (activation(leaf * 1.5).flatten(1) * torch.arange(60.0)).sum().backward()
        assert leaf.grad is not None
        found.append(leaf.grad)
    torch.testing.assert_close(*found)
    ((gradients, results),) = seen
    assert gradients == results


def test_it_takes_no_memory_of_its_own() -> None:
    for needs_gradient in (True, False):
        x = torch.randn(4, 3, requires_grad=needs_gradient) * 2
        assert leaky(x, 0.2).data_ptr() == x.data_ptr()


def test_a_traced_network_leaves_its_input_alone() -> None:
    x = torch.tensor([-1.0, 0.0, 2.0])
    traced = torch.export.export(LeakyReLU(0.2), (x,)).module()
    torch.testing.assert_close(traced(x), torch.tensor([-0.2, 0.0, 2.0]))
    torch.testing.assert_close(x, torch.tensor([-1.0, 0.0, 2.0]))
