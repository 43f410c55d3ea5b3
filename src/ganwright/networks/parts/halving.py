"""Half the height and width, and a convolution, in one operation."""

from __future__ import annotations

from torch import Tensor, nn

from ganwright.networks.parts.convolution import learned_conv2d


class HalvingConv2d(nn.Conv2d):
    """A 4x4 convolution at every other pixel, (B, C, H, W) -> (B, out_channels, H / 2, W / 2) of even sides.

    torch.nn.Conv2d, but for a quicker gradient at a picture of few channels: what the generator learns from, and what R1 and
    R2 penalise.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels, 4, stride=2, padding=1)

    def forward(self, input: Tensor) -> Tensor:
        return learned_conv2d(input, self.weight, self.bias, padding=1, stride=2)
