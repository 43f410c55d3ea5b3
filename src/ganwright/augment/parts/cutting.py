"""A part of the picture taken out."""

from __future__ import annotations

import torch
from torch import Tensor

SIDE = 0.5
"""Of the square, in parts of the picture's (DeVries and Taylor 2017, arXiv:1708.04552)."""


def cut_out(x: Tensor, happens: Tensor, centre_x: Tensor, centre_y: Tensor) -> Tensor:
    """`x` (B, C, H, W) with a square of half its side at 0.0, which is mid grey, where `happens` (bool (B,)).

    Args:
        centre_x, centre_y: (B,) in 0..1 of the picture's width and height; beyond the edge there is nothing to cut.
    """

    def inside(count: int, centre: Tensor) -> Tensor:
        places = (torch.arange(count, device=x.device) + 0.5) / count
        return (places - centre[:, None]).abs() < SIDE / 2

    rows, columns = inside(x.shape[2], centre_y), inside(x.shape[3], centre_x)
    cut = (rows[:, :, None] & columns[:, None, :] & happens[:, None, None]).unsqueeze(1)
    return x.masked_fill(cut, 0.0)
