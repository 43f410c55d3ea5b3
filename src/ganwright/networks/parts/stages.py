"""The sizes that a picture passes through on its way from a few pixels to its own."""

from __future__ import annotations


def stage_sizes(height: int, width: int, smallest: int = 7) -> list[tuple[int, int]]:
    """Sizes from the smallest to (height, width), each about twice the one before: 28x28 gives 7x7, 14x14, 28x28.

    Odd sizes are halved upwards (72, 36, 18, 9, 5), so that twice a stage covers the next and the surplus row or column is
    cut off. Halving ends when the shorter side is at most `smallest`, or the next would be thinner than 3.
    """
    sizes = [(height, width)]
    while min(sizes[0]) > smallest and min(sizes[0]) >= 5:
        sizes.insert(0, ((sizes[0][0] + 1) // 2, (sizes[0][1] + 1) // 2))
    return sizes
