"""Texts as a picture, where a picture is wanted: each on a line of its own, shortened."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from ganwright.data.pictures import INK, PAPER, shortened, with_title
from ganwright.data.texts.writing import one_line

TEXT_PIXELS = 14
LINE_PIXELS = 21
MARGIN = 8
WIDTHS = (480, 960)
"""Least and most pixels of a picture."""
STRIPE = (244, 244, 244)


def lines_picture(texts: Sequence[str], title: str = "") -> Image.Image:
    """One text a line, in letters that Pillow has; others become question marks."""
    font = ImageFont.load_default(TEXT_PIXELS)
    lines = [shortened(one_line(text), font, WIDTHS[1] - 2 * MARGIN) for text in texts]
    longest = max((font.getlength(line) for line in lines), default=0)
    width = int(min(max(longest + 2 * MARGIN, WIDTHS[0]), WIDTHS[1]))
    canvas = Image.new("RGB", (width, len(lines) * LINE_PIXELS), PAPER)
    draw = ImageDraw.Draw(canvas)
    for place, line in enumerate(lines):
        top = place * LINE_PIXELS
        if place % 2:
            draw.rectangle((0, top, width, top + LINE_PIXELS - 1), STRIPE)
        draw.text((MARGIN, top + LINE_PIXELS // 2), line, INK, font, anchor="lm")
    return with_title(canvas, title)
