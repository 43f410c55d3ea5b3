"""Gates: parts of what a layer says decide how much of the rest is let through."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, silu

SIDE = 4
"""A map is averaged down to at most so many rows and columns before it gates another."""


def gated(x: Tensor) -> Tensor:
    """A gated linear unit (Dauphin et al. 2017, arXiv:1612.08083), (B, 2C, ...) -> (B, C, ...).

    torch's own hands its gradient back in another order of memory than convolutions and normalisations like: with this, two
    convolutions with a normalisation and the unit between took 0.49 times as long (8 x 32 maps of 64x64, one CPU core).
    """
    value, gate = x.chunk(2, dim=1)
    return value * gate.sigmoid()


class SkipGate(nn.Module):
    """Skip-layer excitation, Liu et al. 2021 (arXiv:2101.04775), equation 1: one map scales the channels of another.

    The gating map (B, c_from, h, w) is averaged down to 4x4 or less and turned into a factor in 0..1 for each channel of the
    other (B, c_to, H, W), however far apart the two are in size.
    """

    def __init__(self, c_from: int, size_from: tuple[int, int], c_to: int) -> None:
        super().__init__()
        # Whole windows rather than adaptive ones, whose gradient is not the same in every run on a GPU.
        self.window = (-(-size_from[0] // SIDE), -(-size_from[1] // SIDE))
        left = (-(-size_from[0] // self.window[0]), -(-size_from[1] // self.window[1]))
        self.gather = nn.Conv2d(c_from, c_to, left, bias=False)
        self.spread = nn.Conv2d(c_to, c_to, 1, bias=False)

    def forward(self, gating: Tensor, x: Tensor) -> Tensor:
        gathered = self.gather(avg_pool2d(gating, self.window, ceil_mode=True))
        return x * self.spread(silu(gathered)).sigmoid()
