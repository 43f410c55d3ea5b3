"""The sizes between a few pixels and the picture's own."""

from __future__ import annotations

import itertools

import pytest

from ganwright.networks.parts.stages import SMALLEST, stage_sizes


@pytest.mark.parametrize(
    ("size", "stages"),
    [
        ((28, 28), [(4, 4), (7, 7), (14, 14), (28, 28)]),
        ((72, 72), [(5, 5), (9, 9), (18, 18), (36, 36), (72, 72)]),
        ((8, 8), [(2, 2), (4, 4), (8, 8)]),
        ((48, 64), [(6, 8), (12, 16), (24, 32), (48, 64)]),
        ((1, 1), [(1, 1)]),
    ],
)
def test_known_sizes(size: tuple[int, int], stages: list[tuple[int, int]]) -> None:
    assert stage_sizes(*size) == stages


def test_every_stage_doubled_covers_the_next_with_a_row_to_spare_at_most() -> None:
    for height in range(1, 140, 3):
        for width in range(1, 140):
            sizes = stage_sizes(height, width)
            assert sizes[-1] == (height, width)
            assert min(sizes[0]) <= SMALLEST
            assert min(sizes[0]) >= min(2, height, width)
            for before, after in itertools.pairwise(sizes):
                assert all(2 * b - a in (0, 1) for b, a in zip(before, after, strict=True))
