"""What a user asks of the cells of a column, and where such cells lie among its modes and values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np

from ganwright.core.errors import UsageError
from ganwright.core.suggest import unknown_name_hints
from ganwright.core.text import printable
from ganwright.data.tables.columns import Column, MeasuredColumn, WordColumn
from ganwright.data.tables.dates import DAY, MINUTE
from ganwright.data.tables.text_cells import as_text, is_nothing

_WISH = re.compile(r"(?P<name>.+?)(?P<sign>>=|<=|=|>|<)(?P<value>.*)", re.DOTALL)
_SPAN = re.compile(r"(?P<low>.*?)\.\.(?P<high>.*)", re.DOTALL)
EXAMPLES = ('--where "education=Masters"', '--where "age=30..40"', '--where "age>=50"', '--where "sex=Male|Female"')


@dataclass(frozen=True)
class Wish:
    """What cells of one column are to be: one of some, or within a range; an empty one asks for missing cells."""

    words: tuple[str, ...] = ()
    """As text; () where a range is asked for."""
    low: str | None = None
    """The smallest, as text; None for no bound."""
    high: str | None = None
    """The largest. A day is all of it, where cells have a time of day, too."""
    without_low: bool = False
    """Whether the bound itself is left out."""
    without_high: bool = False


@dataclass(frozen=True)
class Options:
    """Where the cells that are asked for lie: parts of modes, by how many rows of the data lie there."""

    modes: np.ndarray
    """int64 (n,)"""
    low: np.ndarray
    """float64 (n,): the smallest value, where the mode has values."""
    high: np.ndarray
    weights: np.ndarray
    """float64 (n,), above zero: rows of the data there."""


def parse_wishes(texts: Iterable[str]) -> dict[str, Wish]:
    """Wishes by column, of texts such as "age=30..40", "age>=50", "sex=Male|Female", "city=".

    Raises:
        UsageError: one of them says nothing, or a column is asked for twice.
    """
    wishes: dict[str, Wish] = {}
    for text in texts:
        found = _WISH.fullmatch(text)
        if found is None:
            raise UsageError("E-SAMPLE-10", f"{text!r} asks for nothing", hints=EXAMPLES[:2])
        name, sign, value = found["name"].strip(), found["sign"], found["value"].strip()
        span = _SPAN.fullmatch(value)
        if sign == "=" and span:
            wish = Wish(low=span["low"].strip() or None, high=span["high"].strip() or None)
        elif sign == "=":
            wish = Wish(tuple(word.strip() for word in value.split("|")))
        elif sign in (">", ">="):
            wish = Wish(low=value, without_low=sign == ">")
        else:
            wish = Wish(high=value, without_high=sign == "<")
        wishes[name] = _both(wishes[name], wish, name) if name in wishes else wish
    return wishes


def _both(first: Wish, second: Wish, name: str) -> Wish:
    """What is asked for by a lower and an upper bound, in either order."""
    for one, other in ((first, second), (second, first)):
        if not (one.words or other.words or one.high or other.low):
            return replace(one, high=other.high, without_high=other.without_high)
    raise UsageError("E-SAMPLE-10", f"{name!r} is asked for twice", hints=EXAMPLES[1:])


def wishes_of(given: Mapping[str, Any]) -> dict[str, Wish]:
    """Wishes by column of a program's values: a cell, a list of cells, a pair (low, high), None for a missing cell."""
    wishes: dict[str, Wish] = {}
    for name, value in given.items():
        if isinstance(value, Wish):
            wishes[name] = value
        elif isinstance(value, tuple) and len(value) == 2:
            low, high = (None if end is None else _text(end) for end in value)
            wishes[name] = Wish(low=low, high=high)
        elif isinstance(value, list | set | np.ndarray):
            wishes[name] = Wish(tuple(map(_text, value)))
        else:
            wishes[name] = Wish((_text(value),))
    return wishes


def options(column: Column, wish: Wish) -> Options:
    """Where the cells that are asked for lie.

    Raises:
        UsageError: the column has no such cells.
    """
    if isinstance(column, MeasuredColumn):
        found = _of_numbers(column, wish)
    elif isinstance(column, WordColumn):
        found = _of_words(column, wish)
    else:
        raise UsageError("E-SAMPLE-11", f"column {column.name!r} is the same in every row")
    if not found:
        raise _nothing_there(column, wish)
    modes, low, high, weights = zip(*found, strict=True)
    return Options(np.array(modes, np.int64), np.array(low, float), np.array(high, float), np.maximum(weights, 1e-9))


def matches(column: Column, wish: Wish, cells: np.ndarray) -> np.ndarray:
    """bool (n,): which natural cells (as `Column.decode` gives them) are what is asked for."""
    if isinstance(column, MeasuredColumn):
        numbers = column.numbers_of(cells)
        if wish.words:
            spans = [_span(column, word) if word else None for word in wish.words]
            return np.any([np.isnan(numbers) if each is None else _within(numbers, *each) for each in spans], 0)
        low, high = _bounds(column, wish)
        return _within(numbers, low, high)
    return np.isin(as_text(np.asarray(cells, object)).tolist(), list(wish.words))


def nearest(column: Column, wish: Wish, cells: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Natural cells (n,) that are what is asked for: the end of a range that lies next to each, or one of some cells."""
    if isinstance(column, MeasuredColumn):
        if wish.words:
            spans = np.array([_span(column, word) if word else (np.nan, np.nan) for word in wish.words])
            low, high = spans[random.integers(0, len(spans), len(cells))].T
            return column.natural(_rounded_down(column, low + (high - low) * random.random(len(cells))))
        low, high = _bounds(column, wish)
        numbers = column.numbers_of(cells)
        ends = [end for end in (low, high) if np.isfinite(end)]
        return column.natural(np.clip(np.where(np.isnan(numbers), ends[0] if ends else 0.0, numbers), low, high))
    words = np.array([word or None for word in wish.words], object)
    return words[random.integers(0, len(words), len(cells))]


def _of_words(column: WordColumn, wish: Wish) -> list[tuple[int, float, float, float]]:
    if not wish.words:
        what = f"column {column.name!r} holds words, which have no range"
        raise UsageError("E-SAMPLE-11", what, hints=(f"known: {_some(column)}",))
    first = int(column.valued)
    ends = 2 * np.cumsum(column.rare_counts) / max(column.rare_counts.sum(), 1) - 1
    found: list[tuple[int, float, float, float]] = []
    for word in wish.words:
        if word in column.levels:
            mode = first + column.levels.index(word)
            found.append((mode, 0.0, 0.0, float(column.counts[mode])))
        elif word in column.rare:
            place = column.rare.index(word)
            begin = float(ends[place - 1]) if place else -1.0
            found.append((0, begin, float(ends[place]), float(column.rare_counts[place])))
        elif not word and column.missing:
            found.append((len(column.counts) - 1, 0.0, 0.0, float(column.counts[-1])))
        else:
            raise _nothing_there(column, Wish((word,)))
    return found


def _of_numbers(column: MeasuredColumn, wish: Wish) -> list[tuple[int, float, float, float]]:
    found: list[tuple[int, float, float, float]] = []
    if not wish.words:
        return _between(column, *_bounds(column, wish))
    for word in wish.words:
        if word:
            some = _between(column, *_span(column, word))
        else:
            some = [(len(column.counts) - 1, 0.0, 0.0, float(column.counts[-1]))] if column.missing else []
        if not some:
            raise _nothing_there(column, Wish((word,)))
        found += some
    return found


def _between(column: MeasuredColumn, low: float, high: float) -> list[tuple[int, float, float, float]]:
    """Modes and values of the numbers from `low` to `high`, both included."""
    first = int(column.valued)
    found = [
        (first + place, 0.0, 0.0, float(column.counts[first + place]))
        for place, spike in enumerate(column.spikes.tolist())
        if low <= spike <= high
    ]
    if column.valued and high >= column.knots[0] and low <= column.knots[-1]:
        half = column.half_unit
        begin, end = (
            2 * _place(column.knots, bound, side) - 1 for bound, side in ((low - half, "left"), (high + half, "right"))
        )
        share = max(end - begin, 1e-6) / 2
        if end > begin or half == 0:
            found.append((0, begin, end, share * float(column.counts[0])))
    return found


def _place(knots: np.ndarray, bound: float, side: str) -> float:
    """The place of a bound in the order of the knots, 0..1; of equal ones the first or, on the right, the last."""
    if bound <= knots[0]:
        return (
            0.0
            if side == "left" or bound < knots[0]
            else float(np.searchsorted(knots, bound, "right") - 1) / (len(knots) - 1)
        )
    if bound >= knots[-1]:
        return (
            1.0 if side == "right" or bound > knots[-1] else float(np.searchsorted(knots, bound, "left")) / (len(knots) - 1)
        )
    above = int(np.searchsorted(knots, bound, "left" if side == "left" else "right"))
    below = above - 1
    if side == "left" and knots[above] == bound:
        return above / (len(knots) - 1)
    if side == "right" and knots[below] == bound:
        return below / (len(knots) - 1)
    return float(below + (bound - knots[below]) / (knots[above] - knots[below])) / (len(knots) - 1)


def _bounds(column: MeasuredColumn, wish: Wish) -> tuple[float, float]:
    low = -np.inf if wish.low is None else _span(column, wish.low)[wish.without_low]
    high = np.inf if wish.high is None else _span(column, wish.high)[not wish.without_high]
    step = 2 * column.half_unit or 1e-9 * max(1.0, *(abs(end) for end in (low, high) if np.isfinite(end)))
    low, high = low + step * wish.without_low, high - step * wish.without_high
    if low > high:
        raise UsageError("E-SAMPLE-11", f"column {column.name!r}: nothing lies between {wish.low} and {wish.high}")
    return low, high


def _within(numbers: np.ndarray, low: float, high: float) -> np.ndarray:
    return (numbers >= low) & (numbers <= high)


def _span(column: MeasuredColumn, word: str) -> tuple[float, float]:
    """From where to where what is asked for goes: a number alone, and all of a day where cells have a time of day."""
    number = _number(column, word)
    unit, offset = column.writing.unit, column.writing.offset * MINUTE
    is_day = column.kind == "date" and unit < DAY and ":" not in word and not (number + offset) % DAY
    return (number, number + DAY - unit) if is_day else (number, number)


def _rounded_down(column: MeasuredColumn, numbers: np.ndarray) -> np.ndarray:
    """Of dates, to what they are multiples of; numbers as they are."""
    unit = column.writing.unit
    return np.floor(numbers / unit) * unit if column.kind == "date" else numbers


def _number(column: MeasuredColumn, word: str) -> float:
    cell = np.empty(1, object)
    cell[0] = word
    (number,) = column.numbers_of(cell)
    if np.isnan(number) and column.kind == "date":
        number = _iso(word) - column.writing.offset * MINUTE
    elif np.isnan(number):
        try:
            number = float(word)
        except ValueError:
            number = np.nan
    if np.isnan(number):
        what = f"{printable(word, 40)!r} is no {'date' if column.kind == 'date' else 'number'}"
        raise UsageError("E-SAMPLE-11", what, where=f"column {column.name!r}", hints=EXAMPLES[1:3])
    return float(number)


def _iso(word: str) -> float:
    try:
        return float(np.datetime64(word, "us").astype(np.int64))
    except ValueError:
        return float("nan")


def _nothing_there(column: Column, wish: Wish) -> UsageError:
    asked = f"{wish.words[0]!r}" if wish.words else f"{wish.low or ''}..{wish.high or ''}"
    what = (
        f"column {column.name!r} never is {printable(asked, 60)}"
        if wish.words != ("",)
        else f"column {column.name!r} is never missing"
    )
    if isinstance(column, WordColumn):
        hints = unknown_name_hints(wish.words[0] if wish.words else "", column.levels)
    else:
        assert isinstance(column, MeasuredColumn)
        ends = [*column.knots[[0, -1]], *column.spikes] if column.valued else list(column.spikes)
        hints = ("it goes from {} to {}".format(*column.written(column.natural(np.array([min(ends), max(ends)])))),)
    return UsageError("E-SAMPLE-11", what, hints=hints)


def _some(column: WordColumn, most: int = 8) -> str:
    more = ", ..." if len(column.levels) > most else ""
    return ", ".join(column.levels[:most]) + more


def _text(value: Any) -> str:
    if is_nothing(value):
        return ""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, datetime) and value.tzinfo is not None:  # as moments are kept
        value = value.astimezone(UTC).replace(tzinfo=None)
    return f"{value:.0f}" if isinstance(value, float) and value.is_integer() else str(value)
