"""Which size and colour a set of pictures is trained at, when the user does not say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median_low

LARGEST_NATIVE_SIDE = 128
SHORT_SIDE = 64
LARGEST_LONG_SIDE = 4 * SHORT_SIDE
SIDE_STEP = 8
CHANNELS = {"grey": 1, "colour": 3, "alpha": 4}
COLOURS = {1: "grey", 3: "colour", 4: "colour+alpha"}


@dataclass(frozen=True)
class ChosenSize:
    """A size with the reason for it."""

    height: int
    width: int
    reason: str


def choose_size(
    shapes: Mapping[tuple[int, int], int],
    wanted: tuple[int, int] | int | None,
    usual: tuple[int, int] | None = None,
) -> ChosenSize:
    """The size for pictures of these (height, width), with how many there are of each.

    A set of one shape keeps it up to 128 px; a larger one keeps its aspect with a short side of 64 px, and the other side
    rounded to a multiple of 8 px; a mixed set becomes square, never larger than its middle picture. Large or mixed sets
    take the `usual` size instead, where there is one.
    """
    if wanted is not None:
        height, width = (wanted, wanted) if isinstance(wanted, int) else wanted
        return ChosenSize(height, width, "" if set(shapes) == {(height, width)} else _how(shapes, height, width))
    if usual is not None and (len(shapes) > 1 or max(next(iter(shapes))) > LARGEST_NATIVE_SIDE):
        return ChosenSize(*usual, _how(shapes, *usual))
    if len(shapes) == 1:
        height, width = next(iter(shapes))
        if max(height, width) <= LARGEST_NATIVE_SIDE:
            return ChosenSize(height, width, "the size of all pictures")
        height, width = _shrunk(height, width)
        return ChosenSize(height, width, _how(shapes, height, width))
    sides = [min(shape) for shape, count in shapes.items() for _ in range(count)]
    side = min(SHORT_SIDE, median_low(sides))
    return ChosenSize(side, side, _how(shapes, side, side))


def choose_channels(colours: Mapping[str, int]) -> int:
    """1, 3 or 4 by what most pictures are: "grey", "colour" or "alpha"; colour wins a tie."""
    best = max(colours, key=lambda colour: (colours[colour], colour == "colour"))
    return CHANNELS[best]


def _shrunk(height: int, width: int) -> tuple[int, int]:
    scale = SHORT_SIDE / min(height, width)

    def shrunk(side: int) -> int:
        return min(LARGEST_LONG_SIDE, max(SHORT_SIDE, SIDE_STEP * round(side * scale / SIDE_STEP)))

    return shrunk(height), shrunk(width)


def _how(shapes: Mapping[tuple[int, int], int], height: int, width: int) -> str:
    """What happens to the pictures on the way to this size, in a few words."""
    if len(shapes) == 1:
        (old_height, old_width), before = next(iter(shapes)), "from "
    else:
        most = Counter(shapes).most_common(1)[0][0]
        (old_height, old_width), before = most, f"from {len(shapes):,} sizes, most often "
    aspects_differ = any(old * width != other * height for old, other in shapes)
    cut = ", short side resized, centre kept" if aspects_differ else ", resized"
    smaller = sum(count for (old, other), count in shapes.items() if old < height or other < width)
    enlarged = f", {smaller:,} of them enlarged" if smaller else ""
    return f"{before}{old_width}x{old_height}{cut}{enlarged}"
