"""Rows of a table arranged as series: grouped, put in the order of time, and cut into windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ganwright.core.errors import DataError, UsageError
from ganwright.core.suggest import unknown_name_hints
from ganwright.data.series.spans import Spans
from ganwright.data.sources.base import Source
from ganwright.data.tables.cells import Cells
from ganwright.data.tables.columns import MeasuredColumn
from ganwright.data.tables.facts import ColumnFacts
from ganwright.data.tables.kinds import decide
from ganwright.data.tables.learning import learn_column
from ganwright.data.tables.text_cells import text_of
from ganwright.data.wrapped import Wrapped

READ_ROWS = 16_384
MOST_WINDOWS = 20_000
"""Windows that lie over each other begin further apart where there would be more."""
LONGEST = 1024
"""Steps of a series that is taken whole."""
SHORTEST = 2
FASTER = 1.5
"""A usual interval over another from which on they are two rates; months of 28 and 31 days are one."""


@dataclass(frozen=True)
class Arrangement:
    """What a user says of how rows are series."""

    time: str | None = None
    """The column that says when; None: rows follow each other as they stand."""
    series: str | None = None
    """The column that says which series a row is of; None: all are of one."""
    window: int | None = None
    """Steps of the windows that series are cut into; None: they are taken whole."""
    stride: int | None = None
    """Steps from the beginning of a window to that of the next; None: 1, or more where there would be very many."""

    def __post_init__(self) -> None:
        if self.window is not None and not SHORTEST <= self.window <= LONGEST:
            raise UsageError("E-SERIES-02", f"a window has {SHORTEST}..{LONGEST} steps, not {self.window}")
        if self.stride is not None and (self.stride < 1 or self.window is None):
            raise UsageError("E-SERIES-02", "a stride is 1 or more, of windows", hints=("--window 24 --stride 6",))
        if self.series is None and self.window is None:
            what = "all rows would be one series, and one is too few to learn from"
            raise UsageError("E-SERIES-03", what, hints=("--window 24 cuts it", "--series-column id, if there are several"))
        if self.time is not None and self.time == self.series:
            raise UsageError("E-SERIES-03", f"{self.time} cannot say both when and which")


class Arranged(Wrapped):
    """A table's rows as series; it takes the place of its source once that is loaded."""

    def __init__(self, rows: Source, asked: Arrangement, time: MeasuredColumn | None = None) -> None:
        """
        Args:
            time: how times are read, where that was learned before.

        Raises:
            DataError: times that are none, that come twice in a series, or come at several rates; series that are too long.
            UsageError: no such column.
        """
        super().__init__(rows)
        self.notes = list(rows.notes)
        self._kept: int | None = None
        self.rows, self.asked = rows, asked
        parts = [Cells.of(rows.read(at, at + READ_ROWS), rows.columns) for at in range(0, len(rows), READ_ROWS)]
        if not parts:
            raise DataError("E-DATA-04", "no rows in the table", where=rows.place)
        cells = Cells.joined(parts)
        self.columns = cells.names
        for name in (asked.time, asked.series):
            if name is not None and name not in cells.names:
                raise UsageError("E-SERIES-01", f"there is no column {name!r}", hints=unknown_name_hints(name, cells.names))
        groups = self._groups(cells)
        self.time = time or (None if asked.time is None else self._time_column(cells))
        """The column that says when."""
        times = np.arange(len(cells)) if self.time is None else self._times(cells)
        order = np.lexsort((times, groups))
        self.cells = cells.taken(order)
        self.times = times[order].astype(np.float64)
        """float64 (rows,): when each row was, in the column's unit."""
        groups = groups[order]
        edges = np.flatnonzero(np.diff(groups)) + 1
        starts, ends = np.concatenate([[0], edges]), np.concatenate([edges, [len(groups)]])
        self.interval = self._interval(starts, ends)
        """Between two steps, usually."""
        self.starts, self.ends = self._cut(starts, ends)
        if not len(self.starts):
            longest = int((ends - starts).max())
            what = f"no series has {asked.window} steps: the longest has {longest}"
            raise DataError("E-SERIES-07", what, where=self.place, hints=(f"--window {max(SHORTEST, longest // 4)}",))

    def __len__(self) -> int:
        return len(self.starts)

    def read(self, start: int, stop: int) -> Spans:
        return Spans(self.cells, self.starts[start:stop], self.ends[start:stop], start)

    def limit(self, count: int) -> None:
        """Keep so many series, evenly spread."""
        places = np.arange(count) * len(self) // count
        self.notes.append(f"{count:,} of {len(self):,} series taken, evenly spread")
        self.starts, self.ends = self.starts[places], self.ends[places]
        self._kept = count

    def fingerprint(self) -> str:
        return f"{super().fingerprint()}-{self.asked}-{self._kept}"

    def _groups(self, cells: Cells) -> np.ndarray:
        """int64 (rows,): which series each row is of, numbered as they first appear."""
        if self.asked.series is None:
            return np.zeros(len(cells), np.int64)
        return text_of(cells.columns[cells.names.index(self.asked.series)]).grouped.codes

    def _time_column(self, cells: Cells) -> MeasuredColumn:
        name = self.asked.time or ""
        facts = ColumnFacts(name, self.rows.dialect.decimal)
        column = cells.columns[cells.names.index(name)]
        names = [cells.name_of(row) for row in range(len(cells))]
        facts.add(column, names, np.ones(len(cells), bool))
        if facts.dates.best.numbers.count:
            kind = "date"
        elif facts.numbers.count:
            kind = "whole" if facts.numbers.whole else "decimal"
        else:
            why = "dates in several formats" if facts.dates.mixed else "its cells are neither dates nor numbers"
            raise DataError("E-SERIES-04", f"column {name!r} does not say when", where=self.place, why=why)
        found = learn_column(facts, decide(facts, kind))
        assert isinstance(found, MeasuredColumn)
        return found

    def _times(self, cells: Cells) -> np.ndarray:
        assert self.time is not None
        times = self.time.numbers_of(cells.columns[cells.names.index(self.time.name)])
        if np.isnan(times).any():
            row = int(np.flatnonzero(np.isnan(times))[0])
            why = f"{cells.name_of(row)}, and {int(np.isnan(times).sum()) - 1:,} more"
            hints = ("leave these rows out of the file",)
            what = f"rows without a time in {self.time.name!r}"
            raise DataError("E-SERIES-04", what, where=self.place, why=why, hints=hints)
        return times

    def _interval(self, starts: np.ndarray, ends: np.ndarray) -> float:
        """The usual time between two rows; the same for all series."""
        steps = np.diff(self.times)
        inside = np.ones(len(steps), bool)
        inside[starts[1:] - 1] = False
        twice = np.flatnonzero(inside & (steps == 0))
        if len(twice):
            row = self.cells.name_of(int(twice[0]) + 1)
            which = "--series-column id, if there are several series" if self.asked.series is None else ""
            what, why = f"two rows of one series have the same time ({row})", f"{len(twice):,} such rows"
            raise DataError("E-SERIES-05", what, where=self.place, why=why, hints=(which,) if which else ())
        if not inside.any():
            return 1.0
        usual = float(np.median(steps[inside]))
        rates = np.array([np.median(np.diff(self.times[a:b])) for a, b in zip(starts, ends, strict=True) if b - a > 2])
        if len(rates) and rates.max() > FASTER * rates.min():
            what = f"series come at several rates: a row every {self.told(rates.min())} and every {self.told(rates.max())}"
            hints = ("bring them to one rate first", "train on the series of one rate")
            raise DataError("E-SERIES-06", what, where=self.place, why="steps would mean different times", hints=hints)
        if gaps := int((steps[inside] > FASTER * usual).sum()):
            self.notes.append(
                f"{gaps:,} of {int(inside.sum()):,} steps are longer than the usual {self.told(usual)}: taken as one step"
            )
        return usual

    def _cut(self, starts: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The spans that are records."""
        window = self.asked.window
        if window is None:
            if (longest := int((ends - starts).max())) > LONGEST:
                what = f"the longest series has {longest:,} steps, more than the {LONGEST:,} that are drawn at once"
                raise DataError("E-SERIES-07", what, where=self.place, hints=("--window 48 cuts series into windows",))
            return starts, ends
        places = int(np.maximum(ends - starts - window + 1, 0).sum())
        stride = self.asked.stride or max(1, -(-places // MOST_WINDOWS))
        found = np.concatenate([np.arange(a, b - window + 1, stride) for a, b in zip(starts, ends, strict=True)])
        if short := int((ends - starts < window).sum()):
            self.notes.append(f"{short:,} of {len(starts):,} series are shorter than the window of {window} steps, left out")
        apart = f"{stride} steps apart" if stride > 1 else "one for each step"
        self.notes.append(
            f"windows of {window} steps, {apart}: they lie over each other"
            if stride < window
            else f"windows of {window} steps"
        )
        found = found.astype(np.int64)
        return found, found + window

    def told(self, interval: float) -> str:
        """An interval of time in words."""
        if self.time is None or self.time.kind != "date":
            return f"{interval:g}"
        for length, unit in ((86_400e6, "day"), (3_600e6, "hour"), (60e6, "minute"), (1e6, "second")):
            if interval >= length:
                count = interval / length
                return f"{count:g} {unit}{'s' if count != 1 else ''}" if count == round(count, 1) else f"{count:.1f} {unit}s"
        return f"{interval / 1e6:g} seconds"


def arranged(source: Source, asked: Arrangement, time: MeasuredColumn | None = None) -> Arranged:
    """The source's rows as series.

    Raises:
        UsageError: its records are no rows.
    """
    if isinstance(source, Arranged):
        return source
    some: Sequence[object] = source.read(0, 1)
    if not isinstance(some, Cells):
        what = f"{source.place or source.name} holds no rows that could be series"
        raise UsageError("E-SERIES-08", what, hints=("a .csv, .parquet or .jsonl file, or a DataFrame",))
    return Arranged(source, asked, time)
