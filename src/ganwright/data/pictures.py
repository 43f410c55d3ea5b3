"""Pictures drawn side by side, large enough to be looked at."""

from __future__ import annotations

import unicodedata
from bisect import bisect_left
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

TILE_PIXELS = 64
"""A smaller picture is enlarged by a whole factor until its longer side has about this size."""
GAP_PIXELS = 2
CHECKS = (255, 225)
CHECK_PIXELS = 8
TITLE_PIXELS = 15
"""The height of a title's letters; the strip that it stands on is twice as high."""
PAPER = (255, 255, 255)
INK = (32, 32, 32)
MOST_LETTERS = 1000
NO_LETTER = "\U0010fffe"
PLAINER = {ord("—"): "-", ord("–"): "-", ord("−"): "-", ord("×"): "x"}
DOTS = "…"
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def picture_grid(pictures: Sequence[Image.Image], columns: int, title: str = "") -> Image.Image:
    """Pictures of one size (mode L, RGB or RGBA) in rows of `columns`, as one RGB picture on white, below its title.

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
    grid = Image.new("RGB", grid_size, PAPER)
    checks = _chequerboard(width, height) if any(picture.mode == "RGBA" for picture in pictures) else None
    for i, picture in enumerate(pictures):
        row, column = divmod(i, columns)
        tile = picture.resize((width, height), Image.Resampling.NEAREST) if factor > 1 else picture
        if tile.mode == "RGBA" and checks is not None:
            tile = Image.alpha_composite(checks, tile)
        left, top = GAP_PIXELS + column * (width + GAP_PIXELS), GAP_PIXELS + row * (height + GAP_PIXELS)
        grid.paste(tile.convert("RGB"), (left, top))
    return with_title(grid, title)


def below_each_other(pictures: Sequence[Image.Image]) -> Image.Image:
    """RGB pictures in one, on white."""
    whole = Image.new("RGB", (max(each.width for each in pictures), sum(each.height for each in pictures)), PAPER)
    top = 0
    for each in pictures:
        whole.paste(each, (0, top))
        top += each.height
    return whole


def with_title(picture: Image.Image, title: str) -> Image.Image:
    """The RGB picture with a line of text above it, shortened to its width; the picture itself without a title."""
    font = ImageFont.load_default(TITLE_PIXELS)
    text = shortened(" ".join(title.split()), font, picture.width - 4 * GAP_PIXELS)
    if not text:
        return picture
    strip = 2 * TITLE_PIXELS
    titled = Image.new("RGB", (picture.width, picture.height + strip), PAPER)
    titled.paste(picture, (0, strip))
    ImageDraw.Draw(titled).text((2 * GAP_PIXELS, strip // 2), text, INK, font, anchor="lm")
    return titled


def shortened(text: str, font: Font, width: float) -> str:
    """As much of a line of text as `width` pixels hold, with dots where something is missing; "" where nothing fits.

    Letters that Pillow's font lacks lose their accents, or become question marks.
    """
    letters = unicodedata.normalize("NFKD", text[:MOST_LETTERS].translate(PLAINER))
    letters = [letter for letter in letters if not unicodedata.combining(letter)]
    lacking = _drawn(NO_LETTER, font)
    known = {letter for letter in set(letters) if letter.isprintable() and _drawn(letter, font) != lacking}
    text = "".join(letter if letter in known else "?" for letter in letters)
    if font.getlength(text) <= width:
        return text
    fitting = bisect_left(range(len(text)), True, key=lambda count: font.getlength(text[: count + 1] + DOTS) > width)
    return text[:fitting].rstrip() + DOTS if fitting else ""


def _drawn(letter: str, font: Font) -> bytes:
    picture = Image.new("L", (2 * TITLE_PIXELS, 2 * TITLE_PIXELS))
    ImageDraw.Draw(picture).text((0, 0), letter, 255, font)
    return picture.tobytes()


def _chequerboard(width: int, height: int) -> Image.Image:
    rows, columns = np.ogrid[:height, :width]
    dark = (rows // CHECK_PIXELS + columns // CHECK_PIXELS) % 2
    grey = np.where(dark == 1, CHECKS[1], CHECKS[0]).astype(np.uint8)
    return Image.fromarray(grey).convert("RGBA")
