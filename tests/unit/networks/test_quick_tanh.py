"""tanh by way of the logistic function."""

from __future__ import annotations

import torch

from ganwright.networks.parts.quick_tanh import quick_tanh


def test_it_is_tanh() -> None:
    x = torch.cat([torch.linspace(-30, 30, 10_001), torch.tensor([0.0, 1e-6, -1e-6, 200.0, -200.0])])
    assert (quick_tanh(x).double() - x.double().tanh()).abs().max() < 3e-7
    assert (quick_tanh(x.double()) - x.double().tanh()).abs().max() < 1e-15
    assert quick_tanh(x).abs().max() <= 1


def test_both_derivatives_are_those_of_tanh() -> None:
    x = torch.linspace(-4, 4, 41, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(quick_tanh, x)
    assert torch.autograd.gradgradcheck(quick_tanh, x)


def test_what_is_not_a_number_stays_so() -> None:
    assert quick_tanh(torch.tensor([float("nan")])).isnan().all()
    assert quick_tanh(torch.tensor([float("inf"), float("-inf")])).tolist() == [1, -1]
