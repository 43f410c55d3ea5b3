"""Pictures as text, for terminals and logs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

SHADES = " .:-=+*#%@"


def draw_in_text(pictures: Sequence[Any], columns: int) -> str:
    """Small PIL pictures side by side in shades of characters, two characters a pixel, so that squares stay square."""
    tiles = [np.asarray(picture.convert("L")) for picture in pictures]
    lines: list[str] = []
    for start in range(0, len(tiles), columns):
        row = tiles[start : start + columns]
        for y in range(row[0].shape[0]):
            lines.append("   ".join("".join(SHADES[int(v) * len(SHADES) // 256] * 2 for v in tile[y]) for tile in row))
        lines.append("")
    return "\n".join(lines)
