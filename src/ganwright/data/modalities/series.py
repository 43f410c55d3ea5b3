"""Time series: rows of a table that belong together and follow each other, with gaps and of different lengths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from PIL import Image as PillowImage
from torch import Tensor

from ganwright.core.errors import UsageError
from ganwright.data.modalities.base import Codec, Modality, Packed, Progress
from ganwright.data.ownership import mark
from ganwright.data.record import Record, Skipped
from ganwright.data.report import too_few
from ganwright.data.sample_files import one_file
from ganwright.data.series.arranged import Arrangement, arranged
from ganwright.data.series.drawing import draw_series
from ganwright.data.series.layout import SeriesLayout
from ganwright.data.series.learning import learn_parts
from ganwright.data.series.parts import Parts
from ganwright.data.series.spans import Spans
from ganwright.data.series.values import SeriesValues
from ganwright.data.sources.base import Source
from ganwright.data.spec import Condition, DataSpec
from ganwright.data.tables.looking import look_at_rows, wanted_kinds
from ganwright.data.tables.writing import Style, write_rows


class SeriesCodec(Codec):
    """Series as what holds for all of each, then its steps, as modes and values side by side: float32 (n, P)."""

    modality: ClassVar[str] = "series"
    default_recipe: str = "doppelganger"
    noun: ClassVar[str] = "series"
    suffixes: ClassVar[tuple[str, ...]] = (".csv",)
    repeats: ClassVar[bool] = True
    shown: ClassVar[int] = 16
    metrics: ClassVar[tuple[str, ...]] = ("told_apart", "foresight", "courses", "marginals", "frechet", "memorisation")
    default_features: ClassVar[str] = "courses"
    scoring_features: ClassVar[str] = "courses"

    def __init__(self, parts: Parts, asked: Arrangement, style: Style | None = None) -> None:
        self.parts, self.asked = parts, asked
        self.style = style or Style()
        self._spec = parts.spec
        self.layout = SeriesLayout(self._spec)

    @property
    def spec(self) -> DataSpec:
        return self._spec

    @property
    def conditions(self) -> tuple[Condition, ...]:
        return ()

    def arranged(self, source: Source) -> Source:
        return arranged(source, self.asked, self.parts.time)

    def pack(self, records: Sequence[Record]) -> Packed:
        """{"x": float32 (n, P)}; series that are too long, or hold a word that was not seen, are skipped."""
        if not isinstance(records, Spans):
            return Packed({"x": np.empty((0, self._packed_width), np.float32)}, [], [Skipped("rows", "no series")])
        lengths = records.ends - records.starts
        reasons = np.where(lengths > self.parts.length, f"series longer than {self.parts.length} steps", "").astype(object)
        first, last = int(records.starts.min()), int(records.ends.max())
        cells = records.cells[first:last]
        if lacking := self.parts.lacking(cells.names):
            reasons[:] = f"no column {lacking!r}"
            return self._kept(np.zeros((len(records), self._packed_width), np.float32), records, reasons)
        natural = self.parts.read(cells, records.starts - first, np.minimum(lengths, self.parts.length))
        statics, steps, unknown = self.parts.encode(natural)
        reasons[unknown & (reasons == "")] = "series with a word, or a gap, where none was seen before"
        x = np.concatenate([statics, steps.reshape(len(records), -1)], 1).astype(np.float32)
        return self._kept(x, records, reasons)

    def _kept(self, x: np.ndarray, records: Spans, reasons: np.ndarray) -> Packed:
        usable = np.flatnonzero(reasons == "").tolist()
        skipped = [Skipped(records.name_of(place), reasons[place]) for place in np.flatnonzero(reasons != "").tolist()]
        return Packed({"x": np.ascontiguousarray(x[usable])}, [records.name_of(place) for place in usable], skipped)

    @property
    def _static_width(self) -> int:
        """Of packed statics."""
        return self.layout.statics.columns + sum(block.valued for block in self.layout.statics.blocks)

    @property
    def _packed_width(self) -> int:
        step = self.layout.steps.columns + sum(block.valued for block in self.layout.steps.blocks)
        return self._static_width + self.parts.length * step

    def expand(self, columns: Mapping[str, Tensor]) -> Tensor:
        """(B, C, T): what holds for a whole series at each step, then what the step has."""
        x = columns["x"].float()
        return self.layout.expand(
            x[:, : self._static_width], x[:, self._static_width :].unflatten(1, (self.parts.length, -1))
        )

    def decode(self, x: Tensor) -> list[Any]:
        """A DataFrame of each series, its rows in the order of time."""
        return self.parts.frames(self._natural(x))

    def as_recorded(self, x: Tensor) -> Tensor:
        statics, steps, _ = self.parts.encode(self._natural(x))
        return self.layout.expand(*(torch.from_numpy(np.ascontiguousarray(a, np.float32)) for a in (statics, steps))).to(
            x.device
        )

    def series(self, x: Tensor) -> SeriesValues:
        return self.parts.values(self._natural(x))

    def _natural(self, x: Tensor) -> Any:
        statics, steps = self.layout.pack(x.detach().float().nan_to_num(0).cpu())
        return self.parts.decode(statics.numpy(), steps.numpy())

    def with_identifiers(self, objects: Any, first: int, seed: int = 0) -> Any:
        """Each DataFrame with the number of its series, from 1 on, in the column that says which, or in "series"."""
        return [self._named(frame, first + place + 1) for place, frame in enumerate(objects)]

    def _named(self, frame: Any, number: int) -> Any:
        name = self.asked.series or "series"
        while name in frame.columns and self.asked.series is None:
            name += "_"
        if name in frame.columns:
            return frame
        named = frame.copy()
        named.insert(min(self.parts.series_place, frame.shape[1]), name, number)
        return named

    def preview(self, objects: Any, columns: int, title: str = "") -> PillowImage.Image:
        """The courses of some series, a panel a column, beside series of the data."""
        if not len(objects):
            raise ValueError("no series to draw")
        return draw_series(self.parts.bands, self.parts.values_of(objects), title)

    def beside(self, real: Any, objects: Any) -> PillowImage.Image:
        """Series of the data on the left, samples on the right."""
        return draw_series(self.parts.bands, self.parts.values_of(objects), "", self.parts.values_of(real))

    def paths(self, folder: Path, first: int, count: int, suffix: str = "") -> list[Path]:
        return one_file(folder, count, suffix, self.suffixes, self.noun)

    def write(self, objects: Any, folder: Path, first: int, suffix: str = "") -> list[Path]:
        """The rows of series after series added to samples.csv, which is begun anew at `first` = 0, in the data's form."""
        paths = self.paths(folder, first, len(objects), suffix)
        if not paths:
            return []
        import pandas as pd

        paths[0].parent.mkdir(parents=True, exist_ok=True)
        rows = pd.concat(self.with_identifiers(objects, first), ignore_index=True)
        write_rows(rows, self.parts.by_name, self.style, paths[0], first == 0)
        mark(paths[0])
        return paths

    def describe(self) -> str:
        upto = "up to " if self.layout.ends else ""
        count = len(self.parts.columns)
        return f"{upto}{self.parts.length} steps of {count:,} column{'s' if count > 1 else ''}"

    def state(self) -> dict[str, Any]:
        return {"asked": dict(vars(self.asked)), "style": dict(vars(self.style)), **self.parts.state()}

    def tensors(self) -> dict[str, Tensor]:
        """What columns have learned, how numbers are scaled, and the courses of a few real series' numbers for plots."""
        return self.parts.tensors()

    @classmethod
    def from_state(cls, state: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Self:
        rest = {name: value for name, value in state.items() if name not in ("asked", "style")}
        if len(rest) != len(state) - 2 or not isinstance(state["asked"], dict):
            raise ValueError("not the state of a codec of series")
        asked = state["asked"]
        if set(asked) != {"time", "series", "window", "stride"}:
            raise ValueError("not the state of a codec of series")
        for name, kind in (("time", str), ("series", str), ("window", int), ("stride", int)):
            if asked[name] is not None and type(asked[name]) is not kind:
                raise ValueError("not the state of a codec of series")
        return cls(Parts.from_state(rest, tensors), Arrangement(**asked), Style.of_state(state["style"]))


@dataclass(frozen=True)
class Series(Modality):
    """Rows as time series: long form, or one long series cut into windows."""

    codec: ClassVar[type[Codec]] = SeriesCodec

    time_column: str | None = None
    """The column that says when; None: rows follow each other as they stand."""
    series_column: str | None = None
    """The column that says which series a row is of; None: all are of one."""
    window: int | None = None
    """Steps of the windows that series are cut into; None: they are taken whole."""
    stride: int | None = None
    """Steps from one window's beginning to the next one's; None: 1, or more where there would be over 20,000 windows."""
    columns: tuple[str, ...] = ()
    """Kinds of columns where finding out would go wrong: "wind=category"."""
    drop: tuple[str, ...] = ()
    """Columns to leave out."""

    def __post_init__(self) -> None:
        # Without anything said it is the usual modality of a codec, which knows by itself.
        if any(getattr(self, name) is not None for name in ("time_column", "series_column", "window", "stride")):
            self._asked()

    def _asked(self) -> Arrangement:
        return Arrangement(self.time_column, self.series_column, self.window, self.stride)

    def fits(self, source: Source) -> bool:
        """Never: which rows are a series has to be said."""
        return False

    def arranged(self, source: Source) -> Source:
        return arranged(source, self._asked())

    def fit(self, source: Source, progress: Progress) -> SeriesCodec:
        """The codec for the source's series: one look at all rows for the columns, one at the series for the scales.

        Raises:
            DataError: nothing that differs from step to step.
            UsageError: a column that is wanted as something does not exist, or is nothing of the kind.
        """
        series = arranged(source, self._asked())
        wanted = wanted_kinds(self.columns)
        for name in (*self.drop, *wanted):
            if name in (self.time_column, self.series_column):
                raise UsageError("E-SERIES-01", f"column {name!r} says when or which: nothing else can be said of it")
        facts = look_at_rows(series.rows, wanted, self.drop, progress)
        parts, notes = learn_parts(series, facts, wanted, self.drop)
        if not parts.columns:
            raise too_few(series, SeriesCodec.noun, 0, [])
        codec = SeriesCodec(parts, series.asked, Style(source.dialect.delimiter, source.dialect.header))
        codec.notes = notes
        return codec
