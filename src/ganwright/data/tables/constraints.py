"""What holds in every row of a table, kept by construction: a column that follows from others is computed, not drawn.

Of A <= B the networks see A and B - A, of T = A + B the parts, of a column that another decides only that other one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from ganwright.data.tables.cells import Cells
from ganwright.data.tables.columns import Column, Encoded, MeasuredColumn, WordColumn
from ganwright.data.tables.facts import MOST_DIGITS
from ganwright.data.tables.keys import Keys

FUZZ = 1e-9
"""Of a number's size, that sums of numbers with decimals may be off."""


class Rows:
    """Cells of some rows as numbers and as keys, each column read once."""

    def __init__(self, cells: Cells) -> None:
        self._cells = dict(zip(cells.names, cells.columns, strict=True))
        self._numbers: dict[str, np.ndarray] = {}

    def numbers(self, column: MeasuredColumn) -> np.ndarray:
        """float64 (n,), NaN where nothing is."""
        if column.name not in self._numbers:
            self._numbers[column.name] = column.numbers_of(self._cells[column.name])
        return self._numbers[column.name]

    def encode(self, column: Column) -> Encoded:
        """A column's cells as networks see them."""
        if isinstance(column, MeasuredColumn):
            return column.encode_numbers(self.numbers(column))
        return column.encode(self._cells[column.name])

    def codes(self, keys: Keys) -> np.ndarray:
        """int64 (n,): as `Keys.codes`."""
        if isinstance(keys.column, MeasuredColumn):
            return keys.codes_of_numbers(self.numbers(keys.column))
        return keys.codes(self._cells[keys.column.name])


@dataclass(frozen=True)
class Unfinished:
    """Rows of which what is computed stands, and what it follows from is looked for."""

    natural: Mapping[str, np.ndarray]
    """Each column's natural values (n,)."""
    free: Mapping[str, np.ndarray]
    """bool (n,) of each column that is needed: where it may be another value, and only there it will be taken."""
    gaps: np.ndarray
    """float64 (n,): natural values of the constraint's `gap`."""
    random: np.random.Generator


class Constraint(ABC):
    """One column that follows from others."""

    type: ClassVar[str]

    @property
    @abstractmethod
    def computed(self) -> Column:
        """The column that follows."""

    @property
    @abstractmethod
    def needs(self) -> tuple[Column, ...]:
        """What it follows from."""

    @property
    def gap(self) -> MeasuredColumn | None:
        """What networks see in place of the computed column."""
        return None

    @abstractmethod
    def kept(self, rows: Rows) -> np.ndarray:
        """bool (n,): the rows that obey, and can be told by the other columns."""

    @abstractmethod
    def compute(self, natural: Mapping[str, np.ndarray], gaps: np.ndarray) -> np.ndarray:
        """The column's natural values (n,) from those of the others; gaps float64 (n,): natural values of `gap`."""

    @abstractmethod
    def inverted(self, rows: Unfinished) -> dict[str, np.ndarray]:
        """Natural values (n,) of columns in `needs`, from which what is computed follows as it stands in `rows`."""

    @abstractmethod
    def __str__(self) -> str: ...


@dataclass(frozen=True, eq=False)
class Order(Constraint):
    """A column of numbers or dates that is never below some others.

    It is the largest of those plus a gap. A cell is missing where its gap is, or where all the others are; so a row that has
    the column but none of the others cannot be told, and counts as one that does not obey.
    """

    type = "order"

    high: MeasuredColumn
    lows: tuple[MeasuredColumn, ...]
    difference: MeasuredColumn

    @property
    def computed(self) -> Column:
        return self.high

    @property
    def needs(self) -> tuple[Column, ...]:
        return self.lows

    @property
    def gap(self) -> MeasuredColumn:
        return self.difference

    def kept(self, rows: Rows) -> np.ndarray:
        return ordered(self.gaps(rows), rows.numbers(self.high))

    def gaps(self, rows: Rows) -> np.ndarray:
        """float64 (n,): below 0 where rows do not obey, NaN where cells are missing."""
        return gaps_between(self.high, self.lows, rows)

    def encode(self, rows: Rows) -> Encoded:
        """The gaps of rows that obey, as networks see them."""
        gaps = self.gaps(rows)
        encoded = self.difference.encode_numbers(np.where(gaps < 0, 0, gaps))
        if self.difference.missing:
            return encoded
        # Where all the others are missing there is no telling the gap, and no need to: any will do.
        untold = np.isnan(gaps) & np.isnan(rows.numbers(self.high)) & np.isnan(_largest(self.lows, rows))
        modes, values = encoded.modes.copy(), encoded.values.copy()
        modes[untold], values[untold] = int(np.argmax(self.difference.counts)), 0
        return Encoded(modes, values, encoded.clipped)

    def compute(self, natural: Mapping[str, np.ndarray], gaps: np.ndarray) -> np.ndarray:
        lowest = _largest(self.lows, Rows(Cells(tuple(natural), tuple(natural.values()), 0)))
        found = np.clip(rounded(self.high, lowest + gaps), *bounds(self.high))
        below = found < lowest
        found[below] = _rounded_up(self.high, lowest[below])
        return self.high.natural(found)

    def inverted(self, rows: Unfinished) -> dict[str, np.ndarray]:
        high = self.high.numbers_of(rows.natural[self.high.name])
        nearest = high - np.where(np.isfinite(rows.gaps), rows.gaps, 0)
        found: dict[str, np.ndarray] = {}
        for low in self.lows:
            numbers = low.numbers_of(rows.natural[low.name])
            # A cell that is small enough, or missing beside another, may stay.
            stays = (numbers <= high) | (np.isnan(numbers) & (len(self.lows) > 1))
            fitting = rounded(low, np.minimum(np.maximum(nearest, bounds(low)[0]), high))
            fitting = np.where(fitting > high, high, fitting)
            found[low.name] = low.natural(np.where(stays, numbers, fitting))
        return found

    def __str__(self) -> str:
        lows = [low.name for low in self.lows]
        return f"{lows[0]} <= {self.high.name}" if len(lows) == 1 else f"{' and '.join(lows)} <= {self.high.name}"


@dataclass(frozen=True, eq=False)
class Sum(Constraint):
    """A column of numbers that is others added up, to half a unit of its last decimal; missing where one of them is."""

    type = "sum"

    total: MeasuredColumn
    parts: tuple[MeasuredColumn, ...]

    @property
    def computed(self) -> Column:
        return self.total

    @property
    def needs(self) -> tuple[Column, ...]:
        return self.parts

    def kept(self, rows: Rows) -> np.ndarray:
        return adds_up(self.total, self.parts, rows)

    def compute(self, natural: Mapping[str, np.ndarray], gaps: np.ndarray) -> np.ndarray:
        parts = [part.numbers_of(natural[part.name]) for part in self.parts]
        return self.total.natural(rounded(self.total, np.sum(parts, 0)))

    def inverted(self, rows: Unfinished) -> dict[str, np.ndarray]:
        """Of the parts that may change the largest takes up the difference as far as its bounds let it, then the next; those
        with most decimals come last, since only they can take up all of it."""
        numbers = np.stack([part.numbers_of(rows.natural[part.name]) for part in self.parts])
        may = np.stack([rows.free[part.name] for part in self.parts])
        numbers = np.where(may & np.isnan(numbers), 0, numbers)
        missing = self.total.numbers_of(rows.natural[self.total.name]) - numbers.sum(0)
        digits = np.broadcast_to([[part.writing.digits] for part in self.parts], numbers.shape)
        order = np.lexsort((-np.abs(numbers), digits, ~may), axis=0)
        for place in range(len(self.parts)):
            for number, part in enumerate(self.parts):
                here = may[number] & (order[place] == number)
                # What is left over at last is more than bounds allow, and the sum has the last word.
                last = here & ~may[order[place + 1 :], np.arange(len(missing))].any(0)
                low, high = bounds(part)
                wanted = numbers[number] + missing
                new = rounded(part, np.where(last, wanted, np.clip(wanted, low, high)))
                missing = np.where(here, missing - (new - numbers[number]), missing)
                numbers[number] = np.where(here, new, numbers[number])
        return {part.name: part.natural(numbers[number]) for number, part in enumerate(self.parts)}

    def __str__(self) -> str:
        return f"{self.total.name} = {' + '.join(part.name for part in self.parts)}"


@dataclass(frozen=True, eq=False)
class Dependence(Constraint):
    """A column that another one decides."""

    type = "dependence"

    source: Column
    target: Column
    table: np.ndarray
    """float64 (K + 1,): for each of the source's K values, and for nothing, what the target is: the place of a word (one
    more than there are: nothing), or the number itself (NaN: nothing)."""
    _source: Keys = field(init=False, repr=False)
    _target: Keys = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_source", Keys(self.source))
        object.__setattr__(self, "_target", Keys(self.target))
        if len(self.table) != len(self._source) + 1:
            raise ValueError("a table of another length than the words it is looked up by")
        if isinstance(self.target, WordColumn):
            if (self.table != np.rint(self.table)).any() or not (
                (self.table >= 0) & (self.table <= len(self._target))
            ).all():
                raise ValueError("a table of words that the column does not have")
        elif np.isinf(self.table).any():
            raise ValueError("a table of numbers that are not finite")

    @property
    def computed(self) -> Column:
        return self.target

    @property
    def cells(self) -> tuple[np.ndarray, np.ndarray]:
        """Every cell that the deciding column can have, natural (K + 1,), and what it decides."""
        deciding = self._source.cells
        return deciding, self.compute({self.source.name: deciding}, np.empty(0))

    @property
    def needs(self) -> tuple[Column, ...]:
        return (self.source,)

    def kept(self, rows: Rows) -> np.ndarray:
        expected = self.table[rows.codes(self._source)]
        if isinstance(self.target, MeasuredColumn):
            found = rows.numbers(self.target)
            return (found == expected) | (np.isnan(found) & np.isnan(expected))
        return rows.codes(self._target) == expected

    def compute(self, natural: Mapping[str, np.ndarray], gaps: np.ndarray) -> np.ndarray:
        # UNKNOWN is the last place, too: what is not known decides as nothing does.
        found = self.table[self._source.codes(natural[self.source.name])]
        if isinstance(self.target, MeasuredColumn):
            return self.target.natural(found)
        return self._target.words_of(found.astype(np.int64))

    def inverted(self, rows: Unfinished) -> dict[str, np.ndarray]:
        """One of the cells that decide so, each as likely as the others; as it is where none does."""
        deciding, decided = self.cells
        codes = self._source.codes(rows.natural[self.source.name])
        wanted = rows.natural[self.target.name]
        places = np.flatnonzero(rows.free[self.source.name])
        # In the order of the rows, and not of a set, which is another one in every process.
        for value in dict.fromkeys(np.asarray(wanted[places]).tolist()):
            able = np.array([code for code, each in enumerate(decided.tolist()) if each == value], np.int64)
            mine = places[np.array([each == value for each in wanted[places].tolist()], bool)]
            if len(able):
                codes[mine] = rows.random.choice(able, len(mine))
        changed = deciding[np.where(codes < 0, len(deciding) - 1, codes)]
        return {self.source.name: np.where(codes < 0, rows.natural[self.source.name], changed)}

    def __str__(self) -> str:
        return f"{self.source.name} -> {self.target.name}"


def gaps_between(high: MeasuredColumn, lows: Sequence[MeasuredColumn], rows: Rows) -> np.ndarray:
    """float64 (n,): a column less the largest of some others, without the dust of decimals; NaN where either is missing."""
    gaps = rows.numbers(high) - _largest(lows, rows)
    digits = max(column.writing.digits for column in (high, *lows))
    return np.round(gaps, digits) if high.kind != "date" and digits <= MOST_DIGITS else gaps


def ordered(gaps: np.ndarray, high: np.ndarray) -> np.ndarray:
    """bool (n,): the rows whose gap is not below 0, and does not lack for want of the lower column alone."""
    return (gaps >= 0) | np.isnan(high)


def adds_up(total: MeasuredColumn, parts: Sequence[MeasuredColumn], rows: Rows) -> np.ndarray:
    """bool (n,): the rows in which parts make the total, or in which one of them is missing and so is the total."""
    found = rows.numbers(total)
    expected = np.sum([rows.numbers(part) for part in parts], 0)
    unit = 10.0**-total.writing.digits if total.writing.digits <= MOST_DIGITS else 0.0
    close = np.abs(found - expected) <= unit / 2 + FUZZ * np.maximum(1, np.abs(found))
    return close | (np.isnan(found) & np.isnan(expected))


def rounded(column: MeasuredColumn, numbers: np.ndarray) -> np.ndarray:
    """To what the column's numbers are multiples of."""
    if column.kind == "date":
        return np.rint(numbers / column.writing.unit) * column.writing.unit
    return np.round(numbers, column.writing.digits) if column.writing.digits <= MOST_DIGITS else numbers


def bounds(column: MeasuredColumn) -> tuple[float, float]:
    """The smallest and the largest number that was seen."""
    ends = [*column.knots[[0, -1]], *column.spikes] if len(column.knots) else column.spikes
    return float(min(ends)), float(max(ends))


def _largest(columns: Sequence[MeasuredColumn], rows: Rows) -> np.ndarray:
    """float64 (n,): in each row of the cells that are there; NaN where there is none."""
    found = rows.numbers(columns[0])
    for column in columns[1:]:
        found = np.fmax(found, rows.numbers(column))
    return found


def _rounded_up(column: MeasuredColumn, numbers: np.ndarray) -> np.ndarray:
    """The least of what the column can hold that is not below."""
    if column.kind == "date":
        return np.ceil(numbers / column.writing.unit) * column.writing.unit
    if column.writing.digits > MOST_DIGITS:
        return numbers
    near = rounded(column, numbers)
    return np.where(near < numbers, rounded(column, near + 10.0**-column.writing.digits), near)


def pack_constraints(
    constraints: Sequence[Constraint], columns: Sequence[Column]
) -> tuple[list[dict[str, Any]], np.ndarray]:
    """(plain JSON values, which name columns by their places; tables, finite float64 (n,), one after another)."""
    places = {column.name: place for place, column in enumerate(columns)}
    plain = [
        {"type": each.type, "column": places[each.computed.name], "needs": [places[need.name] for need in each.needs]}
        for each in constraints
    ]
    tables = [each.table for each in constraints if isinstance(each, Dependence)]
    return plain, np.concatenate([np.empty(0), *map(_finite, tables)])


def unpack_constraints(
    plain: Any, columns: Sequence[Column], gaps: Sequence[Column], tables: np.ndarray
) -> list[Constraint]:
    """The constraints again, which are in the order of computing.

    Args:
        gaps: the columns that orders have, one each.

    Raises:
        ValueError: `pack_constraints` cannot have given this; what is computed before what it needs is so, too.
    """
    if not isinstance(plain, list) or tables.ndim != 1:
        raise ValueError("constraints must be a list")
    left, at, constraints = list(gaps), 0, list[Constraint]()
    for each in plain:
        if not isinstance(each, dict) or set(each) != {"type", "column", "needs"} or not isinstance(each["needs"], list):
            raise ValueError("no constraint")
        places = [each["column"], *each["needs"]]
        if any(type(place) is not int or not 0 <= place < len(columns) for place in places) or len(places) < 2:
            raise ValueError("a constraint of columns that do not exist")
        computed, *needs = (columns[place] for place in places)
        length = 2 * (len(Keys(needs[0])) + 1) if each["type"] == "dependence" else 0
        if length > len(tables) - at:
            raise ValueError("a table is cut off")
        if each["type"] == "order" and not left:
            raise ValueError("an order needs its gap")
        constraints.append(
            made(
                *(each["type"], computed, needs, left.pop(0) if each["type"] == "order" else None),
                _table(tables[at : at + length]),
            )
        )
        at += length
    if left or at != len(tables):
        raise ValueError("something of the constraints is left over")
    check_order(constraints)
    return constraints


def _finite(table: np.ndarray) -> np.ndarray:
    """float64 (2K,) of (K,): which are nothing, then the others; a model file holds finite numbers only."""
    nothing = np.isnan(table)
    return np.concatenate([nothing, np.where(nothing, 0, table)])


def _table(finite: np.ndarray) -> np.ndarray:
    """What `_finite` was given."""
    nothing, table = np.split(finite, 2)
    if not np.isin(nothing, (0, 1)).all():
        raise ValueError("a table says neither that a number is there nor that it is not")
    return np.where(nothing == 1, np.nan, table)


def made(kind: str, computed: Column, needs: Sequence[Column], gap: Column | None, table: np.ndarray) -> Constraint:
    """The constraint of that kind.

    Raises:
        ValueError: there is no such kind, or not of these columns.
    """
    if kind == "dependence":
        if len(needs) != 1 or not Keys.can_be(needs[0]) or not isinstance(computed, WordColumn | MeasuredColumn):
            raise ValueError("no column that another decides")
        return Dependence(needs[0], computed, table)
    measured = [each for each in needs if isinstance(each, MeasuredColumn)]
    if not isinstance(computed, MeasuredColumn) or len(measured) != len(needs):
        raise ValueError("only numbers and dates are more, or less")
    dates = {each.kind == "date" for each in (computed, *measured)}
    if kind == "order" and isinstance(gap, MeasuredColumn) and gap.kind != "date" and len(dates) == 1:
        if bounds(gap)[0] < 0:
            raise ValueError("a gap is below nothing")
        return Order(computed, tuple(measured), gap)
    if kind == "sum" and gap is None and dates == {False}:
        return Sum(computed, tuple(measured))
    raise ValueError("no constraint of a kind that there is")


def check_order(constraints: Sequence[Constraint]) -> None:
    """Raise ValueError unless each column is computed once at most, and after all that it needs."""
    to_come = [each.computed.name for each in constraints]
    if len(set(to_come)) != len(to_come):
        raise ValueError("a column is computed twice")
    for place, each in enumerate(constraints):
        names = [need.name for need in each.needs]
        if len(set(names)) != len(names) or set(names) & set(to_come[place:]):
            raise ValueError("a column is computed before what it needs")
