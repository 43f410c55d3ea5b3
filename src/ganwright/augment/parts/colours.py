"""Changes of colour as 4x4 matrices on (red, green, blue, 1), one a record; grey is the axis where all three are equal."""

from __future__ import annotations

import torch
from torch import Tensor

from ganwright.augment.parts.changing import change_some

COLOURS = 3


def colours_of(x: Tensor) -> int:
    """How many of the channels of `x` are colours: of grey, with or without transparency, one."""
    return COLOURS if x.shape[1] >= COLOURS else 1


def no_change(like: Tensor) -> Tensor:
    """(B, 4, 4) for `like` (B,): every colour stays what it is."""
    return torch.eye(4, dtype=like.dtype, device=like.device).expand(len(like), 4, 4)


def brighter(by: Tensor) -> Tensor:
    """`by` (B,) is added to every colour."""
    matrix = no_change(by).clone()
    matrix[:, :3, 3] = by[:, None]
    return matrix


def multiplied(by: Tensor) -> Tensor:
    """Every colour (-1..1, so mid grey stays) is multiplied by `by` (B,)."""
    return torch.diag_embed(torch.stack((by, by, by, torch.ones_like(by)), 1))


def luma_flipped(flips: Tensor) -> Tensor:
    """Where `flips` (bool (B,)), light and dark are exchanged, and hues stay: a reflection at the plane across the axis."""
    along, _ = _axis(no_change(flips.float()))
    return no_change(along[:, 0, 0]) - 2 * flips[:, None, None] * along


def hue_turned(angle: Tensor) -> Tensor:
    """Hues turn by so many radians (B,) around the axis, after Rodrigues."""
    along, across = _axis(no_change(angle))
    turned = torch.zeros_like(along)
    for row, column in ((0, 1), (1, 2), (2, 0)):
        turned[:, row, column], turned[:, column, row] = -(3**-0.5), 3**-0.5
    cosine, sine = angle.cos()[:, None, None], angle.sin()[:, None, None]
    return along + cosine * across + sine * turned + _one(along)


def saturated(by: Tensor) -> Tensor:
    """Distances from the axis are multiplied by `by` (B,)."""
    along, across = _axis(no_change(by))
    return along + by[:, None, None] * across + _one(along)


def recoloured(x: Tensor, matrix: Tensor) -> Tensor:
    """The colours of `x` (B, C, H, W), -1..1, mapped by `matrix` (B, 4, 4); transparency stays.

    Of grey, the three equal colours are mapped, which stay equal. A record whose matrix changes nothing comes back as it is.
    """
    matrix = matrix.to(x.dtype)
    changed = (matrix != no_change(matrix[:, 0, 0])).flatten(1).any(1)
    return change_some(x, changed, matrix, _mapped)


def _mapped(x: Tensor, matrix: Tensor) -> Tensor:
    linear, offset = matrix[:, :3, :3], matrix[:, :3, 3:]
    count = colours_of(x)
    if count == 1:
        linear, offset = linear.sum((1, 2), keepdim=True) / COLOURS, offset.mean(1, keepdim=True)
    colours = x[:, :count]
    mapped = torch.baddbmm(offset, linear, colours.flatten(2)).view_as(colours)
    return torch.cat((mapped, x[:, count:]), 1) if x.shape[1] > count else mapped


def _axis(like: Tensor) -> tuple[Tensor, Tensor]:
    """Projections (B, 4, 4) of the three colours onto the axis, and onto the plane across it."""
    along = torch.zeros_like(like)
    along[:, :3, :3] = 1 / COLOURS
    across = like - along
    across[:, 3, 3] = 0
    return along, across


def _one(like: Tensor) -> Tensor:
    """The corner of the matrix that carries the constant."""
    corner = torch.zeros_like(like)
    corner[:, 3, 3] = 1
    return corner
