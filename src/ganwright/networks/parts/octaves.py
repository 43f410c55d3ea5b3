"""What lies close together, told apart: numbers beside their waves, from long ones to short ones."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def with_octaves(x: Tensor, octaves: int) -> Tensor:
    """Numbers in -1..1 beside sine and cosine of each, (B, N) -> (B, (1 + 2 * octaves) * N).

    The first wave is four long, the width of the numbers' range twice; each further one is half as long. Dense layers learn
    what changes slowly first, and what changes within a hundredth of the range hardly ever; of waves they learn it soon
    (Tancik et al. 2020, arXiv:2006.10739).
    """
    waves = [wave for octave in range(octaves) for wave in _wave(x * (0.5 * math.pi * 2**octave))]
    return torch.cat([x, *waves], 1)


def _wave(angle: Tensor) -> tuple[Tensor, Tensor]:
    return angle.sin(), angle.cos()
