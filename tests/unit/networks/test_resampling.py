"""The soft filter between the stages, against sums written out."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.autograd import gradgradcheck

from ganwright.networks.parts.resampling import TAPS, downsample, upsample

SIZES = [(4, 4), (5, 3), (1, 1), (6, 1), (8, 10)]
every_size = pytest.mark.parametrize("size", SIZES)


def picture(*shape: int) -> Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def filtered(x: Tensor) -> Tensor:
    """x (H, W) within zeros, every value the weighted sum of the 4x4 from one above and one to the left of it."""
    height, width = x.shape
    wide = torch.zeros(height + 4, width + 4, dtype=x.dtype)
    wide[1 : height + 1, 1 : width + 1] = x
    out = torch.zeros(height + 1, width + 1, dtype=x.dtype)
    for i in range(height + 1):
        for j in range(width + 1):
            window = wide[i : i + 4, j : j + 4]
            out[i, j] = sum(TAPS[a] * TAPS[b] * window[a, b] for a in range(4) for b in range(4)) / 64
    return out


@every_size
def test_half_the_size_is_every_second_value_of_the_filtered_picture(size: tuple[int, int]) -> None:
    x = picture(1, 1, *size)
    expected = filtered(x[0, 0])[: 2 * ((size[0] + 1) // 2) : 2, : 2 * ((size[1] + 1) // 2) : 2]
    found = downsample(x)[0, 0]
    assert found.shape == ((size[0] + 1) // 2, (size[1] + 1) // 2)
    torch.testing.assert_close(found, expected)


@every_size
def test_twice_the_size_is_the_filtered_picture_with_zeros_between(size: tuple[int, int]) -> None:
    """Four times, since three of four values are zeros."""
    x, (height, width) = picture(1, 1, *size), size
    spread = torch.zeros(2 * height, 2 * width, dtype=x.dtype)
    spread[1::2, 1::2] = x[0, 0]
    wider = torch.zeros(2 * height + 1, 2 * width + 1, dtype=x.dtype)
    wider[:-1, :-1] = spread
    expected = 4 * filtered(wider)[: 2 * height, : 2 * width]
    torch.testing.assert_close(upsample(x, (2 * height, 2 * width))[0, 0], expected)


@pytest.mark.parametrize("size", [(8, 8), (7, 5), (12, 9)])
def test_a_constant_stays_constant_away_from_the_edges(size: tuple[int, int]) -> None:
    constant = torch.full((1, 2, *size), 3.0)
    larger = upsample(constant, (2 * size[0], 2 * size[1]))
    torch.testing.assert_close(larger[:, :, 1:-1, 1:-1], torch.full_like(larger[:, :, 1:-1, 1:-1], 3.0))
    smaller = downsample(constant)
    torch.testing.assert_close(smaller[:, :, 1:-1, 1:-1], torch.full_like(smaller[:, :, 1:-1, 1:-1], 3.0))
    assert float(larger[0, 0, 0, 0]) < 3.0, "beyond the edge lies zero"


@every_size
def test_one_is_the_transpose_of_the_other(size: tuple[int, int]) -> None:
    """<upsample x, y> = 4 <x, downsample y>, cut-off and padding included."""
    small = picture(2, 3, (size[0] + 1) // 2, (size[1] + 1) // 2)
    large = picture(2, 3, *size).flip(0)
    torch.testing.assert_close((upsample(small, size) * large).sum(), 4 * (small * downsample(large)).sum())


def test_twice_the_size_is_bilinear_interpolation_inside() -> None:
    x = picture(1, 2, 5, 6)
    theirs = torch.nn.functional.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
    torch.testing.assert_close(upsample(x, (10, 12))[:, :, 1:-1, 1:-1], theirs[:, :, 1:-1, 1:-1])


def test_the_finest_pattern_leaves_nothing_behind() -> None:
    """Else it would come back as a coarse one: alternating columns have a mean of zero, and so has their half."""
    stripes = torch.ones(1, 1, 8, 8)
    stripes[..., ::2] = -1.0
    assert float(downsample(stripes)[:, :, 1:-1, 1:-1].abs().max()) < 1e-6


def test_second_derivatives() -> None:
    x = picture(1, 2, 3, 3).requires_grad_(True)
    assert gradgradcheck(lambda t: downsample(t).tanh(), (x,))
    assert gradgradcheck(lambda t: upsample(t, (5, 6)).tanh(), (x,))
