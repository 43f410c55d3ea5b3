"""Spectrograms in colour, to be looked at."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from ganwright.data.pictures import picture_grid

COLOURS = ((6, 6, 22), (64, 22, 102), (152, 42, 104), (228, 88, 68), (252, 178, 76), (252, 252, 208))
"""From silence to full volume, ever lighter, so that it also reads in grey."""
SHOWN_RANGE = 0.75
"""Of the range that networks see, from the loudest down: below it lies what a room and a microphone add."""


def spectrogram_grid(values: np.ndarray, columns: int, title: str = "") -> Image.Image:
    """Spectrograms (B, bands, frames) in -1..1 side by side, time to the right and pitch upwards.

    Raises:
        ValueError: there are none.
    """
    return picture_grid(coloured(values), columns, title)


def coloured(values: np.ndarray) -> Sequence[Image.Image]:
    """Each of (B, bands, frames) in -1..1 as an RGB picture."""
    part = ((values + 1) / 2 - (1 - SHOWN_RANGE)).clip(0) / SHOWN_RANGE
    table = np.array(COLOURS, np.float32)
    places = np.arange(len(table)) / (len(table) - 1)
    pixels = np.stack([np.interp(part, places, table[:, channel]) for channel in range(3)], -1)
    return [Image.fromarray(picture.round().astype(np.uint8)) for picture in pixels]
