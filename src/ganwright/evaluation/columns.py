"""What is found of single columns and pairs of columns of a table: figures, and what a plot is drawn from."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ganwright.core.text import printable
from ganwright.evaluation.cells import cell_text
from ganwright.evaluation.result import ColumnPlot
from ganwright.metrics.base import Tables
from ganwright.metrics.parts.coded import Coded
from ganwright.metrics.shapes import column_distances
from ganwright.metrics.trends import pair_distances, pairs_of

MOST_PLOTS = 60
"""Columns that are drawn: the first ones."""
MOST_PAIRS = 20
"""Pairs that are kept: the worst ones."""
BINS = 24
MOST_BARS = 10
"""Words that are drawn, those that the data have most often first; the others as one."""
REPEATS = 5
"""Parts of the samples, as many rows as are held out, over which figures to hold against those are averaged."""
Figures = dict[str, dict[str, float]]
Distances = Callable[[Coded], list[float]]


def look_at_columns(tables: Tables) -> tuple[Figures, Figures]:
    """Figures of each column, and of the worst pairs, by name: "alike" is one less the distance, "alike_as_many" that of as
    many samples as rows are held out, "real" of these; "missing" and "real_missing" shares of cells."""
    columns = tables.train.columns
    names = _unique([printable(column.name, 100) for column in columns])
    by_column = _alike(column_distances(tables.train), tables, names)
    for place, column in enumerate(columns):
        if column.missing:
            shares = {"missing": tables.fake.missing(place), "real_missing": tables.train.missing(place)}
            by_column[names[place]] |= {name: float(each.mean()) for name, each in shares.items()}
    pairs = pairs_of(columns)
    if not pairs:
        return by_column, {}
    titles = _unique([f"{names[one]} with {names[other]}" for one, other in pairs])
    by_pair = _alike(pair_distances(tables.train, pairs), tables, titles)
    worst = sorted(by_pair, key=lambda name: by_pair[name]["alike"])[:MOST_PAIRS]
    return by_column, {name: by_pair[name] for name in worst}


def plots(tables: Tables) -> tuple[ColumnPlot, ...]:
    """What the first columns' plots show."""
    names = _unique([printable(column.name, 100) for column in tables.train.columns])
    return tuple(_plot(tables, place, name) for place, name in enumerate(names[:MOST_PLOTS]))


def _alike(distances: Distances, tables: Tables, names: Sequence[str]) -> Figures:
    def figures(rows: Coded) -> np.ndarray:
        return 1 - np.array(distances(rows))

    found = {"alike": figures(tables.fake)}
    if (held_out := tables.held_out) is not None and len(held_out):
        count = min(len(held_out), len(tables.fake))
        repeats = min(REPEATS, len(tables.fake) // count)
        parts = [tables.fake.take(slice(start * count, (start + 1) * count)) for start in range(repeats)]
        found["alike_as_many"] = np.mean([figures(part) for part in parts], axis=0)
        found["real"] = figures(held_out.take(slice(count)))
    return {name: {key: float(each[i]) for key, each in found.items()} for i, name in enumerate(names)}


def _plot(tables: Tables, place: int, name: str) -> ColumnPlot:
    column = tables.train.columns[place]
    real, fake = tables.train.values[place], tables.fake.values[place]
    if column.words is not None:
        texts = [cell_text(word, column.kind) for word in column.words]
        return _bars(name, column.kind, texts, real, fake)
    real, fake = real[~np.isnan(real)], fake[~np.isnan(fake)]
    levels = np.unique(real)
    if len(levels) <= BINS:
        among = np.union1d(levels, fake)
        if len(among) <= BINS:
            edges = among if len(among) < 2 else np.concatenate([among[:1], (among[1:] + among[:-1]) / 2, among[-1:]])
            return _histogram(
                name, column.kind, np.searchsorted(among, real), np.searchsorted(among, fake), len(among), edges
            )
    # Between the hundredths at both ends, so that a long tail does not hide the rest.
    low, high = np.quantile(real, [0.01, 0.99]) if len(real) else (0.0, 0.0)
    if high <= low:
        low, high = (float(real.min()), float(real.max())) if len(real) else (0.0, 1.0)
    edges = np.linspace(low, high if high > low else low + 1, BINS + 1)
    inside = [np.clip(np.searchsorted(edges, each, "right") - 1, 0, BINS - 1) for each in (real, fake)]
    return _histogram(name, column.kind, inside[0], inside[1], BINS, edges)


def _histogram(name: str, kind: str, real: np.ndarray, fake: np.ndarray, bins: int, edges: np.ndarray) -> ColumnPlot:
    ends = tuple(cell_text(_short(float(edge), kind), kind) for edge in (edges[0], edges[-1])) if len(edges) else ("", "")
    return ColumnPlot(name, kind, "histogram", ends, _shares(real, bins), _shares(fake, bins))


def _bars(name: str, kind: str, words: list[str], real: np.ndarray, fake: np.ndarray) -> ColumnPlot:
    shown = min(len(words), MOST_BARS)
    bins = shown + (len(words) > shown)
    texts = words[:shown] + ([f"({len(words) - shown:,} others)"] if bins > shown else [])
    places = [np.minimum(each, bins - 1) for each in (real, fake)]
    return ColumnPlot(name, kind, "bars", tuple(texts), _shares(places[0], bins), _shares(places[1], bins))


def _short(number: float, kind: str) -> float:
    return number if kind == "date" else float(f"{number:.4g}")


def _shares(places: np.ndarray, bins: int) -> tuple[float, ...]:
    counts = np.bincount(places, minlength=bins) / max(len(places), 1)
    return tuple(round(share, 6) for share in counts.tolist())


def _unique(names: Sequence[str]) -> list[str]:
    """Names that were cut or cleaned may be equal."""
    found: list[str] = []
    for name in names:
        number, mine = 2, name
        while mine in found:
            number, mine = number + 1, f"{name} ({number})"
        found.append(mine)
    return found
