"""A convolution, and the gradient at its weight, as a product of matrices, against torch's own."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ganwright.networks.keras.convolution import convolve
from ganwright.networks.parts import convolution, products
from ganwright.networks.parts.activation import leaky
from ganwright.networks.parts.convolution import conv2d, doubling, learned_conv2d

ALL_AT_ONCE, ONE_BY_ONE = 1 << 20, 1
CASES = [((8, 8), 4, 2, 1), ((7, 5), 3, 1, 1), ((9, 6), 3, 2, 0), ((5, 5), 5, 3, 2)]


@pytest.mark.parametrize("most_bytes", [ALL_AT_ONCE, ONE_BY_ONE])
@pytest.mark.parametrize("format", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize(("size", "kernel", "stride", "padding"), CASES)
def test_it_is_the_convolution_and_its_gradient(
    size: tuple[int, int],
    kernel: int,
    stride: int,
    padding: int,
    biased: bool,
    format: torch.memory_format,
    most_bytes: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(products, "MOST_BYTES", most_bytes)
    random = torch.Generator().manual_seed(0)
    x = torch.randn(3, 4, *size, dtype=torch.float64, generator=random).contiguous(memory_format=format)
    weight = torch.randn(5, 4, kernel, kernel, dtype=torch.float64, generator=random).contiguous(memory_format=format)
    bias = torch.randn(5, dtype=torch.float64, generator=random) if biased else None
    y = torch.conv2d(x, weight.requires_grad_(True), bias, stride=stride, padding=padding)
    slope = torch.randn(y.shape, dtype=torch.float64, generator=random).contiguous(memory_format=format)
    (expected,) = torch.autograd.grad(y, weight, slope)
    torch.testing.assert_close(products.of_weight(slope, x, (kernel, kernel), stride, padding), expected)
    made = products.convolved(x, weight.detach(), bias, y.shape[2:], stride, padding)
    torch.testing.assert_close(made, y.detach())


def test_it_pays_for_small_maps_in_half_precision_on_a_cpu() -> None:
    weight = torch.zeros(512, 256, 4, 4)
    assert products.pays(weight, torch.bfloat16, 64 * 4 * 4, groups=1)
    assert not products.pays(weight, torch.float32, 64 * 4 * 4, groups=1)
    assert not products.pays(weight, torch.bfloat16, 64 * 64 * 64, groups=1)
    assert not products.pays(weight, torch.bfloat16, 64 * 4 * 4, groups=2)
    assert not products.pays(weight.to("meta"), torch.bfloat16, 64 * 4 * 4, groups=1)


def test_forwards_it_pays_for_many_weights_and_few_pixels_with_a_stride() -> None:
    weight = torch.zeros(512, 256, 4, 4)
    assert products.pays_forwards(weight, torch.bfloat16, (4, 4), stride=2, groups=1)
    assert not products.pays_forwards(weight, torch.bfloat16, (8, 8), stride=2, groups=1)
    assert not products.pays_forwards(weight, torch.bfloat16, (4, 4), stride=1, groups=1)
    assert not products.pays_forwards(weight[:128], torch.bfloat16, (4, 4), stride=2, groups=1)
    assert not products.pays_forwards(weight, torch.float32, (4, 4), stride=2, groups=1)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """Shapes of the gradients that were taken as products."""
    found: list[tuple[int, ...]] = []
    original = products.of_weight

    def of_weight(slope: Tensor, x: Tensor, kernel: tuple[int, int], stride: int, padding: int) -> Tensor:
        result = original(slope, x, kernel, stride, padding)
        found.append(tuple(result.shape))
        return result

    monkeypatch.setattr(convolution.products, "of_weight", of_weight)
    return found


def small() -> tuple[Tensor, Tensor, Tensor]:
    """Maps (2, 8, 8, 8), a weight of 4x4 taps from 8 channels to 8, and a bias."""
    random = torch.Generator().manual_seed(0)
    shapes = (2, 8, 8, 8), (8, 8, 4, 4), (8,)
    x, weight, bias = (torch.randn(shape, generator=random).requires_grad_(True) for shape in shapes)
    return x, weight, bias


@pytest.mark.parametrize("forwards", [False, True])
@pytest.mark.parametrize("doubles", [False, True])
def test_layers_learn_by_it_under_autocast(
    doubles: bool, forwards: bool, counted: list[tuple[int, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And have the same gradients, within what half precision tells."""
    if forwards:
        monkeypatch.setattr(products, "FEWEST_WEIGHTS", 0)
    found: list[list[Tensor]] = []
    for exactly in (True, False):
        tensors = small()
        with torch.autocast("cpu", torch.bfloat16, enabled=not exactly):
            y = doubling(*tensors) if doubles else leaky(learned_conv2d(*tensors, stride=2, padding=1), 0.2)
        y.float().square().mean().backward()
        found.append([tensor.grad for tensor in tensors if tensor.grad is not None])
    assert counted == [(8, 8, 4, 4)]
    for exact, rough in zip(*found, strict=True):
        torch.testing.assert_close(rough, exact, rtol=0.03, atol=0.03 * float(exact.abs().max()))


@pytest.mark.parametrize("forwards", [False, True])
def test_penalties_go_through_it_under_autocast(
    forwards: bool, counted: list[tuple[int, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    if forwards:
        monkeypatch.setattr(products, "FEWEST_WEIGHTS", 0)
    found: list[Tensor] = []
    for exactly in (True, False):
        x, weight, bias = small()
        with torch.autocast("cpu", torch.bfloat16, enabled=not exactly):
            y = conv2d(x, weight, bias, stride=2, padding=1)
        (slope,) = torch.autograd.grad(y.float().tanh().sum(), x, create_graph=True)
        slope.square().mean().backward()
        assert weight.grad is not None
        found.append(weight.grad)
    assert (8, 8, 4, 4) in counted
    assert float((found[1] - found[0]).norm()) < 0.1 * float(found[0].norm())


def test_kernels_that_are_not_square_are_right_too(counted: list[tuple[int, ...]]) -> None:
    """As a Keras layer may have them."""
    found: list[Tensor] = []
    for exactly in (True, False):
        random = torch.Generator().manual_seed(0)
        x = torch.randn(2, 8, 6, 6, generator=random)
        weight = torch.randn(8, 8, 3, 2, generator=random).requires_grad_(True)
        with torch.autocast("cpu", torch.bfloat16, enabled=not exactly):
            y = convolve(x, weight, None, (1, 1), "valid", (1, 1))
        y.float().tanh().sum().backward()
        assert weight.grad is not None
        found.append(weight.grad)
    assert counted == [(8, 8, 3, 2)]
    torch.testing.assert_close(found[1], found[0], rtol=0.03, atol=0.03 * float(found[0].abs().max()))
