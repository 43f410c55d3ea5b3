"""How the columns of sampled rows are spread, drawn beside the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image

from ganwright.data.number_drawing import Panel, draw_panels, short
from ganwright.data.tables.columns import Column, MeasuredColumn, WordColumn
from ganwright.data.tables.dates import format_dates

MOST_PANELS = 12
BINS = 32
MOST_BARS = 12


def table_panels(columns: Sequence[Column], cells: Mapping[str, np.ndarray], title: str = "") -> Image.Image:
    """A panel for each of the first columns: numbers over their range, words by how frequent they are in the data.

    Args:
        cells: of the samples, by column, as a DataFrame holds them.
    """
    count = len(next(iter(cells.values())))
    panels = [_panel(column, cells[column.name]) for column in columns[:MOST_PANELS]]
    return draw_panels(panels, count, title)


def _panel(column: Column, cells: np.ndarray) -> Panel:
    encoded = column.encode(cells)
    if isinstance(column, MeasuredColumn) and column.valued:
        return _numbers(column, encoded.modes, encoded.values)
    data, samples = column.mode_counts, np.bincount(encoded.modes[encoded.modes >= 0], minlength=column.modes)
    order = np.argsort(-data, kind="stable")[:MOST_BARS]
    names = _mode_names(column)
    below = ", ".join(names[place] for place in order[:4].tolist())
    return Panel(f"{column.name} ({column.modes:,})", _shares(data, order), _shares(samples, order), below)


def _numbers(column: MeasuredColumn, modes: np.ndarray, values: np.ndarray) -> Panel:
    """Over the range between the hundredths at both ends, so that a long tail does not hide the rest."""
    spread = np.concatenate([column.knots, column.spikes])
    low, high = column.knots[[len(column.knots) // 100, -1 - len(column.knots) // 100]]
    low, high = min(low, *column.spikes, low), max(high, *column.spikes, high)
    first = np.full(len(column.knots), column.counts[0] / len(column.knots))
    weights = np.concatenate([first, column.counts[1 : 1 + len(column.spikes)]])
    numbers = column.decode_numbers(modes, values)
    edges = np.linspace(low, high, BINS + 1) if high > low else np.array([low - 0.5, low + 0.5])
    data = np.histogram(np.clip(spread, low, high), edges, weights=weights)[0]
    samples = np.histogram(np.clip(numbers[~np.isnan(numbers)], low, high), edges)[0]
    texts = [_text(column, end) for end in (low, high)]
    missing = ""
    if column.missing:
        missing = (
            f" (missing {_share(column.counts[-1], column.counts.sum())}, {_share(np.isnan(numbers).sum(), len(numbers))})"
        )
    return Panel(column.name + missing, data / max(data.sum(), 1), samples / max(samples.sum(), 1), *texts)


def _text(column: MeasuredColumn, number: float) -> str:
    if column.kind != "date":
        return short(number)
    return str(format_dates(np.array([int(number)]), "%Y-%m-%d")[0])


def _mode_names(column: Column) -> list[str]:
    if isinstance(column, WordColumn):
        names = ["(rare)"] * column.valued + list(column.levels)
    elif isinstance(column, MeasuredColumn):
        names = [_text(column, value) for value in column.spikes.tolist()]
    else:
        names = []
    return names + ["(missing)"] * (column.modes - len(names))


def _share(part: float, whole: float) -> str:
    return f"{part / max(whole, 1):.0%}"


def _shares(counts: np.ndarray, order: np.ndarray) -> np.ndarray:
    return counts[order] / max(1, int(counts.sum()))
