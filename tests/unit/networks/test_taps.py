"""A convolution onto few channels as a product of matrices, against torch's own."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ganwright.networks.parts import convolution, taps
from ganwright.networks.parts.convolution import learned_conv2d


@pytest.mark.parametrize("out", [1, 2])
@pytest.mark.parametrize(("kernel", "padding"), [((3, 3), 1), ((3, 3), 0), ((5, 3), 2), ((4, 4), 0)])
def test_it_is_a_convolution(out: int, kernel: tuple[int, int], padding: int) -> None:
    x, weight, bias = given(out, kernel)
    torch.testing.assert_close(taps.convolved(x, weight, bias, padding), torch.conv2d(x, weight, bias, padding=padding))


def test_both_derivatives_are_those_of_a_convolution() -> None:
    x, weight, bias = given(1, (3, 3))

    def convolved(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        return taps.convolved(x, weight, bias, padding=1)

    assert torch.autograd.gradcheck(convolved, (x, weight, bias))
    assert torch.autograd.gradgradcheck(convolved, (x[:1, :2, :4, :4], weight[:, :2], bias))


def test_it_pays_for_one_channel_in_half_precision_on_a_cpu() -> None:
    weight = torch.zeros(1, 64, 3, 3)
    assert taps.pays(weight, torch.bfloat16, stride=1, groups=1)
    assert not taps.pays(weight, torch.float32, stride=1, groups=1)
    assert not taps.pays(weight, torch.bfloat16, stride=2, groups=1)
    assert not taps.pays(weight.expand(8, -1, -1, -1), torch.bfloat16, stride=1, groups=1)
    assert not taps.pays(weight.to("meta"), torch.bfloat16, stride=1, groups=1)
    assert not taps.pays(weight[..., :1, :1], torch.bfloat16, stride=1, groups=1)


def test_under_autocast_layers_that_learn_take_it(monkeypatch: pytest.MonkeyPatch) -> None:
    x, weight, bias = (each.detach().float() for each in given(1, (3, 3)))
    expected = torch.conv2d(x, weight, bias, padding=1)
    taken: list[tuple[int, ...]] = []
    original = taps.convolved

    def convolved(x: Tensor, weight: Tensor, bias: Tensor | None, padding: int) -> Tensor:
        taken.append(tuple(weight.shape))
        return original(x, weight, bias, padding)

    monkeypatch.setattr(convolution.taps, "convolved", convolved)
    with torch.autocast("cpu", torch.bfloat16):
        y = learned_conv2d(x, weight, bias, padding=1)
    assert taken == [(1, 4, 3, 3)]
    assert y.dtype == torch.bfloat16
    torch.testing.assert_close(y.float(), expected, rtol=0.02, atol=0.05)


def given(out: int, kernel: tuple[int, int]) -> tuple[Tensor, Tensor, Tensor]:
    """Maps (2, 4, 7, 6), a weight and a bias."""
    random = torch.Generator().manual_seed(0)
    shapes = (2, 4, 7, 6), (out, 4, *kernel), (out,)
    x, weight, bias = (torch.randn(s, dtype=torch.float64, generator=random).requires_grad_(True) for s in shapes)
    return x, weight, bias
