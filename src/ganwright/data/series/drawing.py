"""Courses of series: a panel a column, over where the data lie; samples by themselves, or beside series of the data."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ganwright.data.number_drawing import AXIS, FINER, LINE_PIXELS, MARGIN, TEXT_PIXELS, range_text
from ganwright.data.pictures import INK, PAPER, shortened, with_title
from ganwright.data.series.values import SeriesValues

PANEL = (296, 148)
"""Width and height of a panel, its name and its range included; pixels."""
PANELS_A_ROW = 3
MOST_PANELS = 12
LINES = 8
"""Series of one panel."""
ROOM = 0.05
"""Left free above and below the range, in parts of it."""
BAND = (232, 232, 232)
INNER = (214, 214, 214)
COLOURS = (
    (31, 97, 180),
    (214, 96, 32),
    (44, 140, 70),
    (150, 60, 150),
    (180, 40, 50),
    (20, 140, 150),
    (120, 100, 30),
    (70, 70, 70),
)


def draw_series(bands: np.ndarray, samples: SeriesValues, title: str = "", real: SeriesValues | None = None) -> Image.Image:
    """The first columns of the first samples; beside them, if given, real series, which stand on the left.

    Args:
        bands: float64 (5, T, D): what 5%, a quarter, half, three quarters and 95% of the data lie below, at each step.
    """
    columns = min(len(samples.names), MOST_PANELS, bands.shape[2])
    panels: list[Image.Image] = []
    for place in range(columns):
        shown = [each.values[:LINES, :, place] for each in ([real] if real is not None else []) + [samples]]
        low, high = _range(bands[:, :, place], shown)
        for side, values in enumerate(shown):
            whose = "" if real is None else ("data", "samples")[side]
            name = f"{samples.names[place]}{', ' if whose else ''}{whose}"
            panels.append(_panel(name, values, bands[:, :, place], low, high))
    across = 2 if real is not None else min(PANELS_A_ROW, max(1, len(panels)))
    down = -(-len(panels) // across)
    canvas = Image.new("RGB", (across * PANEL[0] + MARGIN, max(1, down) * PANEL[1] + LINE_PIXELS), PAPER)
    for number, panel in enumerate(panels):
        canvas.paste(panel, (MARGIN + number % across * PANEL[0], number // across * PANEL[1]))
    text = "a line a series; grey: where 90% and half of the data lie at each step"
    _text(canvas, (MARGIN, canvas.height - LINE_PIXELS // 2), text, canvas.width - MARGIN, "lm")
    return with_title(canvas, title)


def _range(bands: np.ndarray, shown: Sequence[np.ndarray]) -> tuple[float, float]:
    """Where the data lie; what lies further than a little beyond is cut off."""
    first = shown[0][~np.isnan(shown[0])] if len(shown) > 1 else np.empty(0)
    low, high = min([bands.min(), *first]), max([bands.max(), *first])
    return float(low), float(high)


def _panel(name: str, values: np.ndarray, bands: np.ndarray, low: float, high: float) -> Image.Image:
    canvas = Image.new("RGB", PANEL, PAPER)
    width, height = PANEL[0] - MARGIN, PANEL[1] - 2 * LINE_PIXELS - MARGIN
    _text(canvas, (0, LINE_PIXELS // 2), name, width, "lm")
    room = ROOM * (high - low) or 0.5
    canvas.paste(_courses(values, bands, low - room, high + room, width, height), (0, LINE_PIXELS))
    ImageDraw.Draw(canvas).line((0, LINE_PIXELS + height, width, LINE_PIXELS + height), AXIS)
    _text(
        canvas,
        (0, LINE_PIXELS + height + LINE_PIXELS // 2 + 1),
        " to ".join(filter(None, range_text(low, high))),
        width,
        "lm",
    )
    return canvas


def _courses(values: np.ndarray, bands: np.ndarray, low: float, high: float, width: int, height: int) -> Image.Image:
    picture = Image.new("RGB", (width * FINER, height * FINER), PAPER)
    draw = ImageDraw.Draw(picture)
    across = np.linspace(0, width * FINER - 1, max(2, values.shape[1]))[: values.shape[1]]

    def points(course: np.ndarray) -> list[tuple[float, float]]:
        down = (1 - (np.clip(course, low, high) - low) / (high - low)) * (height * FINER - 1)
        return list(zip(across.tolist(), down.tolist(), strict=True))

    if values.shape[1] > 1:
        for lower, upper, colour in ((0, -1, BAND), (1, -2, INNER)):
            draw.polygon([*points(bands[upper]), *reversed(points(bands[lower]))], colour)
    for number, course in enumerate(values):
        known = ~np.isnan(course)
        at = points(np.where(known, course, low))
        colour = COLOURS[number % len(COLOURS)]
        for step in np.flatnonzero(known).tolist():
            if step and known[step - 1]:
                draw.line((*at[step - 1], *at[step]), colour, FINER + 1)
            elif step + 1 == len(course) or not known[step + 1]:  # one step between two gaps
                x, y = at[step]
                draw.ellipse((x - FINER, y - FINER, x + FINER, y + FINER), colour)
    return picture.resize((width, height), Image.Resampling.BOX)


def _text(canvas: Image.Image, place: tuple[float, float], text: str, width: float, anchor: str) -> None:
    font = ImageFont.load_default(TEXT_PIXELS)
    ImageDraw.Draw(canvas).text(place, shortened(text, font, width), INK, font, anchor=anchor)
