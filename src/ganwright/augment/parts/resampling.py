"""Pictures seen through a map of the plane, differentiable any number of times."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd import Function

from ganwright.augment.parts.changing import change_some
from ganwright.augment.parts.geometry import no_move

BILINEAR, REFLECTED = 0, 2
"""As ATen numbers the ways to interpolate, and to go beyond the edge."""
HALFWAY = (-1 / 16, 9 / 16, 9 / 16, -1 / 16)
"""The cubic through four pixels, in their middle (Deslauriers and Dubuc 1989, doi:10.1007/BF01889598)."""
MOST_SMOOTHING = 0.25
"""Weight of each neighbour where a picture shrinks to half or less."""


def resample(x: Tensor, inverse: Tensor) -> Tensor:
    """`x` (B, C, H, W) moved by `inverse` (B, 3, 3), see `geometry`; beyond its edges the picture is reflected.

    Bilinear interpolation of the picture at twice its resolution, to which cubics bring it: pixels stay what they are, so
    what is moved by whole pixels, or by quarter turns, is as sharp as before. What shrinks is smoothed first. Records whose
    map is the identity come back to the last bit.
    """
    inverse = inverse.to(x.dtype)
    moved = (inverse != no_move(inverse[:, 0, 0])).flatten(1).any(1)
    return change_some(x, moved, inverse, _moved)


def _moved(x: Tensor, inverse: Tensor) -> Tensor:
    at_x, at_y = _places(x.shape[2], x.shape[3], inverse)
    # Pixel 0 is the second value of the finer picture, whose first one lies on the edge; so that is where it is reflected.
    return sample(_finer(x, inverse), 2 * at_x + 1, 2 * at_y + 1)


def sample(x: Tensor, at_x: Tensor, at_y: Tensor) -> Tensor:
    """(B, C, M, N): `x` (B, C, H, W) at places (B, M, N), in pixels from the first one, reflected at the first and last."""
    if x.device.type == "mps":  # where torch 2.10 has no gradient of grid_sampler_2d
        return gathered(x, at_x, at_y)
    height, width = x.shape[2:]
    return _Sample.apply(x, torch.stack((2 * at_x / (width - 1) - 1, 2 * at_y / (height - 1) - 1), 3))


def gathered(x: Tensor, at_x: Tensor, at_y: Tensor) -> Tensor:
    """The same as `sample` by plain indexing: slower on a CPU, but there on every device."""
    height, width = x.shape[2:]
    left, to_right, right = _neighbours(at_x, width)
    above, downwards, below = _neighbours(at_y, height)
    flat = x.flatten(2)

    def row(y: Tensor) -> Tensor:
        ends = [flat.gather(2, (y * width + side).flatten(1)[:, None].expand(-1, x.shape[1], -1)) for side in (left, right)]
        return torch.lerp(ends[0], ends[1], to_right.flatten(1)[:, None])

    return torch.lerp(row(above), row(below), downwards.flatten(1)[:, None]).unflatten(2, at_x.shape[1:])


def _neighbours(at: Tensor, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """The pixel before a place, the way from there to the next one in 0..1, and that next one; of at least two."""
    folded = torch.remainder(at, 2 * (count - 1))
    folded = torch.minimum(folded, 2 * (count - 1) - folded).clamp(0, count - 1)
    before = folded.floor()
    return before.long(), folded - before, (before.long() + 1).clamp(max=count - 1)


def _places(height: int, width: int, inverse: Tensor) -> tuple[Tensor, Tensor]:
    """Where each pixel of the new picture lies in the old one, in pixels from the first: x and y, (B, H, W) each."""

    def pixels(count: int) -> Tensor:
        return torch.arange(count, dtype=inverse.dtype, device=inverse.device) - (count - 1) / 2

    x, y = pixels(width)[None, None, :], pixels(height)[None, :, None]
    to_x, to_y = (inverse[:, row, :, None, None] for row in (0, 1))
    at_x = to_x[:, 0] * x + (to_x[:, 1] * y + to_x[:, 2]) + (width - 1) / 2
    at_y = to_y[:, 0] * x + (to_y[:, 1] * y + to_y[:, 2]) + (height - 1) / 2
    return at_x, at_y


def _finer(x: Tensor, inverse: Tensor) -> Tensor:
    """(B, C, 2H+1, 2W+1): what lies at the pixels and halfway between them, the edges included, smoothed where it shrinks.

    By (1, 2, 1)/4 where a record becomes half as large, not at all where nothing shrinks; how far it does in any direction
    is the larger singular value of the map. As products, which a CPU does in half the time that shifted sums take.
    """
    a, b, c, d = inverse[:, 0, 0], inverse[:, 0, 1], inverse[:, 1, 0], inverse[:, 1, 1]
    shrinking = 0.5 * (torch.hypot(a + d, c - b) + torch.hypot(a - d, b + c))
    weight = ((shrinking - 1) * MOST_SMOOTHING).clamp(0, MOST_SMOOTHING)[:, None, None, None]

    def along(side: int) -> Tensor:
        doubling, smoothing = _stencils(side, x.dtype, x.device)
        return doubling + weight * (doubling @ smoothing)  # (B, 1, 2 side + 1, side)

    return along(x.shape[2]) @ (x @ along(x.shape[3]).mT)


@cache
def _stencils(count: int, dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor]:
    """Along one side, what doubles its resolution (2n+1, n), and what is added to smooth it (n, n); edges reflect."""
    doubling, smoothing = np.zeros((2 * count + 1, count)), np.zeros((count, count))

    def add(matrix: np.ndarray, row: int, first: int, weights: Sequence[float]) -> None:
        for place, weight in enumerate(weights, first):
            folded = place % (2 * count)
            matrix[row, min(folded, 2 * count - 1 - folded)] += weight

    for place in range(count):
        add(doubling, 2 * place + 1, place, (1.0,))
        add(smoothing, place, place - 1, (1.0, -2.0, 1.0))
    for place in range(count + 1):
        add(doubling, 2 * place, place - 2, HALFWAY)
    with torch.inference_mode(False):  # whoever comes first, others will want gradients
        return tuple(torch.from_numpy(matrix).to(device, dtype) for matrix in (doubling, smoothing))  # type: ignore[return-value]


# torch has no second derivative of grid_sampler_2d. It is linear in `x`, so its derivative is one fixed linear map, the
# derivative of that is the first map again, and two functions that call each other are all that is needed.


class _Sample(Function):
    """`x` (B, C, H, W) at the places of `grid`, for which there is no gradient."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, grid: Tensor) -> Tensor:
        ctx.save_for_backward(grid)
        ctx.shape = x.shape
        return torch.grid_sampler_2d(x, grid, BILINEAR, REFLECTED, True)

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
        return backward(values, like, grid, BILINEAR, REFLECTED, True, [True, False])[0]

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (grid,) = ctx.saved_tensors
        return _Sample.apply(gradients[0], grid), None, None
