"""What one look at all rows tells of a column, chunk by chunk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from ganwright.data.tables.dates import MOST_FAULTS, NOT_A_TIME, formats_of, offset_of, parse_dates
from ganwright.data.tables.numbers_in_text import LARGEST_EXACT, Numerals, stands_for_nothing
from ganwright.data.tables.text_cells import ColumnCells, CutText, is_array, is_nothing, text_of
from ganwright.data.tables.text_cells import as_text as as_text  # where others look for it

MOST_WORDS = 400_000
"""Different cells that are counted; a column with more of them has no levels."""
MOST_VALUES = 10_000
"""Different numbers that are counted."""
MOST_NUMBER_WORDS = 2_000
"""Different ways of writing numbers that are counted in a column of numbers."""
MOST_DIGITS = 12
SLIPS = 0.001
"""Of a column's numbers, below which those with more decimals than all others do not tell how numbers are written: of 43,824
temperatures in whole degrees two were reckoned, as 14.66666667."""
TOLD = 5
MOST_LETTERS = 64 << 20
"""Of the different cells that are counted, together."""
LOOKED_AT = 1000
"""Cells of a chunk that are looked at one by one."""


@dataclass
class NumberFacts:
    """Numbers, finite ones only; times count as microseconds since 1970."""

    count: int = 0
    low: float = np.inf
    high: float = -np.inf
    whole: bool = True
    digits: int = 0
    """Decimals that all the numbers can be written with; above MOST_DIGITS there are none."""
    unique: bool = True
    counts: Counter[float] | None = field(default_factory=Counter)
    """How often each number comes; None above MOST_VALUES of them."""
    _sample: list[np.ndarray] = field(default_factory=list)
    _seen: list[np.ndarray] = field(default_factory=list)

    def add(self, values: np.ndarray, chosen: np.ndarray) -> None:
        """Numbers float64 (n,), and which of them are to be kept as a sample (bool (n,))."""
        if not len(values):
            return
        self.count += len(values)
        self.low, self.high = min(self.low, float(values.min())), max(self.high, float(values.max()))
        self._sample.append(values[chosen])
        if self.whole:
            self.whole = bool(((values == np.rint(values)) & (np.abs(values) <= LARGEST_EXACT)).all())
        while not self.whole and self.digits <= MOST_DIGITS and not _written_with(values, self.digits):
            self.digits += 1
        if self.unique or self.counts is not None:
            self._count(values)

    def _count(self, values: np.ndarray) -> None:
        levels, counts = np.unique(values, return_counts=True)
        self.unique = self.unique and self.whole and len(levels) == len(values)
        if self.unique:
            self._seen.append(levels)
        if self.counts is not None:
            self.counts.update(dict(zip(levels.tolist(), counts.tolist(), strict=True)))
            if len(self.counts) > MOST_VALUES:
                self.counts = None

    @property
    def is_key(self) -> bool:
        """Whether they are whole, and none comes twice."""
        if not self.unique or not self._seen:
            return False
        seen = np.concatenate(self._seen)
        return len(np.unique(seen)) == len(seen)

    @property
    def sample(self) -> np.ndarray:
        """The numbers that were kept, float64 (n,)."""
        return np.concatenate(self._sample) if self._sample else np.empty(0)


@dataclass
class WordFacts:
    """Cells with something in them, as text."""

    counts: Counter[str] | None = field(default_factory=Counter)
    """How often each comes; None above MOST_WORDS of them."""
    count: int = 0
    letters: int = 0
    """Characters of all of them together."""
    all_different: bool = True
    _kept_letters: int = 0

    def add(self, counts: Mapping[str, int], most: int = MOST_WORDS) -> None:
        """How often each word came in a chunk; above `most` different ones nothing is counted any more."""
        self.count += sum(counts.values())
        self.letters += sum(len(word) * count for word, count in counts.items())
        if self.counts is None:
            return
        new = [word for word in counts if word not in self.counts]
        self.all_different = self.all_different and len(new) == sum(counts.values())
        self._kept_letters += sum(map(len, new))
        self.counts.update(counts)
        if len(self.counts) > most or self._kept_letters > MOST_LETTERS:
            self.counts = None


@dataclass
class TimeFacts:
    """Points in time, in one format."""

    numbers: NumberFacts = field(default_factory=NumberFacts)
    faults: list[tuple[str, str]] = field(default_factory=list)
    """The first cells that are no time: their row's name and their text."""
    fault_count: int = 0

    def add(self, times: np.ndarray, chosen: np.ndarray) -> None:
        """Microseconds since 1970, int64 (n,), some of them NOT_A_TIME, and which may be kept."""
        known = times != NOT_A_TIME
        self.numbers.add(times[known].astype(np.float64), chosen[known])


@dataclass
class DateFacts:
    """Cells as points in time, in formats that nearly all of them have."""

    by_format: dict[str, TimeFacts] | None = None
    """Of each format that still fits; None before there was a cell."""
    mixed: bool = False
    """Whether each of the first cells is a time, but in no one format."""
    held: TimeFacts = field(default_factory=TimeFacts)
    """Those that came as times."""
    offsets: set[int] = field(default_factory=set[int])
    """Minutes east of Greenwich of those with a zone; two are as good as many."""

    @property
    def formats(self) -> tuple[str, ...]:
        """Those that fit; where a day could be a month, the day comes first."""
        return tuple(self.by_format or ())

    @property
    def best(self) -> TimeFacts:
        """The times in the first format that fits, or as they came."""
        return next(iter((self.by_format or {}).values()), self.held)

    def add(self, text: CutText, names: Sequence[str], chosen: np.ndarray) -> None:
        """Cells (n,) with something in them, what their rows are called, and which may be kept."""
        grouped = text.grouped
        if self.by_format is None:
            found = formats_of([word.strip() for word in grouped.words])
            self.by_format, self.mixed = {pattern: TimeFacts() for pattern in found.fitting}, found.mixed
        words = np.empty(len(grouped.words), object)
        words[:] = grouped.words
        if any(pattern.endswith("%z") for pattern in self.by_format) and len(self.offsets) < 2:
            self.offsets |= set(map(offset_of, grouped.words))
        for pattern, facts in list(self.by_format.items()):
            times = parse_dates(words, pattern)[grouped.codes]
            unknown = np.flatnonzero(times == NOT_A_TIME)
            if len(unknown) > MOST_FAULTS * len(times):
                # Cells seen before were dates, so these may be dates in another format.
                self.mixed = self.mixed or (len(self.by_format) == 1 and facts.numbers.count > 0)
                del self.by_format[pattern]
                continue
            facts.fault_count += len(unknown)
            for place in unknown[: TOLD - len(facts.faults)].tolist():
                facts.faults.append((names[int(place)], grouped.words[int(grouped.codes[place])]))
            facts.add(times, chosen)


@dataclass
class ColumnFacts:
    """Of one column, whatever it holds."""

    name: str
    decimal: Literal[".", ","] = "."
    held: Literal["text", "number", "time", "truth"] = "text"
    """As what its cells came."""
    keep_words: bool = False
    """Whether all different cells are counted even if most are numbers, for a column that is wanted as categories."""
    rows: int = 0
    empty: int = 0
    """Cells with nothing in them."""
    nothing: Counter[str] = field(default_factory=Counter)
    """Words in it that would stand for nothing among numbers or dates."""
    words: WordFacts = field(default_factory=WordFacts)
    """Everything as text, unless it came as numbers or times."""
    numbers: NumberFacts = field(default_factory=NumberFacts)
    dates: DateFacts = field(default_factory=DateFacts)
    others: list[tuple[str, str]] = field(default_factory=list)
    """The first cells that are neither numbers nor nothing: their row's name and their text."""
    other_count: int = 0
    leading_zeros: int = 0
    too_long: int = 0
    """Whole numbers that float64 does not hold."""
    decimals: Counter[int] = field(default_factory=Counter[int])
    """How many decimals numbers are written with, and how many numbers are."""

    @property
    def usual_digits(self) -> tuple[int, int]:
        """Decimals that nearly all numbers can be written with, and decimals that they are written with."""
        digits, most, total = self.numbers.digits, max(self.decimals, default=0), self.decimals.total()
        if self.held != "text":
            return digits, most
        sample = self.numbers.sample
        for fewer in range(min(most, MOST_DIGITS + 1)):
            # What is written with an exponent has no decimals in the text, so the values are asked, too.
            longer = sum(count for each, count in self.decimals.items() if each > fewer)
            if longer < SLIPS * total and (np.round(sample, fewer) != sample).mean() < SLIPS:
                return min(digits, fewer), fewer
        return digits, most

    def add(self, cells: ColumnCells, names: Sequence[str], chosen: np.ndarray) -> None:
        """The cells (n,) of some rows, what their rows are called, and which of them may be kept as a sample (bool (n,))."""
        self.rows += len(cells)
        if not is_array(cells) or cells.dtype.kind not in "iufbM":
            if (truths := _truths(cells)) is None:
                text = text_of(cells)
                self.held = "text" if text.filled.any() else self.held
                self._add_text(text, names, chosen)
                return
            self.held = "truth" if not self.words.count or self.held == "truth" else "text"
            self.empty += len(cells) - truths.total()
            self.words.add(truths)
        elif cells.dtype.kind in "iuf":
            self.held = "number"
            known = np.isfinite(cells)
            self.numbers.add(cells[known].astype(np.float64), chosen[known])
            self.empty += int((~known).sum())
        elif cells.dtype.kind == "b":
            self.held = "truth"
            self.words.add(Counter(map(str, cells.tolist())))
        else:
            self.held = "time"
            times = cells.astype("datetime64[us]").astype(np.int64)
            self.dates.held.add(times, chosen)
            self.empty += int((times == NOT_A_TIME).sum())

    def _add_text(self, text: CutText, names: Sequence[str], chosen: np.ndarray) -> None:
        filled = text.filled
        self.empty += int((~filled).sum())
        found = text.numerals(self.decimal)
        known = np.isfinite(found.values)
        if known.any():
            self._add_numbers(text, known, found, chosen)
        if self.words.counts is not None:
            # Numbers are counted as numbers: as text they would only fill the memory.
            mostly_numbers = not self.keep_words and self.numbers.count > 0.5 * (self.words.count + filled.sum())
            grouped = text.grouped
            counts = {word: count for word, count in zip(grouped.words, grouped.counts, strict=True) if word}
            self.words.add(counts, MOST_NUMBER_WORDS if mostly_numbers else MOST_WORDS)
        rest = np.flatnonzero(filled & ~known)
        if len(rest):
            self._add_rest(text if len(rest) == len(text) else text[rest], rest, names, chosen)

    def _add_numbers(self, text: CutText, known: np.ndarray, found: Numerals, chosen: np.ndarray) -> None:
        values = found.values[known]
        self.numbers.add(values, chosen[known])
        self.leading_zeros += int(found.leading_zeros[known].sum())
        for decimals, count in enumerate(np.bincount(found.decimals[known]).tolist()):
            self.decimals[decimals] += count
        large = np.flatnonzero(known & (np.abs(found.values) > LARGEST_EXACT))
        self.too_long += sum(cell.strip().lstrip("+-").isdigit() for cell in text[large[:LOOKED_AT]].tolist())

    def _add_rest(self, text: CutText, rows: np.ndarray, names: Sequence[str], chosen: np.ndarray) -> None:
        """Cells with something in them that is no number, and at which places of the chunk they are."""
        grouped = text.grouped
        void = np.array([stands_for_nothing(word) for word in grouped.words], bool)
        counts = zip(grouped.words, grouped.counts, void.tolist(), strict=True)
        self.nothing.update({word: count for word, count, nothing in counts if nothing})
        others = np.flatnonzero(~void[grouped.codes])
        if not len(others):
            return
        self.other_count += len(others)
        for place in others[: TOLD - len(self.others)].tolist():
            self.others.append((names[int(rows[place])], grouped.words[int(grouped.codes[place])]))
        if self.dates.by_format != {} and self.numbers.count <= self.other_count:
            some = text if len(others) == len(rows) else text[others]
            self.dates.add(some, [names[int(row)] for row in rows[others]], chosen[rows[others]])


def _truths(cells: ColumnCells) -> Counter[str] | None:
    """How often "True" and "False" come, among objects that are truth values or nothing; None if others are there."""
    if not is_array(cells):
        return None
    # A string among the first cells settles it.
    if not all(isinstance(cell, bool | np.bool_) or is_nothing(cell) for cell in cells.tolist()):
        return None
    return Counter(str(cell) for cell in cells.tolist() if isinstance(cell, bool | np.bool_)) or None


def _written_with(values: np.ndarray, digits: int) -> bool:
    """Whether numbers stay what they are when they are rounded to so many decimals."""
    if digits > MOST_DIGITS:
        return True
    scaled = values * 10.0**digits
    return bool((np.abs(scaled - np.rint(scaled)) <= 1e-9 * np.maximum(1, np.abs(scaled))).all())
