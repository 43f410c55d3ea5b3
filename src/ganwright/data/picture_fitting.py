"""One decoded picture brought to a wanted size and number of channels."""

from __future__ import annotations

import numpy as np
from PIL import Image

BACKGROUNDS = {"white": (255, 255, 255), "black": (0, 0, 0), "grey": (128, 128, 128)}
MODES = {1: "L", 3: "RGB", 4: "RGBA"}
TRANSPARENT_NOTE = "transparent: drawn on {}"


def fit_picture(image: Image.Image, height: int, width: int, channels: int, background: str, notes: list[str]) -> np.ndarray:
    """The picture (mode L, RGB or RGBA) as uint8 (height, width, channels).

    The short side is resized with antialiasing and the rest cut off evenly. Where no alpha channel keeps it, transparency is
    drawn on the background first, so that no colour hidden under alpha 0 shows or bleeds into an edge.
    """
    colour = BACKGROUNDS[background]
    if image.mode == "RGBA" and channels != 4:
        below = Image.new("RGBA", image.size, (*colour, 255))
        notes.append(TRANSPARENT_NOTE.format(background))
        image = Image.alpha_composite(below, image).convert("RGB")
    if image.mode != MODES[channels]:
        image = image.convert(MODES[channels])
    if image.size != (width, height):
        # For RGBA, Pillow resizes with the colours multiplied by alpha, as it must be.
        box = _centre(image.width, image.height, width / height)
        image = image.resize((width, height), Image.Resampling.LANCZOS, box=box, reducing_gap=3.0)
    pixels = np.asarray(image).reshape(height, width, channels)
    if channels == 4:
        pixels = pixels.copy()
        pixels[pixels[..., 3] == 0, :3] = colour
    return pixels


def _centre(width: int, height: int, aspect: float) -> tuple[float, float, float, float]:
    """The largest box (left, top, right, bottom) of an aspect (width / height) in the middle of a picture."""
    if width > height * aspect:
        margin = (width - height * aspect) / 2
        return margin, 0, width - margin, height
    margin = (height - width / aspect) / 2
    return 0, margin, width, height - margin
