"""A comparison as a picture: the main measurements with their intervals, and what each run makes."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from ganwright.evaluation.comparison import Candidate, Comparison, Group, Row
from ganwright.evaluation.report_pieces import Picture, last_samples, read_picture
from ganwright.evaluation.telling import BETTER, against_floor, measure_words, shortened
from ganwright.metrics.parts.measurement import NORMAL_95

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAIN = ("frechet", "kernel_distance", "cmmd", "precision", "recall", "coverage", "diversity", "copying")
MAIN_OF_TABLES = ("shapes", "trends", "detection", "utility", "rare", "frechet", "copying", "membership")
MAIN_OF_SERIES = (
    "told_apart",
    "discriminative",
    "predictive",
    "autocorrelation",
    "cross_correlation",
    "marginals",
    "frechet",
    "copying",
)
COLUMNS = 4
PANEL_INCHES = 2.4
SAMPLES_INCHES = 3.4
TITLE_INCHES = 0.45
WIDTH_INCHES = 11.0
DPI = 100
LONGEST_NAME, LONGEST_TITLE = 34, 140
OURS, REAL = "tab:blue", "tab:brown"
LEGEND = "point: value and 95% interval · ring: the samples, as many as held-out real records · dotted: those real records"


def draw_comparison(comparison: Comparison) -> Image.Image:
    """An RGB picture: for each group a panel a measurement with a point a run, then samples of every run."""
    # Imported here because it takes a second; the object interface leaves pyplot's global state alone.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    groups = [(group, rows) for group in comparison.groups if (rows := _main_rows(group))]
    first, candidates = comparison.groups[0], comparison.candidates
    heights = [_rows_of(len(rows)) * PANEL_INCHES + TITLE_INCHES for _, rows in groups]
    heights.append(_rows_of(len(candidates)) * SAMPLES_INCHES)
    figure = Figure(figsize=(WIDTH_INCHES, sum(heights)), dpi=DPI, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    blocks = list(figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False).flat)
    for (group, rows), block in zip(groups, blocks, strict=False):
        _draw_group(block, group, rows, "" if group is first else first.letters)
    _draw_samples(blocks[-1], candidates)
    canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")


def _rows_of(count: int) -> int:
    return -(-count // COLUMNS)


def _main_rows(group: Group) -> list[Row]:
    """What a panel is drawn of: the main measurements, or else all that there are."""
    rows = [row for row in group.rows if any(math.isfinite(each.value) for each in row.found)]
    names = {row.name for row in rows}
    main = MAIN_OF_TABLES if "shapes" in names else MAIN_OF_SERIES if "told_apart" in names else MAIN
    return [row for row in rows if row.name in main] or rows


def _draw_group(block: Any, group: Group, rows: list[Row], apart_from: str) -> None:
    warning = f"Not to be compared with {apart_from}: " if apart_from else ""
    block.suptitle(f"{shortened(warning + group.about, LONGEST_TITLE)}\n{LEGEND}", fontsize=9, parse_math=False)
    axes = list(block.subplots(_rows_of(len(rows)), COLUMNS, squeeze=False).flat)
    for axis, row in zip(axes, rows, strict=False):
        _draw_panel(axis, group, row)
    for axis in axes[len(rows) :]:
        axis.set_axis_off()


def _draw_panel(axis: Axes, group: Group, row: Row) -> None:
    axis.set_title(
        f"{shortened(measure_words(row.name), LONGEST_NAME)}\n{BETTER[row.better]} is better", fontsize=8.5, parse_math=False
    )
    for place, each in enumerate(row.measured):
        if each is None or not math.isfinite(each.value):
            continue
        spread = NORMAL_95 * each.error if each.error is not None else None
        axis.errorbar(place, each.value, yerr=spread, fmt="o", color=OURS, markersize=5, capsize=3)
        fair = against_floor(each)
        if fair is not None and fair != each.value:
            axis.plot(place + 0.18, fair, "o", color=OURS, markersize=5, markerfacecolor="none")
        if each.floor is not None:
            axis.plot([place - 0.4, place + 0.4], [each.floor] * 2, ":", color=REAL, linewidth=1.6)
    letters = [candidate.letter for candidate in group.candidates]
    axis.set_xticks(range(len(letters)), letters)
    axis.set_xlim(-0.7, len(letters) - 0.3)
    axis.tick_params(labelsize=8)
    axis.grid(axis="y", alpha=0.25)
    axis.spines[["top", "right"]].set_visible(False)


def _draw_samples(block: Any, candidates: list[Candidate]) -> None:
    """Each run's name, with its samples below where it has any."""
    axes = list(block.subplots(_rows_of(len(candidates)), COLUMNS, squeeze=False).flat)
    for axis, candidate in zip(axes, candidates, strict=False):
        axis.set_title(f"{candidate.letter}  {shortened(candidate.name, LONGEST_NAME)}", fontsize=8.5, parse_math=False)
        axis.set_anchor("N")  # names on one line, however tall the samples are
        if (picture := samples_of(candidate)) is not None:
            with Image.open(io.BytesIO(picture.content), formats=["PNG"]) as image:
                axis.imshow(image.convert("RGB"), interpolation="antialiased")
        else:
            axis.text(0.5, 0.5, "no samples", ha="center", fontsize=8.5, color="grey", transform=axis.transAxes)
    for axis in axes:
        axis.set_axis_off()


def samples_of(candidate: Candidate) -> Picture | None:
    """What the evaluated model makes, or else what training drew last; None where there is no such picture."""
    for path in (candidate.folder / "grid.png", last_samples(candidate.folder)):
        try:
            if path is not None:
                return read_picture(path)
        except (OSError, ValueError):
            continue
    return None
