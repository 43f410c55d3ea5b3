"""Rows of numbers as pictures: how each column is spread, or each row as a curve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ganwright.data.pictures import INK, PAPER, Font, shortened, with_title

PANEL = (208, 140)
"""Width and height of one column's panel, its name and its axis included; pixels."""
PANELS_A_ROW = 4
CURVE = (104, 68)
MARGIN = 10
TEXT_PIXELS = 12
LINE_PIXELS = 18
"""The height of a line of text."""
DATA = (206, 206, 206)
SAMPLES = (31, 97, 180)
AXIS = (150, 150, 150)
FINER = 3
"""Lines are drawn so many times larger and then reduced, which smooths them."""


def spread_panels(
    values: np.ndarray, names: Sequence[str], low: np.ndarray, high: np.ndarray, data: np.ndarray, title: str = ""
) -> Image.Image:
    """One panel per column: how many of the samples lie where, over how many of the data do.

    Args:
        values: samples (n, D).
        names: of the D columns.
        low, high: (D,), the range of the data, which the panels show.
        data: how many records of the data fall into each part of that range, (D, bins); may be zeros.
    """
    panels: list[Panel] = []
    for i, name in enumerate(names):
        counts = binned(values[:, i : i + 1], low[i : i + 1], high[i : i + 1], data.shape[1])[0]
        panels.append(Panel(name, _shares(data[i]), _shares(counts), *range_text(float(low[i]), float(high[i]))))
    return draw_panels(panels, len(values), title)


@dataclass(frozen=True)
class Panel:
    """How one column is spread."""

    name: str
    data: np.ndarray
    """(bins,): share of the data in each part."""
    samples: np.ndarray
    """(bins,): share of the samples."""
    left: str
    """What is written below, on the left."""
    right: str = ""
    """And on the right; nothing centres what is on the left."""


def draw_panels(panels: Sequence[Panel], count: int, title: str = "") -> Image.Image:
    """Panels side by side, of so many samples."""
    columns = min(PANELS_A_ROW, len(panels))
    rows = -(-len(panels) // columns)
    head = LINE_PIXELS + MARGIN // 2
    canvas = Image.new("RGB", (columns * PANEL[0] + MARGIN, rows * PANEL[1] + head + MARGIN // 2), PAPER)
    draw, font = ImageDraw.Draw(canvas), _font()
    legend = [(SAMPLES, f"{count:,} samples")] + ([(DATA, "the data")] if any(each.data.any() for each in panels) else [])
    left = MARGIN
    for colour, text in legend:
        draw.rectangle((left, MARGIN // 2 + 4, left + 9, MARGIN // 2 + 13), colour)
        left = int(_text(draw, (left + 14, MARGIN // 2 + 9), text, font, canvas.width - left - 14, "lm")) + 16
    for i, panel in enumerate(panels):
        row, column = divmod(i, columns)
        _panel(canvas, (MARGIN + column * PANEL[0], head + row * PANEL[1]), panel)
    return with_title(canvas, title)


def range_text(low: float, high: float) -> tuple[str, str]:
    """What stands below a panel from `low` to `high`."""
    return (f"always {short(low)}", "") if low == high else (short(low), short(high))


def curve_tiles(values: np.ndarray, low: np.ndarray, high: np.ndarray, columns: int, title: str = "") -> Image.Image:
    """Each row (of (n, D)) as a curve, over the range that the data have in each place; all of one height scale."""
    bottom, top = float(low.min()), float(high.max())
    columns = max(1, min(columns, len(values)))
    rows = -(-len(values) // columns)
    width, height = CURVE
    canvas = Image.new("RGB", (columns * width + MARGIN, rows * height + MARGIN + LINE_PIXELS), PAPER)
    band = _curve_points(np.stack([high, low]), bottom, top)
    for i, points in enumerate(_curve_points(values, bottom, top)):
        row, column = divmod(i, columns)
        canvas.paste(_curve(points, band), (MARGIN + column * width, MARGIN + row * height))
    text = f"{values.shape[1]:,} numbers a row, from {short(bottom)} to {short(top)}; grey: the range of the data"
    place = (MARGIN, canvas.height - LINE_PIXELS // 2 - 2)
    _text(ImageDraw.Draw(canvas), place, text, _font(), canvas.width - 2 * MARGIN, "lm")
    return with_title(canvas, title)


def binned(values: np.ndarray, low: np.ndarray, high: np.ndarray, bins: int) -> np.ndarray:
    """How many of (n, D) values fall into each of `bins` equal parts of their column's range: int64 (D, bins)."""
    half = high / 2 - low / 2  # Halved first, since a range may be larger than the largest number.
    places = (values / 2 - low / 2) / np.where(half > 0, half, 1) * bins
    places = np.clip(places, 0, bins - 1).astype(np.int64)
    counts = [np.bincount(places[:, i], minlength=bins) for i in range(values.shape[1])]
    return np.stack(counts).astype(np.int64)


def short(value: float) -> str:
    """A number in few letters: 37.9, 35,000,000, 1.2e-05."""
    if value != 0 and not 1e-3 <= abs(value) < 1e9:
        return f"{value:.1e}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _panel(canvas: Image.Image, corner: tuple[int, int], panel: Panel) -> None:
    """Draws one panel: the name above, bars for the data, a stepped line for the samples, the range below."""
    width, height = PANEL[0] - MARGIN, PANEL[1] - 2 * LINE_PIXELS - MARGIN
    draw, font = ImageDraw.Draw(canvas), _font()
    left, top = corner[0], corner[1] + LINE_PIXELS
    _text(draw, (left, corner[1] + LINE_PIXELS // 2), panel.name, font, width, "lm")
    canvas.paste(_bars(width, height, panel.data, panel.samples), (left, top))
    draw.line((left, top + height, left + width - 1, top + height), AXIS)
    below = top + height + LINE_PIXELS // 2 + 1
    if not panel.right:
        _text(draw, (left + width // 2, below), panel.left, font, width, "mm")
        return
    _text(draw, (left, below), panel.left, font, width // 2, "lm")
    _text(draw, (left + width, below), panel.right, font, width // 2, "rm")


def _bars(width: int, height: int, data: np.ndarray, samples: np.ndarray) -> Image.Image:
    """Shares (bins,) of the data as bars, those of the samples as a stepped line."""
    picture = Image.new("RGB", (width * FINER, height * FINER), PAPER)
    draw = ImageDraw.Draw(picture)
    peak = max(float(data.max()), float(samples.max()), 1e-9)
    edges = np.rint(np.linspace(0, width * FINER - 1, len(data) + 1)).astype(int).tolist()
    inside = height * FINER - FINER  # Room for the line's width.

    def level(share: float) -> int:
        return height * FINER - 1 - round(inside * share / peak)

    line: list[tuple[int, int]] = []
    for i, (share, of_samples) in enumerate(zip(data.tolist(), samples.tolist(), strict=True)):
        if share:
            draw.rectangle((edges[i], level(share), edges[i + 1], height * FINER), DATA)
        line += [(edges[i], level(of_samples)), (edges[i + 1], level(of_samples))]
    draw.line(line, SAMPLES, 2 * FINER)
    return picture.resize((width, height), Image.Resampling.BOX)


def _curve_points(values: np.ndarray, bottom: float, top: float) -> list[list[tuple[float, float]]]:
    """Each row of (n, D) as the points of a line within CURVE, drawn FINER."""
    width, height = ((side - MARGIN) * FINER for side in CURVE)
    if values.shape[1] > 2 * width:  # More than can be seen: the lowest and the highest of each place.
        edges = np.linspace(0, values.shape[1], width + 1).astype(int)[:-1]
        pair = [np.minimum.reduceat(values, edges, 1), np.maximum.reduceat(values, edges, 1)]
        values = np.stack(pair, 2).reshape(len(values), -1)
    half = top / 2 - bottom / 2
    shares = (values / 2 - bottom / 2) / half if half > 0 else np.full(values.shape, 0.5)
    across = np.linspace(0, width - 1, values.shape[1]).tolist()
    down = ((1 - np.clip(shares, 0, 1)) * (height - 1)).tolist()
    return [list(zip(across, row, strict=True)) for row in down]


def _curve(points: list[tuple[float, float]], band: list[list[tuple[float, float]]]) -> Image.Image:
    width, height = CURVE[0] - MARGIN, CURVE[1] - MARGIN
    picture = Image.new("RGB", (width * FINER, height * FINER), PAPER)
    draw = ImageDraw.Draw(picture)
    upper, lower = band
    draw.polygon([*upper, *reversed(lower)], (234, 234, 234))
    draw.line(points, SAMPLES, FINER)
    return picture.resize((width, height), Image.Resampling.BOX)


def _shares(counts: np.ndarray) -> np.ndarray:
    return counts / max(1, int(counts.sum()))


def _font() -> Font:
    return ImageFont.load_default(TEXT_PIXELS)


def _text(draw: ImageDraw.ImageDraw, place: tuple[float, float], text: str, font: Font, width: float, anchor: str) -> float:
    """Draws a line of text no wider than `width`; gives back where it ends."""
    text = shortened(text, font, width)
    draw.text(place, text, INK, font, anchor=anchor)
    return place[0] + font.getlength(text)
