"""Pictures seen through a map of the plane, differentiable any number of times."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from ganwright.augment.parts.geometry import no_move

BILINEAR, REFLECTED = 0, 2
"""As ATen numbers the ways to interpolate, and to go beyond the edge."""


def resample(x: Tensor, inverse: Tensor) -> Tensor:
    """`x` (B, C, H, W) moved by `inverse` (B, 3, 3), see `geometry`; beyond its edges the picture is reflected.

    Bilinear interpolation at twice the resolution, then the analysis filter of the 5/3 wavelet (Le Gall and Tabatabai 1988,
    doi:10.1109/ICASSP.1988.196696), whose synthesis filter bilinear interpolation is. So what is not moved, or by whole
    pixels, or by quarter turns, comes out as it went in; at half pixels the two together are the cubic of weights
    (-1, 9, 9, -1)/16; and what shrinks is smoothed before pixels are left out. Records whose map is the identity come back
    to the last bit.
    """
    inverse = inverse.to(x.dtype)
    moved = (inverse != no_move(inverse[:, 0, 0])).flatten(1).any(1)
    at_x, at_y = _places(x.shape[2], x.shape[3], inverse)
    return torch.where(moved[:, None, None, None], _halved(_halved(sample(x, at_x, at_y), 2), 3), x)


def sample(x: Tensor, at_x: Tensor, at_y: Tensor) -> Tensor:
    """(B, C, M, N): `x` (B, C, H, W) at places (B, M, N) in pixels, 0 being the middle of the first one."""
    if x.device.type == "mps":  # where torch 2.10 has no gradient of grid_sampler_2d
        return gathered(x, at_x, at_y)
    height, width = x.shape[2:]
    grid = torch.stack(((2 * at_x + 1) / width - 1, (2 * at_y + 1) / height - 1), 3)
    return _Sample.apply(x, grid)


def gathered(x: Tensor, at_x: Tensor, at_y: Tensor) -> Tensor:
    """The same as `sample` by plain indexing: on a CPU a third of the speed, but there everywhere."""
    height, width = x.shape[2:]
    left, to_right, right = _neighbours(at_x, width)
    above, downwards, below = _neighbours(at_y, height)
    flat = x.flatten(2)

    def row(y: Tensor) -> Tensor:
        ends = [flat.gather(2, (y * width + side).flatten(1)[:, None].expand(-1, x.shape[1], -1)) for side in (left, right)]
        return torch.lerp(ends[0], ends[1], to_right.flatten(1)[:, None])

    return torch.lerp(row(above), row(below), downwards.flatten(1)[:, None]).unflatten(2, at_x.shape[1:])


def _neighbours(at: Tensor, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """The pixel before a place, the way from there to the next one in 0..1, and that next one; reflected at the edges."""
    folded = torch.remainder(at + 0.5, 2 * count)
    folded = (torch.minimum(folded, 2 * count - folded) - 0.5).clamp(0, count - 1)
    before = folded.floor()
    return before.long(), folded - before, (before.long() + 1).clamp(max=count - 1)


def _places(height: int, width: int, inverse: Tensor) -> tuple[Tensor, Tensor]:
    """Where the half pixels of the new picture, and a pixel more on each side, lie in the old one: (B, 2H+3, 2W+3) each."""

    def half_pixels(count: int) -> Tensor:
        steps = torch.arange(2 * count + 3, dtype=inverse.dtype, device=inverse.device)
        return steps / 2 - 1 - (count - 1) / 2

    x, y = half_pixels(width)[None, None, :], half_pixels(height)[None, :, None]
    to_x, to_y = (inverse[:, row, :, None, None] for row in (0, 1))
    at_x = to_x[:, 0] * x + (to_x[:, 1] * y + to_x[:, 2]) + (width - 1) / 2
    at_y = to_y[:, 0] * x + (to_y[:, 1] * y + to_y[:, 2]) + (height - 1) / 2
    return at_x, at_y


def _halved(fine: Tensor, dim: int) -> Tensor:
    """Every second value along `dim`, of 2n + 3 of them, after the filter (-1, 2, 6, 2, -1)/8."""
    even, odd = (fine.movedim(dim, 0)[start::2] for start in (0, 1))
    # In two steps, the inverse of the wavelet's lifting: what bilinear interpolation would not have found, then a quarter.
    beyond = odd - 0.5 * (even[:-1] + even[1:])
    return (even[1:-1] + 0.25 * (beyond[:-1] + beyond[1:])).movedim(0, dim)


# torch has no second derivative of grid_sampler_2d. It is linear in `x`, so its derivative is one fixed linear map, the
# derivative of that is the first map again, and two functions that call each other are all that is needed.


class _Sample(Function):
    """`x` (B, C, H, W) at the places of `grid`, for which there is no gradient."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, grid: Tensor) -> Tensor:
        ctx.save_for_backward(grid)
        ctx.shape = x.shape
        return torch.grid_sampler_2d(x, grid, BILINEAR, REFLECTED, False)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (grid,) = ctx.saved_tensors
        return _Spread.apply(gradients[0], grid, ctx.shape), None


class _Spread(Function):
    """The transpose of `_Sample`: what is at the places of `grid`, spread over the pixels around them."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, grid: Tensor, shape: torch.Size) -> Tensor:
        ctx.save_for_backward(grid)
        like = values.new_empty(1).expand(shape)  # only its shape counts
        backward = torch.ops.aten.grid_sampler_2d_backward
        return backward(values, like, grid, BILINEAR, REFLECTED, False, [True, False])[0]

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (grid,) = ctx.saved_tensors
        return _Sample.apply(gradients[0], grid), None, None
