"""The sizes that a picture passes through on its way from a few pixels to its own."""

from __future__ import annotations

from ganwright.networks.base import MAX_WIDTH

SMALLEST = 6
FEWEST_DOUBLINGS = 2


def stage_sizes(height: int, width: int) -> list[tuple[int, int]]:
    """Sizes from the smallest to (height, width), each about twice the one before: 28x28 gives 4x4, 7x7, 14x14, 28x28.

    Odd sizes are halved upwards (72, 36, 18, 9, 5), so that twice a stage covers the next and the surplus row or column
    is cut off. Halving ends when the shorter side is at most 6 and the picture was halved twice, or could not be.
    """
    sizes = [(height, width)]
    while min(sizes[0]) > SMALLEST or (len(sizes) <= FEWEST_DOUBLINGS and min(sizes[0]) >= 4):
        sizes.insert(0, ((sizes[0][0] + 1) // 2, (sizes[0][1] + 1) // 2))
    return sizes


def doubled_channels(width: int, most: int, stages: int) -> list[int]:
    """Channels of the maps of so many stages, the smallest map's first: `width` at the largest, doubled up to `most`."""
    return [min(width << i, most, MAX_WIDTH) for i in range(stages)][::-1]
