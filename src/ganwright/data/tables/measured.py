"""Columns of numbers and dates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np

from ganwright.data.tables.column import MOST_MODES, UNKNOWN, Column, Encoded, name_in, require_only, whole_counts
from ganwright.data.tables.dates import FIRST_TIME, FORMATS, LAST_TIME, NOT_A_TIME, format_dates, parse_dates
from ganwright.data.tables.facts import MOST_DIGITS
from ganwright.data.tables.numbers_in_text import LARGEST_EXACT
from ganwright.data.tables.text_cells import ColumnCells, is_array, text_of

MOST_KNOTS = 1 << 16


@dataclass(frozen=True)
class Writing:
    """How numbers and dates stand in a file."""

    decimal: Literal[".", ","] = "."
    digits: int = MOST_DIGITS + 1
    """Decimals that a number is rounded to; above MOST_DIGITS it is not rounded."""
    fixed: bool = False
    """Whether every number is written with that many."""
    pattern: str = ""
    """Of dates; empty for numbers."""
    unit: int = 1
    """Microseconds that all dates are multiples of."""
    nothing: str = ""
    """What stands for a missing cell."""
    offset: int = 0
    """Minutes east of Greenwich that times with a zone are written in."""

    def __post_init__(self) -> None:
        if type(self.digits) is not int or type(self.unit) is not int or type(self.fixed) is not bool:
            raise TypeError("digits and units are whole numbers")
        if self.decimal not in (".", ",") or not 0 <= self.digits <= MOST_DIGITS + 1 or not 1 <= self.unit <= LARGEST_EXACT:
            raise ValueError("no way of writing numbers")
        if type(self.offset) is not int or abs(self.offset) >= 24 * 60:
            raise ValueError("no time zone")
        # Another pattern could ask for a text of any length.
        if self.pattern not in ("", *FORMATS) or type(self.nothing) is not str:
            raise ValueError("no way of writing dates")


@dataclass(frozen=True, eq=False)
class MeasuredColumn(Column):
    """Numbers or dates (as microseconds since 1970)."""

    type = "measured"

    name: str
    kind: str
    writing: Writing
    knots: np.ndarray
    """float64 (K,), rising: what lies at K even places of the order of all that share no mode of their own; K is 0 or
    at least 2."""
    spikes: np.ndarray
    """float64 (S,), rising: numbers with a mode of their own."""
    counts: np.ndarray
    """int64: rows of the first mode if there are knots, of each spike, and of missing cells if there were any."""
    missing: bool
    """Whether cells may be missing: the last mode."""

    @property
    def modes(self) -> int:
        return len(self.counts)

    @property
    def valued(self) -> bool:
        return len(self.knots) > 0

    @property
    def mode_counts(self) -> np.ndarray:
        return self.counts

    def numbers_of(self, cells: ColumnCells) -> np.ndarray:
        """float64 (n,) of the cells, NaN where there is none."""
        if is_array(cells) and cells.dtype.kind == "M":
            return _times(cells.astype("datetime64[us]").astype(np.int64))
        if is_array(cells) and cells.dtype.kind in "iufb":
            values = cells.astype(np.float64)
            return np.where(np.isfinite(values), values, np.nan)
        text = text_of(cells)
        if self.kind != "date":
            return text.numerals(self.writing.decimal).values
        words = np.empty(len(text.grouped.words), object)
        words[:] = text.grouped.words
        return _times(parse_dates(words, self.writing.pattern)[text.grouped.codes])

    def encode(self, cells: ColumnCells) -> Encoded:
        return self.encode_numbers(self.numbers_of(cells))

    def encode_numbers(self, numbers: np.ndarray) -> Encoded:
        """As `encode`, of float64 (n,) with NaN for missing."""
        first = int(self.valued)
        missing = np.isnan(numbers)
        modes = np.full(len(numbers), UNKNOWN, np.int32)
        values = np.zeros(len(numbers), np.float32)
        spiked = np.zeros(len(numbers), bool)
        if len(self.spikes):
            places = np.searchsorted(self.spikes, numbers)
            spiked = ~missing & (self.spikes[np.minimum(places, len(self.spikes) - 1)] == numbers)
            modes[spiked] = first + places[spiked]
        rest, clipped = ~missing & ~spiked, 0
        if self.valued:
            modes[rest] = 0
            some = numbers[rest]
            values[rest] = 2 * _place(self.knots, some) - 1
            clipped = int(((some < self.knots[0]) | (some > self.knots[-1])).sum())
        elif rest.any():
            # Between few numbers that are all known, the nearest stands for another.
            middles = self.spikes[:-1] / 2 + self.spikes[1:] / 2
            modes[rest], clipped = first + np.searchsorted(middles, numbers[rest]), int(rest.sum())
        if self.missing:
            modes[missing] = len(self.counts) - 1
        return Encoded(modes, values, clipped)

    def decode_numbers(self, modes: np.ndarray, values: np.ndarray) -> np.ndarray:
        """float64 (n,), NaN where a cell is missing."""
        first = int(self.valued)
        found = np.full(len(modes), np.nan)
        if self.valued:
            free = modes == 0
            places = (np.clip(values[free].astype(np.float64), -1, 1) + 1) / 2 * (len(self.knots) - 1)
            found[free] = self._rounded(np.interp(places, np.arange(len(self.knots)), self.knots))
        spiked = (modes >= first) & (modes < first + len(self.spikes))
        found[spiked] = self.spikes[modes[spiked] - first]
        return found

    def decode(self, modes: np.ndarray, values: np.ndarray) -> np.ndarray:
        return self.natural(self.decode_numbers(modes, values))

    def read(self, cells: ColumnCells) -> np.ndarray:
        return self.natural(self.numbers_of(cells))

    def natural(self, numbers: np.ndarray) -> np.ndarray:
        """Numbers float64 (n,), NaN for missing, as `decode` gives them: dates as such."""
        if self.kind != "date":
            return numbers
        missing = np.isnan(numbers)
        times = np.where(missing, 0, numbers).astype(np.int64)
        times[missing] = NOT_A_TIME
        return times.astype("datetime64[us]")

    @property
    def half_unit(self) -> float:
        """Half of what all numbers of the column are multiples of; 0 where they are not rounded."""
        if self.kind == "date":
            return self.writing.unit / 2
        return 0.5 * 10.0**-self.writing.digits if self.writing.digits <= MOST_DIGITS else 0.0

    def written(self, natural: np.ndarray) -> list[str]:
        if natural.dtype.kind == "M":
            missing = np.isnat(natural)
            days = self.writing.unit % 86_400_000_000 == 0
            pattern = self.writing.pattern or ("%Y-%m-%d" if days else "%Y-%m-%d %H:%M:%S")
            times = natural.astype("datetime64[us]").astype(np.int64)
            text = format_dates(np.where(missing, 0, times), pattern, self.writing.unit, self.writing.offset).tolist()
        else:
            numbers = np.asarray(natural, np.float64)
            missing = np.isnan(numbers)
            text = [self._number_text(value) for value in np.where(missing, 0, numbers).tolist()]
        return [self.writing.nothing if gone else cell for cell, gone in zip(text, missing.tolist(), strict=True)]

    def _number_text(self, value: float) -> str:
        if self.kind == "whole":
            return f"{value:.0f}"
        digits = self.writing.digits
        text = f"{value:.{digits}f}" if self.writing.fixed and digits <= MOST_DIGITS else repr(value)
        return text.replace(".", ",") if self.writing.decimal == "," else text

    def _rounded(self, numbers: np.ndarray) -> np.ndarray:
        """To what the column's numbers were multiples of, and within what was seen."""
        if self.kind == "date":
            numbers = np.rint(numbers / self.writing.unit) * self.writing.unit
        elif self.writing.digits <= MOST_DIGITS:
            numbers = np.round(numbers, self.writing.digits)
        return np.clip(numbers, self.knots[0], self.knots[-1])

    def state(self) -> dict[str, Any]:
        return {"name": self.name, "kind": self.kind, "missing": self.missing, "writing": dict(vars(self.writing))}

    def numbers(self) -> dict[str, np.ndarray]:
        return {"knots": self.knots, "spikes": self.spikes, "counts": self.counts.astype(np.float64)}

    @classmethod
    def from_state(
        cls, state: Mapping[str, Any], numbers: Mapping[str, np.ndarray], words: Mapping[str, Sequence[str]]
    ) -> Self:
        require_only(state, numbers, words, ("kind", "missing", "writing"), ("knots", "spikes", "counts"), ())
        knots, spikes, counts = numbers["knots"], numbers["spikes"], whole_counts(numbers["counts"])
        if state["kind"] not in ("whole", "decimal", "date") or type(state["missing"]) is not bool:
            raise ValueError("a measured column is of another kind")
        expected = (len(knots) > 0) + len(spikes) + state["missing"]
        if len(knots) == 1 or len(knots) > MOST_KNOTS or len(counts) != expected or not 1 <= len(counts) <= MOST_MODES:
            raise ValueError("a measured column has another number of modes")
        low, high = {"whole": (-LARGEST_EXACT, LARGEST_EXACT), "date": (FIRST_TIME, LAST_TIME)}.get(
            state["kind"], (-1e300, 1e300)
        )
        for rising in (knots, spikes):
            if not np.isfinite(rising).all() or (np.diff(rising) < 0).any() or (rising < low).any() or (rising > high).any():
                raise ValueError("the numbers of a measured column must rise")
        if (np.diff(spikes) == 0).any() or (state["kind"] != "date" and state["writing"]["pattern"]):
            raise ValueError("numbers with a mode of their own must differ, and only dates have a pattern")
        return cls(name_in(state), state["kind"], Writing(**state["writing"]), knots, spikes, counts, state["missing"])


def _place(knots: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Where numbers lie in the order of the knots, 0..1: in the middle of those that are equal."""
    # Among sorted numbers each search begins where the last one ended.
    order = np.argsort(numbers)
    ordered = numbers[order]
    low = np.searchsorted(knots, ordered, "left")
    right = np.clip(low, 1, len(knots) - 1)
    before = knots[right - 1]
    step = knots[right] - before
    found = right - 1 + np.clip((ordered - before) / np.where(step > 0, step, 1), 0, 1)
    if (knots[1:] == knots[:-1]).any():
        high = np.searchsorted(knots, ordered, "right")
        found = np.where(high > low, (low + high - 1) / 2, found)
    places = np.empty(len(numbers))
    places[order] = found / (len(knots) - 1)
    return places


def _times(microseconds: np.ndarray) -> np.ndarray:
    return np.where(microseconds == NOT_A_TIME, np.nan, microseconds.astype(np.float64))
