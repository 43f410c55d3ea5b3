"""Pictures drawn side by side, large enough to be looked at."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

TILE_PIXELS = 64
"""A smaller picture is enlarged by a whole factor until its longer side has about this size."""
GAP_PIXELS = 2
CHECKS = (255, 225)
CHECK_PIXELS = 8


def picture_grid(pictures: Sequence[Image.Image], columns: int) -> Image.Image:
    """Pictures of one size (mode L, RGB or RGBA) in rows of `columns`, as one RGB picture on white.

    Tiny pictures are enlarged without smoothing, so that every pixel can be seen; transparency is drawn on a light
    chequerboard.
    """
    if not pictures:
        raise ValueError("no pictures to draw")
    columns = max(1, min(columns, len(pictures)))
    factor = max(1, round(TILE_PIXELS / max(pictures[0].size)))
    width, height = pictures[0].width * factor, pictures[0].height * factor
    rows = -(-len(pictures) // columns)
    grid_size = (columns * (width + GAP_PIXELS) + GAP_PIXELS, rows * (height + GAP_PIXELS) + GAP_PIXELS)
    grid = Image.new("RGB", grid_size, (255, 255, 255))
    checks = _chequerboard(width, height) if any(picture.mode == "RGBA" for picture in pictures) else None
    for i, picture in enumerate(pictures):
        row, column = divmod(i, columns)
        tile = picture.resize((width, height), Image.Resampling.NEAREST) if factor > 1 else picture
        if tile.mode == "RGBA" and checks is not None:
            tile = Image.alpha_composite(checks, tile)
        left, top = GAP_PIXELS + column * (width + GAP_PIXELS), GAP_PIXELS + row * (height + GAP_PIXELS)
        grid.paste(tile.convert("RGB"), (left, top))
    return grid


def _chequerboard(width: int, height: int) -> Image.Image:
    rows, columns = np.ogrid[:height, :width]
    dark = (rows // CHECK_PIXELS + columns // CHECK_PIXELS) % 2
    grey = np.where(dark == 1, CHECKS[1], CHECKS[0]).astype(np.uint8)
    return Image.fromarray(grey).convert("RGBA")
