"""What was learned of series: columns, scales, how time goes on; and both ways between rows and tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, Self, get_args

import numpy as np
import torch
from torch import Tensor

from ganwright.data.series.arranged import LONGEST
from ganwright.data.series.layout import END
from ganwright.data.series.scaling import Scaling
from ganwright.data.series.values import SeriesValues
from ganwright.data.spec import Block, DataSpec
from ganwright.data.tables.cells import Cells
from ganwright.data.tables.column import UNKNOWN
from ganwright.data.tables.columns import Column, MeasuredColumn
from ganwright.data.tables.facts import MOST_DIGITS
from ganwright.data.tables.frames import as_frame
from ganwright.data.tables.packed import pack_columns, unpack_columns

Role = Literal["whole", "number", "modes", "fixed"]
"""Of a column: the same in all rows of a series; a number of every step; one of some words or numbers; always the same."""
BANDS = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Shares of the data below what is kept of each column at each step, for plots."""

KNOWN_DIGITS = 6
"""Of a number that is not rounded to decimals."""


@dataclass(frozen=True)
class Natural:
    """N series of T steps at most, before they are tensors and after."""

    lengths: np.ndarray
    """int64 (N,)"""
    numbers: np.ndarray
    """float64 (N, T, D), NaN where missing or behind the end."""
    whole: dict[str, tuple[np.ndarray, np.ndarray]]
    """Modes and values (N,) of what holds for all of a series, by column; of its first time as ""."""
    modes: dict[str, tuple[np.ndarray, np.ndarray]]
    """Modes and values (N, T) of columns that have such at each step."""

    def alive(self) -> np.ndarray:
        """bool (N, T): which steps are not behind the end."""
        return np.arange(self.numbers.shape[1]) < self.lengths[:, None]


@dataclass(frozen=True, eq=False)
class Parts:
    """The columns of series and what they became."""

    columns: tuple[Column, ...]
    """All that samples have but for when and which, in the data's order."""
    roles: tuple[Role, ...]
    time: MeasuredColumn | None
    """The column that says when."""
    starts: MeasuredColumn | None
    """When series begin; None where all begin at the same time, or nothing says when."""
    interval: float
    """Between two steps, in the unit of time."""
    time_place: int
    """Where its column stands among the others."""
    series_place: int
    """Where the column stands that says which series a row is of."""
    length: int
    ends: bool
    """Whether series differ in length."""
    gaps: tuple[bool, ...]
    """Of each column of numbers whether some are missing."""
    scaling: Scaling | None
    bands: np.ndarray
    """float64 (len(BANDS), T, D): how the data lie."""

    @cached_property
    def by_name(self) -> dict[str, Column]:
        """Every column that can be written, by name."""
        time = {self.time.name: self.time} if self.time else {}
        return {column.name: column for column in self.columns} | time

    def of_role(self, role: Role) -> list[Any]:
        """The columns of a role."""
        return [column for column, each in zip(self.columns, self.roles, strict=True) if each == role]

    @cached_property
    def spec(self) -> DataSpec:
        """A series as the networks see it."""
        told: list[Block] = []
        steps: list[Block] = []
        if self.scaling is not None:
            told += [_number(f"level {place + 1}") for place in range(self.scaling.levels)]
            told += [_number(f"size {place + 1}") for place in range(self.scaling.directions)]
            steps += [_number(f"course {place + 1}") for place in range(self.scaling.directions)]
        told += [_number("start")] if self.starts else []
        told += [_block(column) for column in self.of_role("whole")]
        for column, gaps in zip(self.of_role("number"), self.gaps, strict=True):
            steps += [Block(f"{column.name} missing", 2, valued=False)] if gaps else []
        steps += [_block(column) for column in self.of_role("modes")]
        steps += [Block(END, 2, valued=False)] if self.ends else []
        width = sum(block.width for block in (*told, *steps))
        return DataSpec("series", (width, self.length), "linear", blocks=(*told, *steps), statics=len(told))

    def lacking(self, names: Sequence[str]) -> str:
        """A column that is needed and not among the names; "" if none is."""
        needed = [column.name for column, role in zip(self.columns, self.roles, strict=True) if role != "fixed"]
        return next((name for name in needed if name not in names), "")

    def read(self, cells: Cells, firsts: np.ndarray, lengths: np.ndarray) -> Natural:
        """Series that begin at rows `firsts` (N,) of the cells and have `lengths` (N,) steps."""
        steps = np.arange(self.length)
        alive = steps < lengths[:, None]
        rows = np.where(alive, firsts[:, None] + steps, firsts[:, None])
        by_name = dict(zip(cells.names, cells.columns, strict=True))
        numbers = np.empty((*rows.shape, len(self.gaps)))
        for place, column in enumerate(self.of_role("number")):
            numbers[:, :, place] = column.numbers_of(by_name[column.name])[rows]
        numbers[~alive] = np.nan
        whole = {}
        if self.starts is not None and self.time is not None:
            encoded = self.starts.encode_numbers(self.time.numbers_of(by_name[self.time.name][firsts]))
            whole[""] = encoded.modes, encoded.values
        for column in self.of_role("whole"):
            encoded = column.encode(by_name[column.name][firsts])
            whole[column.name] = encoded.modes, encoded.values
        modes = {}
        for column in self.of_role("modes"):
            encoded = column.encode(by_name[column.name])
            modes[column.name] = np.where(alive, encoded.modes[rows], 0), np.where(alive, encoded.values[rows], 0)
        return Natural(lengths, numbers, whole, modes)

    def encode(self, natural: Natural) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Packed statics (N, c) and steps (N, T, p), modes first; and bool (N,): whose words or gaps have no mode."""
        alive = natural.alive()
        count, length = alive.shape
        told_values: list[np.ndarray] = []
        step_values: list[np.ndarray] = []
        told_modes: list[np.ndarray] = []
        step_modes: list[np.ndarray] = []
        unknown = np.zeros(count, bool)
        if self.scaling is not None:
            told, courses = self.scaling.encode(natural.numbers, alive)
            told_values += list(told.T)
            told_modes += [np.zeros(count)] * told.shape[1]
            step_values += list(np.moveaxis(courses, 2, 0))
            step_modes += [np.zeros((count, length))] * courses.shape[2]
        if self.starts is not None:
            told_modes.append(np.zeros(count))
            told_values.append(2 * natural.whole[""][1])
        for column in self.of_role("whole"):
            modes, values = natural.whole[column.name]
            unknown |= modes == UNKNOWN
            told_modes.append(np.maximum(modes, 0))
            told_values += [values] if column.valued else []
        missing = np.isnan(natural.numbers) & alive[:, :, None]
        for place, gaps in enumerate(self.gaps):
            if gaps:
                step_modes.append(missing[:, :, place].astype(float))
            else:
                unknown |= missing[:, :, place].any(1)
        for column in self.of_role("modes"):
            modes, values = natural.modes[column.name]
            unknown |= ((modes == UNKNOWN) & alive).any(1)
            step_modes.append(np.maximum(modes, 0))
            step_values += [values] if column.valued else []
        if self.ends:
            step_modes.append((~alive).astype(float))
        statics = np.stack([*told_modes, *told_values], 1) if told_modes else np.empty((count, 0))
        return statics, np.stack([*step_modes, *step_values], 2), unknown

    def decode(self, statics: np.ndarray, steps: np.ndarray) -> Natural:
        """The series of packed statics and steps; numbers rounded as the data's were, and within what was seen."""
        spec, count, length = self.spec, *steps.shape[:2]
        told, each = spec.blocks[: spec.statics], spec.blocks[spec.statics :]
        whole = _read(told, statics[:, : len(told)], statics[:, len(told) :])
        found = _read(each, steps[:, :, : len(each)], steps[:, :, len(each) :])
        lengths = np.full(count, length)
        if self.ends:
            over = found[END][0].astype(bool)
            over[:, 0] = False
            lengths = np.where(over.any(1), over.argmax(1), length)
        alive = np.arange(length) < lengths[:, None]
        numbers = np.empty((count, length, len(self.gaps)))
        if self.scaling is not None:
            names = [block.name for block in told if block.name.startswith(("level ", "size "))][: self._told_numbers]
            height = np.stack([whole[name][1] for name in names], 1)
            course = np.stack([found[f"course {place + 1}"][1] for place in range(self.scaling.directions)], 2)
            numbers = self.scaling.decode(height, course)
        for place, (column, gaps) in enumerate(zip(self.of_role("number"), self.gaps, strict=True)):
            numbers[:, :, place] = _fitted(column, numbers[:, :, place])
            if gaps:
                numbers[found[f"{column.name} missing"][0] == 1, place] = np.nan
        numbers[~alive] = np.nan
        columns = {column.name: whole[column.name] for column in self.of_role("whole")}
        if self.starts is not None:
            columns[""] = whole["start"][0], np.clip(whole["start"][1] / 2, -1, 1)
        modes = {column.name: found[column.name] for column in self.of_role("modes")}
        return Natural(lengths, numbers, columns, modes)

    @property
    def _told_numbers(self) -> int:
        return 0 if self.scaling is None else self.scaling.levels + self.scaling.directions

    def frames(self, natural: Natural) -> list[Any]:
        """A DataFrame of each series."""
        starts = self._first_times(natural)
        found = []
        for place, length in enumerate(natural.lengths.tolist()):
            cells: dict[str, np.ndarray] = {}
            numbers = iter(range(len(self.gaps)))
            for column, role in zip(self.columns, self.roles, strict=True):
                if role == "number":
                    cells[column.name] = column.natural(natural.numbers[place, :length, next(numbers)])  # type: ignore[attr-defined]
                elif role == "modes":
                    modes, values = natural.modes[column.name]
                    cells[column.name] = column.decode(modes[place, :length].astype(np.int64), values[place, :length])
                else:
                    modes, values = natural.whole.get(column.name, (np.zeros(len(starts)), np.zeros(len(starts))))
                    same = np.full(length, place)
                    cells[column.name] = column.decode(modes[same].astype(np.int64), values[same])
            if self.time is not None:
                names = [*cells][: self.time_place], [*cells][self.time_place :]
                times = self.time.natural(_rounded(self.time, starts[place] + self.interval * np.arange(length)))
                cells = {name: cells[name] for name in names[0]} | {self.time.name: times} | {n: cells[n] for n in names[1]}
            found.append(as_frame(self.by_name, cells))
        return found

    def _first_times(self, natural: Natural) -> np.ndarray:
        if self.time is None:
            return np.zeros(len(natural.lengths))
        if self.starts is None:  # all begin at the first time there was
            return np.full(len(natural.lengths), np.concatenate([self.time.knots, self.time.spikes]).min())
        modes, values = natural.whole[""]
        return self.starts.decode_numbers(modes.astype(np.int64), values)

    def values(self, natural: Natural) -> SeriesValues:
        """The series as measures see them: numbers, and each mode of other columns as one more column of 0 and 1."""
        alive = natural.alive()
        values, names = [natural.numbers], [column.name for column in self.of_role("number")]
        for column in self.of_role("modes"):
            modes = natural.modes[column.name][0]
            hot = (modes[:, :, None] == np.arange(column.modes)).astype(np.float64)
            hot[~alive] = np.nan
            values.append(hot)
            names += [f"{column.name}={place + 1}" for place in range(column.modes)]
        return SeriesValues(np.concatenate(values, 2), natural.lengths, tuple(names))

    def values_of(self, frames: Sequence[Any]) -> SeriesValues:
        """The numbers of DataFrames."""
        names = tuple(column.name for column in self.of_role("number"))
        values = np.full((len(frames), self.length, len(names)), np.nan)
        for place, frame in enumerate(frames):
            for number, name in enumerate(names):
                cells = frame[name]
                plain = cells.to_numpy("datetime64[us]").astype(np.int64) if cells.dtype.kind == "M" else cells
                values[place, : len(frame), number] = np.asarray(plain, np.float64)
        return SeriesValues(values, np.array([len(frame) for frame in frames]), names)

    def state(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "columns": pack_columns(self._all_columns())[0],
            "roles": list(self.roles),
            "timed": [self.time is not None, self.starts is not None],
            "interval": self.interval,
            "places": [self.time_place, self.series_place],
            "length": self.length,
            "ends": self.ends,
            "gaps": list(self.gaps),
        }

    def tensors(self) -> dict[str, Tensor]:
        """Lists of columns, the scaling, and the bands."""
        arrays = {f"scaling.{name}": each for name, each in self.scaling.arrays().items()} if self.scaling else {}
        found = {
            name: torch.from_numpy(np.ascontiguousarray(each)) for name, each in (arrays | {"bands": self.bands}).items()
        }
        return pack_columns(self._all_columns())[1] | found

    @classmethod
    def from_state(cls, state: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Self:
        """The parts again.

        Raises:
            ValueError, TypeError, KeyError: `state` and `tensors` cannot have given this.
        """
        if set(state) != {"columns", "roles", "timed", "interval", "places", "length", "ends", "gaps"}:
            raise ValueError("not the state of a codec of series")
        columns = unpack_columns(state["columns"], {name: tensors[name] for name in ("numbers", "words")})
        timed, places, roles = state["timed"], state["places"], tuple(state["roles"])
        if any(type(each) is not bool for each in (*timed, state["ends"], *state["gaps"])) or len(timed) != 2:
            raise TypeError("not the state of a codec of series")
        if any(type(each) is not int or each < 0 for each in places) or len(places) != 2:
            raise ValueError("not the state of a codec of series")
        length, interval = state["length"], state["interval"]
        if type(length) is not int or not 1 <= length <= LONGEST or type(interval) is not float or not np.isfinite(interval):
            raise ValueError(f"series have 1..{LONGEST} steps")
        times = columns[len(roles) :]
        if len(times) != sum(timed) or not all(isinstance(each, MeasuredColumn) for each in times) or timed[1] > timed[0]:
            raise ValueError("times that are no times")
        own = columns[: len(roles)]
        numbers = [column for column, role in zip(own, roles, strict=True) if role == "number"]
        if not all(role in get_args(Role) for role in roles) or not all(
            isinstance(each, MeasuredColumn) for each in numbers
        ):
            raise ValueError("columns of series in roles that they cannot have")
        arrays = {name.removeprefix("scaling."): each.cpu().numpy() for name, each in tensors.items() if "scaling." in name}
        scaling = Scaling.of_arrays(arrays) if arrays else None
        bands = tensors["bands"].cpu().numpy()
        count = len(numbers)
        if len(state["gaps"]) != count or (0 if scaling is None else len(scaling.bend)) != count:
            raise ValueError("the scaling of series does not fit the columns")
        if bands.shape != (len(BANDS), length, count) or bands.dtype != np.float64:
            raise ValueError("the bands of series do not fit the columns")
        found = cls(
            columns=tuple(own),
            roles=roles,
            time=times[0] if timed[0] else None,  # type: ignore[arg-type]
            starts=times[1] if timed[1] else None,  # type: ignore[arg-type]
            interval=interval,
            time_place=places[0],
            series_place=places[1],
            length=length,
            ends=state["ends"],
            gaps=tuple(state["gaps"]),
            scaling=scaling,
            bands=bands,
        )
        if len(found.by_name) != len(own) + timed[0]:
            raise ValueError("two columns have one name")
        return found

    def _all_columns(self) -> list[Column]:
        return [*self.columns, *([self.time] if self.time else []), *([self.starts] if self.starts else [])]


def _number(name: str) -> Block:
    return Block(name, 1, valued=True, number=True)


def _block(column: Column) -> Block:
    return Block(column.name, column.modes, column.valued)


def _read(blocks: Sequence[Block], modes: np.ndarray, values: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Modes and values (...,) of each block, of packed ones (..., C) and (..., V)."""
    found: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    value = 0
    for place, block in enumerate(blocks):
        mine = values[..., value] if block.valued else np.zeros(modes.shape[:-1], np.float32)
        found[block.name] = modes[..., place].astype(np.int64), mine
        value += block.valued
    return found


def _fitted(column: MeasuredColumn, numbers: np.ndarray) -> np.ndarray:
    """Rounded as the column's numbers are, and within what was seen."""
    seen = np.concatenate([column.knots, column.spikes])
    return np.clip(_rounded(column, numbers), seen.min(), seen.max())


def _rounded(column: MeasuredColumn, numbers: np.ndarray) -> np.ndarray:
    if column.kind == "date":
        return np.rint(numbers / column.writing.unit) * column.writing.unit
    if column.writing.digits <= MOST_DIGITS:
        return np.round(numbers, column.writing.digits)
    # Networks see some seven digits: what is behind them means nothing.
    scale = 10.0 ** (KNOWN_DIGITS - np.ceil(np.log10(np.maximum(np.abs(numbers), 1e-30))))
    return np.rint(numbers * scale) / scale
