"""How different two pictures look: pixels at several sizes, and a fixed random network. Nothing is learned or downloaded."""

from __future__ import annotations

import math
from functools import cache

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, conv2d, leaky_relu

from ganwright.runtime.keys import Key

KEY = Key(seed=0, turn="perceptual distance")
WIDTHS = (16, 32, 64)
"""Filters of each level of the network; each looks at half the sides of the one before."""
LEVELS = 4
"""Sizes at which pixels are compared."""
NEGATIVE_SLOPE = 0.2


def perceptual_distance(x: Tensor, y: Tensor) -> Tensor:
    """The mean absolute difference of pixels over a pyramid of sizes plus that of random features over theirs, (B,).

    Random features look for edges and for what lies beside what, and so does a distance in them; that of a network which
    learned to tell objects apart (Zhang et al. 2018, arXiv:1801.03924) is nearer to what people see, and is a download.

    Args:
        x: (B, C, H, W), differentiable, like y.
    """
    with torch.autocast(x.device.type, enabled=False):
        x, y = x.float(), y.float()
        return _of_pixels(x, y) + _of_features(x, y)


def _of_pixels(x: Tensor, y: Tensor) -> Tensor:
    levels: list[Tensor] = []
    difference = x - y
    while True:
        levels.append(difference.abs().flatten(1).mean(1))
        if len(levels) == LEVELS or min(difference.shape[2:]) < 2:
            return torch.stack(levels).mean(0)
        difference = _halved(difference)


def _of_features(x: Tensor, y: Tensor) -> Tensor:
    levels: list[Tensor] = []
    both = torch.cat([x, y])
    for weight in _filters(x.shape[1], x.device):
        if levels:
            if min(both.shape[2:]) < 2:
                break
            both = _halved(both)
        both = leaky_relu(conv2d(both, weight, padding=1), NEGATIVE_SLOPE)
        one, other = both.chunk(2)
        levels.append((one - other).abs().flatten(1).mean(1))
    return torch.stack(levels).mean(0)


def _halved(x: Tensor) -> Tensor:
    return avg_pool2d(x, 2, ceil_mode=True)


@cache
def _filters(channels: int, device: torch.device) -> list[Tensor]:
    """The network's weights (out, in, 3, 3), which keep the size of what comes in (He et al. 2015, arXiv:1502.01852)."""
    generator = KEY.generator("filters")
    weights: list[Tensor] = []
    for width in WIDTHS:
        deviation = math.sqrt(2 / ((1 + NEGATIVE_SLOPE**2) * 9 * channels))
        drawn = generator.standard_normal((width, channels, 3, 3)) * deviation
        with torch.inference_mode(False):
            weights.append(torch.from_numpy(drawn).to(device, torch.float32))
        channels = width
    return weights
