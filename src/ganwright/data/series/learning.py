"""From rows arranged as series, and the facts of their columns, to what is needed to draw such series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ganwright.data.series.arranged import Arranged
from ganwright.data.series.parts import BANDS, Parts, Role
from ganwright.data.series.scaling import Scaling
from ganwright.data.tables.columns import Column, MeasuredColumn, WordColumn
from ganwright.data.tables.facts import ColumnFacts
from ganwright.data.tables.kinds import decide
from ganwright.data.tables.learning import learn_column
from ganwright.data.tables.text_cells import ColumnCells, is_array, text_of

MOST_SERIES = 20_000
"""That the scales are learned from; of more, evenly spread ones."""
MOST_NUMBERS = 50_000_000


def learn_parts(
    series: Arranged, facts: Mapping[str, ColumnFacts], wanted: Mapping[str, str], dropped: Sequence[str]
) -> tuple[Parts, tuple[str, ...]]:
    """What was learned, and notes for people.

    Args:
        wanted: the kinds that a user says columns have.
        dropped: columns that a user leaves out.
    """
    asked = series.asked
    columns: list[Column] = []
    roles: list[Role] = []
    left_out = [f"{name} (as you said)" for name in dropped]
    notes: list[str] = []
    for name, each in facts.items():
        if name in (asked.time, asked.series) or name in dropped:
            continue
        decision = decide(each, wanted.get(name))
        notes += decision.notes
        column = learn_column(each, decision)
        if column is None:
            left_out.append(f"{name} ({decision.reason})")
            continue
        columns.append(column)
        roles.append(_role(column, series))
    lengths = series.ends - series.starts
    numbers = [column for column, role in zip(columns, roles, strict=True) if role == "number"]
    some = _some_series(series, len(numbers))
    read = _numbers(series, numbers, some)
    alive = np.arange(read.shape[1]) < lengths[some][:, None]
    names = [name for name in facts if name not in dropped]
    parts = Parts(
        columns=tuple(columns),
        roles=tuple(roles),
        time=series.time,
        starts=_starts(series),
        interval=float(series.interval),
        time_place=_place(asked.time, names, columns),
        series_place=0
        if asked.series is None
        else _place(asked.series, names, columns) + _before(asked.time, asked.series, names),
        length=int(lengths.max()),
        ends=bool(lengths.min() < lengths.max()),
        gaps=tuple(column.missing for column in numbers if isinstance(column, MeasuredColumn)),
        scaling=Scaling.learned(read, alive) if numbers else None,
        bands=_bands(read),
    )
    return parts, (*notes, *_told(parts, series, left_out))


def _role(column: Column, series: Arranged) -> Role:
    if column.modes <= 1 and not column.valued:
        return "fixed"
    if series.asked.series is not None and _same_within(series.cells.columns[series.cells.names.index(column.name)], series):
        return "whole"
    return "number" if isinstance(column, MeasuredColumn) and column.valued else "modes"


def _same_within(cells: ColumnCells, series: Arranged) -> bool:
    """Whether a column is the same in all rows of each series."""
    codes = (
        np.unique(cells, return_inverse=True)[1]
        if is_array(cells) and cells.dtype != object
        else text_of(cells).grouped.codes
    )
    changes = np.concatenate([[0], np.cumsum(np.diff(codes) != 0)])
    return bool((changes[series.starts] == changes[series.ends - 1]).all())


def _some_series(series: Arranged, columns: int) -> np.ndarray:
    most = max(1, min(MOST_SERIES, MOST_NUMBERS // max(1, int((series.ends - series.starts).max()) * columns)))
    return np.unique(np.linspace(0, len(series) - 1, min(most, len(series))).astype(np.int64))


def _numbers(series: Arranged, columns: Sequence[Column], some: np.ndarray) -> np.ndarray:
    """float64 (n, T, D) of some series, NaN where missing or behind the end."""
    starts, lengths = series.starts[some], (series.ends - series.starts)[some]
    steps = np.arange(int((series.ends - series.starts).max()))
    alive = steps < lengths[:, None]
    rows = np.where(alive, starts[:, None] + steps, starts[:, None])
    found = np.empty((*rows.shape, len(columns)))
    for place, column in enumerate(columns):
        assert isinstance(column, MeasuredColumn)
        found[:, :, place] = column.numbers_of(series.cells.columns[series.cells.names.index(column.name)])[rows]
    found[~alive] = np.nan
    return found


def _starts(series: Arranged) -> MeasuredColumn | None:
    if series.time is None:
        return None
    first = np.sort(series.times[series.starts])
    if first[0] == first[-1]:
        return None
    knots = np.quantile(first, np.linspace(0, 1, min(1001, max(2, len(first)))), method="nearest")
    return MeasuredColumn(
        "start", series.time.kind, series.time.writing, knots, np.empty(0), np.array([len(first)], np.int64), False
    )


def _bands(numbers: np.ndarray) -> np.ndarray:
    """How the numbers lie at each step: float64 (len(BANDS), T, D), 0 where there are none."""
    some = numbers[:: max(1, len(numbers) // 4096)]
    known = ~np.isnan(some).all(0)
    found = np.zeros((len(BANDS), *numbers.shape[1:]))
    found[:, known] = np.nanquantile(some[:, known], BANDS, axis=0)
    return found


def _place(name: str | None, names: Sequence[str], columns: Sequence[Column]) -> int:
    """How many of the columns stand before it."""
    kept = {column.name for column in columns}
    return 0 if name is None else sum(each in kept for each in names[: names.index(name)])


def _before(time: str | None, series: str, names: Sequence[str]) -> bool:
    return time is not None and names.index(time) < names.index(series)


def _told(parts: Parts, series: Arranged, left_out: Sequence[str]) -> list[str]:
    """What was found out, for people."""
    lengths = series.ends - series.starts
    notes: list[str] = []
    if parts.time is not None and series.interval:
        notes.append(f"a step is {series.told(series.interval)} ({parts.time.name})")
    if parts.ends:
        notes.append(f"{lengths.min():,} to {lengths.max():,} steps, {int(np.median(lengths)):,} usually")
    words: dict[Role, str] = {
        "number": "numbers of each step",
        "modes": "words or few numbers of each step",
        "whole": "the same in all of a series",
        "fixed": "always the same",
    }
    for role, what in words.items():
        names = [
            column.name + (f" ({len(column.levels) + len(column.rare):,})" if isinstance(column, WordColumn) else "")
            for column in parts.of_role(role)
        ]
        if names:
            notes.append(f"{what}: {', '.join(names)}")
    gappy = [column.name for column, gaps in zip(parts.of_role("number"), parts.gaps, strict=True) if gaps]
    if gappy:
        notes.append(f"missing in some steps, and in samples too: {', '.join(gappy)}")
    if left_out:
        notes.append("left out: " + "; ".join(left_out))
    return notes
