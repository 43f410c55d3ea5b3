"""Maps of the plane as 3x3 matrices, one a record, in pixels from the picture's centre: x to the right, y down.

All are inverse: from a place in the changed picture to the place in the old one that it shows.
"""

from __future__ import annotations

import torch
from torch import Tensor


def no_move(like: Tensor) -> Tensor:
    """(B, 3, 3) for `like` (B,): everything stays where it is."""
    return torch.eye(3, dtype=like.dtype, device=like.device).expand(len(like), 3, 3)


def scaled(by_x: Tensor, by_y: Tensor) -> Tensor:
    """The picture grows by these factors (B,)."""
    none = torch.zeros_like(by_x)
    return _matrix((1 / by_x, none, none), (none, 1 / by_y, none))


def turned(angle: Tensor) -> Tensor:
    """The picture turns by so many radians (B,), against the clock."""
    cosine, sine, none = angle.cos(), angle.sin(), torch.zeros_like(angle)
    return _matrix((cosine, -sine, none), (sine, cosine, none))


def shifted(by_x: Tensor, by_y: Tensor) -> Tensor:
    """The picture moves by so many pixels (B,)."""
    none = torch.zeros_like(by_x)
    one = none + 1
    return _matrix((one, none, -by_x), (none, one, -by_y))


def _matrix(*rows: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    none = torch.zeros_like(rows[0][0])
    return torch.stack([value for row in (*rows, (none, none, none + 1)) for value in row], 1).view(-1, 3, 3)
