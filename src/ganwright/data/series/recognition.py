"""Whether a table's rows are steps of series: a column of dates, and one that says whose they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ganwright.core.errors import UsageError
from ganwright.data.sources.base import Source
from ganwright.data.tables.cells import Cells
from ganwright.data.tables.columns import MeasuredColumn
from ganwright.data.tables.facts import ColumnFacts
from ganwright.data.tables.kinds import decide
from ganwright.data.tables.learning import learn_column
from ganwright.data.tables.text_cells import text_of

LOOKED_AT = 20_000
"""Rows, the first of the table."""
FEWEST_STEPS = 4
"""Rows that a series has on average, at least."""
REGULAR = 0.7
"""Of a series' steps, those that are about as long as the usual one, on average over series: sales of a product come at any
time, and of days with a holiday most have none, so that only days without one follow each other regularly."""
ABOUT = 0.25
"""How far, in parts of the usual step, one may be from it: months differ."""


@dataclass(frozen=True)
class Recognised:
    """What looks like series."""

    time: str
    """The column that says when."""
    series: str
    """The column that says which series a row is of."""
    count: int
    """Series in what was looked at."""
    steps: float
    """Rows of each, on average."""


def recognised(source: Source) -> Recognised | None:
    """The columns that make series of the rows; None where nothing does.

    Whose a row is and when must tell all rows apart, and times must follow each other regularly within a series.
    """
    cells = source.read(0, min(len(source), LOOKED_AT))
    if not isinstance(cells, Cells) or len(cells) < 2 * FEWEST_STEPS:
        return None
    times = {name: found for name in cells.names if (found := _times(source, cells, name)) is not None}
    for time, values in times.items():
        for name, column in zip(cells.names, cells.columns, strict=True):
            if name in times:
                continue
            groups = text_of(column).grouped
            count = len(groups.words)
            if 2 <= count <= len(cells) / FEWEST_STEPS and _follow(values, groups.codes):
                return Recognised(time, name, count, len(cells) / count)
    return None


def ask(found: Recognised, place: str) -> UsageError:
    """The question what rows are that look like series."""
    why = f"the {found.count:,} values of {found.series!r} repeat, and each has {found.steps:,.0f} rows at regular times"
    hints = (
        f"--time-column {found.time!r} --series-column {found.series!r}: they are series (in Python: modality=Series(...))",
        "--rows: each row stands for itself (in Python: modality=Table())",
    )
    return UsageError("E-SERIES-09", "are these rows time series? Please say so", where=place, why=why, hints=hints)


def _times(source: Source, cells: Cells, name: str) -> np.ndarray | None:
    """float64 (rows,) of a column of dates; None for another, or one with gaps."""
    column = cells.columns[cells.names.index(name)]
    if not isinstance(column, np.ndarray) or column.dtype == object:
        # Most columns are no dates, which a few cells tell.
        head = ColumnFacts(name, source.dialect.decimal)
        head.add(column[:200], [""] * min(200, len(cells)), np.ones(min(200, len(cells)), bool))
        if not head.dates.formats:
            return None
    elif column.dtype.kind != "M":
        return None
    facts = ColumnFacts(name, source.dialect.decimal)
    facts.add(column, [""] * len(cells), np.ones(len(cells), bool))
    decision = decide(facts)
    found = learn_column(facts, decision) if decision.kind == "date" else None
    if not isinstance(found, MeasuredColumn):
        return None
    times = found.numbers_of(column)
    return None if np.isnan(times).any() else times


def _follow(times: np.ndarray, groups: np.ndarray) -> bool:
    """Whether within each group all times differ, and most follow each other at one interval, in rare ones too."""
    order = np.lexsort((times, groups))
    steps, inside = np.diff(times[order]), np.diff(groups[order]) == 0
    steps, whose = steps[inside], groups[order][1:][inside]
    if not len(steps) or (steps == 0).any():
        return False
    usual = np.median(steps)
    counts = np.bincount(whose)
    regular = np.bincount(whose, np.abs(steps - usual) <= ABOUT * usual)
    return bool((regular[counts > 0] / counts[counts > 0]).mean() >= REGULAR)
