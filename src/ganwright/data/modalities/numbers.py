"""Rows of numbers: tables whose columns are all numbers, waveforms, feature vectors."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
import torch
from PIL import Image as PillowImage
from torch import Tensor

from ganwright.core.errors import UsageError
from ganwright.data.chunks import chunks
from ganwright.data.modalities.base import CLIPPED, Codec, Modality, Packed, Progress
from ganwright.data.number_drawing import binned, curve_tiles, spread_panels
from ganwright.data.ownership import mark
from ganwright.data.record import Record, Skipped
from ganwright.data.report import WORDS_IN, too_few
from ganwright.data.sample_files import one_file
from ganwright.data.sources.base import Source
from ganwright.data.spec import MAX_SIDE, Condition, DataSpec
from ganwright.data.told import Told, parse_asked
from ganwright.data.told_kinds import Finder

SCALINGS = ("each", "all")
NOT_FINITE = "value that is not a number"
BINS = 32
MOST_PANELS = 12
LONGEST_COLUMN_NAME = 1024
MOST_NAMES_BYTES = 256 << 10
"""Of all column names together: they go into a model file's header, which is bounded."""
LARGEST_WHOLE = 1 << 53
"""Up to here float64 holds every whole number."""
SLACK = 1e-6


@dataclass(frozen=True)
class Ranges:
    """What is learned of the columns of (N, D) numbers."""

    low: np.ndarray
    """float64 (D,)"""
    high: np.ndarray
    """float64 (D,)"""
    whole: np.ndarray
    """bool (D,): whether a column held whole numbers only."""
    histogram: np.ndarray
    """int64 (min(D, MOST_PANELS), BINS): how many records fall into each part of a column's range."""


FEW_NUMBERS = 16
"""Of a row: with 2, 5, 8 and so many, `points` came five to thirty times as near to the data as `mlp`, in as many steps."""


class NumbersCodec(Codec):
    """Rows of D finite numbers, stored as float32 in -1..1, with their class where the records have one.

    Each column, or all together, is scaled so that the smallest value becomes -1 and the largest 1.
    """

    modality: ClassVar[str] = "numbers"
    noun: ClassVar[str] = "rows"
    suffixes: ClassVar[tuple[str, ...]] = (".csv",)
    repeats: ClassVar[bool] = True

    def __init__(
        self,
        ranges: Ranges,
        scaling: Literal["each", "all"] = "each",
        columns: tuple[str, ...] = (),
        told: Told | None = None,
        notes: tuple[str, ...] = (),
    ) -> None:
        self.ranges = ranges
        self.default_recipe = "points" if len(ranges.low) <= FEW_NUMBERS else "mlp"
        self.scaling: Literal["each", "all"] = scaling
        self.columns = columns
        """The names of the columns; empty where the data had none."""
        self.told = told or Told()
        self.notes = notes
        low, high = (ranges.low, ranges.high) if scaling == "each" else (ranges.low.min(), ranges.high.max())
        self._bottom, self._top = np.broadcast_to(low, ranges.low.shape), np.broadcast_to(high, ranges.low.shape)
        # Halved first, since a range may be larger than the largest number.
        self._half = self._top / 2 - self._bottom / 2
        self._spec = DataSpec("numbers", ranges.low.shape, "tanh")
        whole = int(ranges.whole.sum())
        self.reason = f"{whole:,} of them whole" if 0 < whole < len(ranges.whole) else ""

    @property
    def spec(self) -> DataSpec:
        return self._spec

    @property
    def conditions(self) -> tuple[Condition, ...]:
        return self.told.conditions

    def pack(self, records: Sequence[Record]) -> Packed:
        """{"x": float32 (n, D)} in -1..1 and what is known of them, by name."""
        values, kept, skipped = usable_rows(records, len(self.ranges.low), self.columns)
        half = np.where(self._half > 0, self._half, 1)
        with np.errstate(over="ignore"):
            scaled = (values - (self._bottom / 2 + self._top / 2)) / half
        # In a column that was constant, any other value is beyond its range.
        scaled = np.where(self._half > 0, scaled, 2 * np.sign(scaled))
        beyond = int(np.count_nonzero(np.abs(scaled) > 1 + SLACK))
        notes = {CLIPPED: beyond} if beyond else {}
        x = np.clip(scaled, -1, 1).astype(np.float32)
        return Packed({"x": x, **self.told.columns(kept)}, [record.name for record in kept], skipped, notes)

    def expand(self, columns: Mapping[str, Tensor]) -> Tensor:
        """(B, D) in -1..1."""
        return columns["x"].to(torch.float32)

    def decode(self, x: Tensor) -> np.ndarray:
        """float64 (B, D) in the data's own units and within the range of each column, rounded where that held whole
        numbers only."""
        scaled = x.detach().to("cpu", torch.float32).nan_to_num(0).clamp(-1, 1).double().numpy()
        # From the nearer end, so that both ends are exact.
        distance = (1 - np.abs(scaled)) * self._half
        values = np.where(scaled < 0, self._bottom + distance, self._top - distance)
        values = np.where(self.ranges.whole, np.rint(values), values)
        return np.clip(values, self.ranges.low, self.ranges.high)

    def join(self, parts: Sequence[np.ndarray]) -> Any:
        """A DataFrame where the columns have names and pandas is there, otherwise an array float64 (n, D)."""
        values = np.concatenate([*parts, np.empty((0, len(self.ranges.low)))])
        if not self.columns:
            return values
        try:
            import pandas as pd
        except ImportError:
            return values
        typed = [
            values[:, i].astype(np.int64) if whole else values[:, i] for i, whole in enumerate(self.ranges.whole.tolist())
        ]
        frame = pd.DataFrame(dict(enumerate(typed)))
        frame.columns = pd.Index(self.columns)  # Set afterwards, since two may be called the same.
        return frame

    def preview(self, objects: Any, columns: int, title: str = "") -> PillowImage.Image:
        """How each column is spread (of many columns the first 12); the rows as curves where they are long and nameless,
        or scaled together."""
        values, ranges = np.asarray(objects, np.float64), self.ranges
        if len(values) == 0:
            raise ValueError("no rows to draw")
        width = len(ranges.low)
        if width > MOST_PANELS and (self.scaling == "all" or not self.columns):
            return curve_tiles(values, ranges.low, ranges.high, columns, title)
        some = min(width, MOST_PANELS)
        names = self._names()[:some]
        return spread_panels(values[:, :some], names, ranges.low[:some], ranges.high[:some], ranges.histogram, title)

    def paths(self, folder: Path, first: int, count: int, suffix: str = "") -> list[Path]:
        return one_file(folder, count, suffix, self.suffixes, self.noun)

    def write(self, objects: Any, folder: Path, first: int, suffix: str = "") -> list[Path]:
        """Rows added to samples.csv, which is begun anew with the names of the columns at `first` = 0; every number is
        written so that it is read as the very same."""
        values = np.asarray(objects, np.float64)
        paths = self.paths(folder, first, len(values), suffix)
        if not paths:
            return []
        paths[0].parent.mkdir(parents=True, exist_ok=True)
        with paths[0].open("a" if first else "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            if not first:
                writer.writerow(self._names())
            # csv writes a float with as many digits as it takes to read the same float.
            whole = self.ranges.whole.tolist()
            writer.writerows(
                [int(value) if is_whole else value for value, is_whole in zip(row, whole, strict=True)]
                for row in values.tolist()
            )
        mark(paths[0])
        return paths

    def describe(self) -> str:
        count = len(self.ranges.low)
        return f"{count:,} number{'s' if count > 1 else ''} a row"

    def state(self) -> dict[str, Any]:
        return {"scaling": self.scaling, "columns": list(self.columns), **self.told.state()}

    def tensors(self) -> dict[str, Tensor]:
        """low and high, float64 (D,); whole, bool (D,); histogram, int64 (min(D, 12), 32)."""
        return {name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in vars(self.ranges).items()}

    @classmethod
    def from_state(cls, state: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Self:
        values = dict(state)
        told = Told.taken_from(values)
        if set(values) != {"scaling", "columns"} or set(tensors) != set(Ranges.__dataclass_fields__):
            raise ValueError("not the state of a codec of numbers")
        scaling, columns = values["scaling"], values["columns"]
        if not isinstance(scaling, str) or scaling not in SCALINGS:
            raise ValueError(f"scaling must be one of {', '.join(SCALINGS)}")
        ranges = _checked(tensors)
        if not isinstance(columns, list) or len(columns) not in (0, len(ranges.low)) or not names_fit(columns):
            raise ValueError("columns must be a list of one name per number")
        return cls(ranges, "all" if scaling == "all" else "each", tuple(columns), told)

    def _names(self) -> Sequence[str]:
        return self.columns or [f"x{i}" for i in range(len(self.ranges.low))]


@dataclass(frozen=True)
class Numbers(Modality):
    """Rows of numbers, brought to -1..1."""

    codec: ClassVar[type[Codec]] = NumbersCodec

    scaling: Literal["each", "all"] = "each"
    """each: every column by its own smallest and largest value; all: by those of all values, which keeps the shape of
    waveforms."""
    conditions: tuple[str, ...] = ()
    """What is known of each row is found out, but for what is said here: see `Image.conditions`."""

    def __post_init__(self) -> None:
        if self.scaling not in SCALINGS:
            raise UsageError("E-CONFIG-04", f"scaling must be one of {', '.join(SCALINGS)}, not {self.scaling!r}")
        parse_asked(self.conditions)

    def fits(self, source: Source) -> bool:
        """Whether the first readable record is an array of one axis."""
        for record in source.read(0, 8):
            if not record.fault:
                return isinstance(record.payload, np.ndarray) and record.payload.ndim == 1 and record.payload.dtype != object
        return False

    def fit(self, source: Source, progress: Progress) -> NumbersCodec:
        """The codec for the source's usable rows, from all of them: their ranges first, then how they are spread.

        Raises:
            DataError: no usable row.
        """
        low = high = whole = np.empty(0)
        told = Finder(parse_asked(self.conditions))
        skipped: list[Skipped] = []
        done = 0
        for records in chunks(source):
            values, kept, out = usable_rows(records, len(low) or None, source.columns)
            skipped += out
            told.look(kept)
            if len(values):
                if not len(low):
                    low, high, whole = values[0].copy(), values[0].copy(), np.ones(values.shape[1], bool)
                low, high = np.minimum(low, values.min(0)), np.maximum(high, values.max(0))
                whole &= ((values == np.rint(values)) & (np.abs(values) <= LARGEST_WHOLE)).all(0)
            done += len(records)
            progress("looking at rows", done, len(source))
        if not len(low):
            raise too_few(source, NumbersCodec.noun, 0, skipped)
        some = min(len(low), MOST_PANELS)
        histogram = np.zeros((some, BINS), np.int64)
        for records in chunks(source):
            values, _, _ = usable_rows(records, len(low), source.columns)
            histogram += binned(values[:, :some], low[:some], high[:some], BINS)
        columns = source.columns
        if not names_fit(columns):
            source.notes.append("the names of the columns are left out: they are too long")
            columns = ()
        known, notes = told.found()
        return NumbersCodec(Ranges(low, high, whole, histogram), self.scaling, columns, known, tuple(notes))


def usable_rows(
    records: Sequence[Record], width: int | None, columns: Sequence[str]
) -> tuple[np.ndarray, list[Record], list[Skipped]]:
    """(float64 (n, D), their records, the others with reasons); without a `width`, D is that of the first row."""
    rows: list[np.ndarray] = []
    kept: list[Record] = []
    skipped: list[Skipped] = []
    for record in records:
        row = _as_numbers(record.payload)
        if record.fault or not isinstance(row, np.ndarray) or row.ndim != 1 or row.dtype.kind not in "buif":
            skipped.append(Skipped(record.name, record.fault or _why_no_numbers(row, columns)))
        elif len(row) != (width := width or len(row)):
            skipped.append(Skipped(record.name, "row of another length"))
        else:
            rows.append(row)
            kept.append(record)
    values = np.array(rows, np.float64).reshape(len(rows), width or 0)
    finite = np.isfinite(values)
    if finite.all():
        return values, kept, skipped
    usable: np.ndarray = np.all(finite, axis=1)
    for i in np.flatnonzero(~usable).tolist():
        column = int(np.argmin(finite[i]))
        skipped.append(Skipped(kept[i].name, f"{NOT_FINITE} ({columns[column] if columns else f'column {column + 1}'})"))
    return values[usable], [record for record, is_usable in zip(kept, usable, strict=True) if is_usable], skipped


def _as_numbers(payload: Any) -> Any:
    """A row of a table's cells as numbers, NaN where a cell is empty; whatever is no such row as it is."""
    if not isinstance(payload, np.ndarray) or payload.dtype != object:
        return payload
    try:
        return np.array([float("nan") if cell is None or cell == "" else float(cell) for cell in payload.tolist()])
    except (TypeError, ValueError):
        return payload


def _why_no_numbers(row: Any, columns: Sequence[str]) -> str:
    if isinstance(row, np.ndarray) and row.ndim == 1 and row.dtype == object:
        words = (place for place, cell in enumerate(row.tolist()) if _is_word(cell))
        if (place := next(words, None)) is not None:
            return f"{WORDS_IN} {columns[place] if columns else f'column {place + 1}'}"
    return "no row of numbers"


def _is_word(cell: Any) -> bool:
    try:
        float(cell or 0)
        return False
    except (TypeError, ValueError):
        return True


def names_fit(columns: Sequence[Any]) -> bool:
    """Whether these are names that a model file's header has room for."""
    if not all(isinstance(name, str) and len(name) <= LONGEST_COLUMN_NAME for name in columns):
        return False
    return len(json.dumps(list(columns))) <= MOST_NAMES_BYTES


def _checked(tensors: Mapping[str, Tensor]) -> Ranges:
    """The tensors of a codec as arrays, after all that is promised of them was found to be so.

    Raises:
        ValueError: something is not.
    """
    count = tensors["low"].shape[0] if tensors["low"].ndim == 1 else 0
    if not 1 <= count <= MAX_SIDE:
        raise ValueError(f"low must hold 1..{MAX_SIDE} numbers")
    expected = {
        "low": (torch.float64, (count,)),
        "high": (torch.float64, (count,)),
        "whole": (torch.bool, (count,)),
        "histogram": (torch.int64, (min(count, MOST_PANELS), BINS)),
    }
    for name, (dtype, shape) in expected.items():
        if (tensors[name].dtype, tuple(tensors[name].shape)) != (dtype, shape):
            raise ValueError(f"{name} must be {dtype} of shape {shape}")
    ranges = Ranges(**{name: tensors[name].cpu().numpy() for name in expected})
    low, high, whole = ranges.low, ranges.high, ranges.whole
    if not np.isfinite(low).all() or not np.isfinite(high).all() or (low > high).any():
        raise ValueError("low must not be above high, and both finite")
    ends = np.stack([low[whole], high[whole]])
    if (ends != np.rint(ends)).any() or (np.abs(ends) > LARGEST_WHOLE).any():
        raise ValueError("a column of whole numbers must lie between whole numbers")
    if (ranges.histogram < 0).any() or (ranges.histogram > LARGEST_WHOLE).any():
        raise ValueError("the histogram must count records")
    return ranges
