"""Small drawings that stand in a page's text and take its colours: an interval beside its floor, a curve."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from ganwright.evaluation.telling import number_text
from ganwright.metrics.parts.measurement import NORMAL_95, Measurement

BAR_WIDTH, BAR_HEIGHT = 220, 40
BAR_EDGE = 8
"""Room at either end of a bar, so that a dot at the end is whole."""
BAR_LINE = 15
"""Height of the line that dots lie on."""
CURVE_WIDTH, CURVE_HEIGHT = 640, 190
CURVE_LEFT, CURVE_RIGHT, CURVE_TOP, CURVE_BOTTOM = 62, 16, 22, 30
MOST_DOTS = 80
"""Points that are drawn as dots too; more would hide the line."""


def interval_bar(measurement: Measurement, fair: float | None, label: str) -> str:
    """The samples' value and interval, `fair` (their value at the floor's count) and the floor, all on one scale.

    Args:
        label: what a screen reader says in its place.
    """
    interval = measurement.interval or (measurement.value, measurement.value)
    spread = NORMAL_95 * (measurement.floor_error or 0.0)
    floor = measurement.floor
    floor_interval = (floor - spread, floor + spread) if floor is not None else None
    shown = [measurement.value, *interval, *(floor_interval or ()), *([fair] if fair is not None else [])]
    if not all(map(math.isfinite, shown)):
        return ""
    low, high = _bar_scale(shown, measurement)

    def place(value: float) -> float:
        return BAR_EDGE + (value - low) / (high - low) * (BAR_WIDTH - 2 * BAR_EDGE)

    parts = [f'<line class="axis" x1="{BAR_EDGE}" x2="{BAR_WIDTH - BAR_EDGE}" y1="{BAR_LINE}" y2="{BAR_LINE}"/>']
    if floor is not None and floor_interval is not None:
        parts.append(_band("real-range", place(floor_interval[0]), place(floor_interval[1]), 3, 24))
        parts.append(f'<line class="real" x1="{place(floor):.1f}" x2="{place(floor):.1f}" y1="1" y2="29"/>')
    parts.append(_band("range", place(interval[0]), place(interval[1]), BAR_LINE - 4, 8))
    if fair is not None and fair != measurement.value:
        parts.append(f'<circle class="fair" cx="{place(fair):.1f}" cy="{BAR_LINE}" r="4"/>')
    parts.append(f'<circle class="dot" cx="{place(measurement.value):.1f}" cy="{BAR_LINE}" r="4"/>')
    for value, anchor, x in ((low, "start", BAR_EDGE), (high, "end", BAR_WIDTH - BAR_EDGE)):
        parts.append(f'<text x="{x}" y="{BAR_HEIGHT - 1}" text-anchor="{anchor}">{number_text(value)}</text>')
    return _drawing("bar", BAR_WIDTH, BAR_HEIGHT, label, parts)


def curve(points: Sequence[tuple[float, float]], kept: int | None, title: str, across: str) -> str:
    """A line through (x, y) points in order, the one that was kept marked; "" for fewer than two finite points.

    Args:
        kept: the place of the marked point in `points`.
        across: what x is, written below the axis.
    """
    drawn = [point for point in points if all(map(math.isfinite, point))]
    if len(drawn) < 2:
        return ""
    marked = points[kept] if kept is not None and points[kept] in drawn else None
    (left, right), (low, high) = (_extent([point[i] for point in drawn]) for i in (0, 1))

    def place(point: tuple[float, float]) -> tuple[float, float]:
        x = CURVE_LEFT + (point[0] - left) / (right - left) * (CURVE_WIDTH - CURVE_LEFT - CURVE_RIGHT)
        y = CURVE_HEIGHT - CURVE_BOTTOM - (point[1] - low) / (high - low) * (CURVE_HEIGHT - CURVE_TOP - CURVE_BOTTOM)
        return x, y

    parts = [f'<text class="title" x="0" y="12">{escape(title)}</text>']
    for value in (low, (low + high) / 2, high):
        y = place((left, value))[1]
        parts.append(f'<line class="axis" x1="{CURVE_LEFT}" x2="{CURVE_WIDTH - CURVE_RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{CURVE_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{number_text(value)}</text>')
    base = CURVE_HEIGHT - 12
    for value, anchor in ((left, "start"), (right, "end")):
        parts.append(f'<text x="{place((value, low))[0]:.1f}" y="{base}" text-anchor="{anchor}">{number_text(value)}</text>')
    middle = (CURVE_LEFT + CURVE_WIDTH - CURVE_RIGHT) / 2
    parts.append(f'<text x="{middle}" y="{base}" text-anchor="middle">{escape(across)}</text>')
    places = [place(point) for point in drawn]
    parts.append(f'<polyline class="line" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in places)}"/>')
    if len(places) <= MOST_DOTS:
        parts += [f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="2.2"/>' for x, y in places]
    said = title
    if marked is not None:
        x, y = place(marked)
        parts.append(f'<circle class="kept" cx="{x:.1f}" cy="{y:.1f}" r="6"/>')
        anchor = "end" if x > CURVE_WIDTH * 0.8 else "start" if x < CURVE_WIDTH * 0.2 else "middle"
        above = y - 11 if y - 11 > CURVE_TOP + 8 else y + 20
        parts.append(f'<text class="mark" x="{x:.1f}" y="{above:.1f}" text-anchor="{anchor}">kept</text>')
        said += f"; the kept model at {number_text(marked[1])}"
    return _drawing("curve", CURVE_WIDTH, CURVE_HEIGHT, said, parts)


def _bar_scale(shown: Sequence[float], measurement: Measurement) -> tuple[float, float]:
    """From zero to the largest, and to one for shares, so that bars of one kind can be compared."""
    low, high = min(0.0, *shown), max(0.0, *shown)
    is_share = measurement.better == "higher" and high <= 1
    high = max(high, 1.0) if is_share or measurement.better == "near one" else high
    return low, high if high > low else low + 1


def _extent(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _band(name: str, start: float, end: float, top: int, height: int) -> str:
    width = max(end - start, 1.0)
    return f'<rect class="{name}" x="{start:.1f}" width="{width:.1f}" y="{top}" height="{height}" rx="2"/>'


def _drawing(name: str, width: int, height: int, label: str, parts: Sequence[str]) -> str:
    said = escape(label)
    return (
        f'<svg class="{name}" viewBox="0 0 {width} {height}" role="img" aria-label="{said}">'
        f"<title>{said}</title>{''.join(parts)}</svg>"
    )
