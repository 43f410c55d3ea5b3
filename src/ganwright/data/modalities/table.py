"""Tables: rows whose columns are numbers, dates, words, yes or no, with gaps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from PIL import Image as PillowImage
from torch import Tensor

from ganwright.data.blocks import BlockLayout
from ganwright.data.modalities.base import CLIPPED, Codec, Modality, Packed, Progress
from ganwright.data.ownership import mark
from ganwright.data.record import Record, Skipped
from ganwright.data.report import too_few
from ganwright.data.sample_files import one_file
from ganwright.data.sources.base import Source
from ganwright.data.spec import Block, Condition, DataSpec
from ganwright.data.table_rows import TableRows
from ganwright.data.tables.cells import Cells
from ganwright.data.tables.claims import stated_claims
from ganwright.data.tables.columns import UNKNOWN, Column, MeasuredColumn, WordColumn
from ganwright.data.tables.constraint_learning import ConstraintLearner, constraint_notes
from ganwright.data.tables.constraints import Constraint, Order, Rows, pack_constraints, unpack_constraints
from ganwright.data.tables.forms import check_forms
from ganwright.data.tables.frames import NO_FORMS, as_frame
from ganwright.data.tables.identifiers import LeftOut, learn_identifiers, pack_left_out, put_back, unpack_left_out
from ganwright.data.tables.kinds import decide
from ganwright.data.tables.learning import learn_column
from ganwright.data.tables.looking import look_at_rows, wanted_kinds
from ganwright.data.tables.packed import pack_columns, unpack_columns
from ganwright.data.tables.panels import table_panels
from ganwright.data.tables.writing import Style, write_rows
from ganwright.data.tables.writing import natural_of as natural_of

MOST_NOTES = 12
"""On constraints; the others are counted."""


class TableCodec(Codec):
    """Rows of columns, stored as one mode each, and a value in -1..1 for those that have some: float32 (n, C + V)."""

    modality: ClassVar[str] = "table"
    default_recipe: str = "columns"
    noun: ClassVar[str] = "rows"
    suffixes: ClassVar[tuple[str, ...]] = (".csv",)
    repeats: ClassVar[bool] = True
    cells: ClassVar[bool] = True
    shown: ClassVar[int] = 1024
    metrics: ClassVar[tuple[str, ...]] = (
        "shapes",
        "trends",
        "detection",
        "utility",
        "rare",
        "frechet",
        "memorisation",
        "exact_copies",
        "membership",
    )
    default_features: ClassVar[str] = "encoded"
    scoring_features: ClassVar[str] = "encoded"

    def __init__(
        self,
        columns: Sequence[Column],
        not_seen: Sequence[LeftOut] = (),
        style: Style | None = None,
        constraints: Sequence[Constraint] = (),
        forms: Mapping[str, str] = NO_FORMS,
    ) -> None:
        self.columns = tuple(columns)
        """All that samples have, in the data's order."""
        self.not_seen = tuple(sorted(not_seen, key=lambda each: each.place))
        """Columns that samples do not have."""
        self.left_out = {each.name: each.reason for each in self.not_seen}
        """Why they do not."""
        self.style = style or Style()
        self.forms = dict(forms)
        """The pandas types of columns of samples, where a program held them as others than usual."""
        self.constraints = tuple(constraints)
        """What every sample obeys, in the order of computing."""
        self._computed = {each.computed.name: each for each in self.constraints}
        self._orders = {each.gap.name: each for each in self.constraints if isinstance(each, Order)}
        self.varied = tuple(column for column in self.columns if _varies(column))
        """Those that are not the same in every row."""
        seen = [self._in_place_of(column) for column in self.varied]
        self.drawn = tuple(column for column in seen if column is not None and _varies(column))
        """What the networks see: those of them that are not computed, and the gaps of those that are above others."""
        blocks = tuple(
            Block(column.name, column.modes, column.valued, column.valued and isinstance(column, MeasuredColumn))
            for column in self.drawn
        )
        self.layout = BlockLayout(blocks)
        self._spec = DataSpec("table", (self.layout.width,), "blocks", blocks=blocks)

    @property
    def spec(self) -> DataSpec:
        return self._spec

    @property
    def conditions(self) -> tuple[Condition, ...]:
        return ()

    def pack(self, records: Sequence[Record]) -> Packed:
        """{"x": float32 (n, C + V)}: the mode of each column, then the values of those that have some.

        Rows that break a constraint are skipped: there is no telling them by what the networks see.
        """
        cells = Cells.of(records, [column.name for column in self.columns])
        if lacking := [column.name for column in self.varied if column.name not in cells.names]:
            skipped = [Skipped(cells.name_of(row), f"no column {lacking[0]!r}") for row in range(len(cells))]
            return Packed({"x": np.empty((0, self.layout.columns + self._values()), np.float32)}, [], skipped)
        rows = Rows(cells)
        modes, values, notes = [], [], Counter[str]()
        reasons = np.full(len(cells), "", object)
        for constraint in self.constraints:
            reasons[~constraint.kept(rows)] = f"not {constraint}"
        for column in self.drawn:
            order = self._orders.get(column.name)
            encoded = order.encode(rows) if order else rows.encode(column)
            name = order.high.name if order else column.name
            reasons[(encoded.modes == UNKNOWN) & (reasons == "")] = f"{name}: nothing, or a word that was not seen before"
            notes[CLIPPED] += encoded.clipped
            modes.append(encoded.modes.astype(np.float32))
            if column.valued:
                values.append(encoded.values)
        usable = reasons == ""
        x = np.stack([*modes, *values], 1)[usable]
        names = [cells.name_of(row) for row in np.flatnonzero(usable).tolist()]
        skipped = [Skipped(cells.name_of(row), reasons[row]) for row in np.flatnonzero(~usable).tolist()]
        return Packed({"x": np.ascontiguousarray(x)}, names, skipped, dict(+notes))

    def expand(self, columns: Mapping[str, Tensor]) -> Tensor:
        """(B, W): values in -1..1, modes as one-hot."""
        return self.layout.expand(columns["x"].float())

    def decode(self, x: Tensor) -> Any:
        """A DataFrame of the likeliest modes; numbers within what was seen, rounded as the data's were, as far as the
        constraints allow."""
        return as_frame({column.name: column for column in self.columns}, self._natural(x), self.forms)

    def as_recorded(self, x: Tensor) -> Tensor:
        found = self._natural(x.cpu())
        cells = Cells(tuple(found), tuple(found.values()), 0)
        packed = self.pack(cells)
        return self.layout.expand(_tensor(packed.columns["x"])).to(x.device)

    def rows(self, x: Tensor) -> TableRows:
        """The columns that are not the same in every row."""
        natural = self._natural(x)
        return TableRows.of({each.name: natural[each.name] for each in self.varied}, {e.name: e.kind for e in self.varied})

    def join(self, parts: Sequence[Any]) -> Any:
        """One DataFrame of all rows."""
        import pandas as pd

        if not parts:
            return self.decode(_tensor(np.empty((0, self.layout.width), np.float32)))
        return pd.concat(list(parts), ignore_index=True)

    def preview(self, objects: Any, columns: int, title: str = "") -> PillowImage.Image:
        """How each column is spread, beside the data; of many columns the first twelve."""
        if len(objects) == 0:
            raise ValueError("no rows to draw")
        return table_panels(self.varied, {column.name: natural_of(objects[column.name]) for column in self.varied}, title)

    def paths(self, folder: Path, first: int, count: int, suffix: str = "") -> list[Path]:
        return one_file(folder, count, suffix, self.suffixes, self.noun)

    def write(self, objects: Any, folder: Path, first: int, suffix: str = "") -> list[Path]:
        """Rows added to samples.csv, which is begun anew at `first` = 0, written as the data's were.

        Words that a spreadsheet program would run as a formula get an apostrophe in front.
        """
        paths = self.paths(folder, first, len(objects), suffix)
        if not paths:
            return []
        paths[0].parent.mkdir(parents=True, exist_ok=True)
        write_rows(objects, {column.name: column for column in self.columns}, self.style, paths[0], first == 0)
        mark(paths[0])
        return paths

    def identifiers(self, first: int, count: int, seed: int) -> dict[str, list[Any]]:
        """New cells for rows first..first+count-1 of the columns that only name rows, by column; None for free text.

        They are different in all rows of one seed, and none is a name that the data had.
        """
        return {each.name: each.ids.made(first, count, seed) for each in self.not_seen if each.ids}

    def with_identifiers(self, objects: Any, first: int, seed: int = 0) -> Any:
        """Rows first.. as a DataFrame, with the columns of `identifiers` where the data had them."""
        made = self.identifiers(first, len(objects), seed)
        return put_back(objects, [column.name for column in self.columns], self.not_seen, made)

    def describe(self) -> str:
        count = len(self.columns)
        return f"{count:,} column{'s' if count > 1 else ''}"

    def state(self) -> dict[str, Any]:
        return {
            "columns": pack_columns(self._all_columns())[0],
            "gaps": len(self._orders),
            "left_out": pack_left_out(self.not_seen)[0],
            "style": dict(vars(self.style)),
            "constraints": pack_constraints(self.constraints, self.columns)[0],
            **({"forms": self.forms} if self.forms else {}),
        }

    def tensors(self) -> dict[str, Tensor]:
        """What the columns have learned: numbers, float64 (n,); words, uint8 (m,). What columns decide of others: tables,
        float64 (k,). Which ids may be real ones: seen, uint8 (b,)."""
        import torch

        seen, tables = pack_left_out(self.not_seen)[1], pack_constraints(self.constraints, self.columns)[1]
        more = {"tables": torch.from_numpy(tables), "seen": torch.from_numpy(seen)}
        return pack_columns(self._all_columns())[1] | more

    @classmethod
    def from_state(cls, state: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Self:
        import torch

        known = {"columns", "gaps", "left_out", "style", "constraints"}
        if set(state) - {"forms"} != known or not {"tables", "seen"} <= set(tensors):
            raise ValueError("not the state of a codec of tables")
        if tensors["tables"].dtype != torch.float64 or tensors["seen"].dtype != torch.uint8:
            raise ValueError("not the tensors of a table's codec")
        own = {name: tensor for name, tensor in tensors.items() if name not in ("tables", "seen")}
        columns = unpack_columns(state["columns"], own)
        if type(state["gaps"]) is not int or not 0 <= state["gaps"] < len(columns):
            raise ValueError("more gaps than columns")
        count = len(columns) - state["gaps"]
        not_seen = unpack_left_out(state["left_out"], tensors["seen"].cpu().numpy())
        names = [column.name for column in columns] + [each.name for each in not_seen]
        if len(set(names)) != len(names):
            raise ValueError("two columns have one name")
        constraints = unpack_constraints(
            state["constraints"], columns[:count], columns[count:], tensors["tables"].cpu().numpy()
        )
        forms = check_forms(state.get("forms", {}))
        return cls(columns[:count], not_seen, Style.of_state(state["style"]), constraints, forms)

    def _all_columns(self) -> list[Column]:
        """The data's, then the gaps of orders."""
        return [*self.columns, *(each.gap for each in self.constraints if each.gap is not None)]

    def _in_place_of(self, column: Column) -> Column | None:
        constraint = self._computed.get(column.name)
        return constraint.gap if constraint else column

    def _values(self) -> int:
        return sum(column.valued for column in self.drawn)

    def _natural(self, x: Tensor) -> dict[str, np.ndarray]:
        packed = self.layout.pack(x.detach().float().nan_to_num(0)).cpu().numpy()
        modes, values = packed[:, : self.layout.columns].astype(np.int64), packed[:, self.layout.columns :]
        read: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        value = 0
        for place, column in enumerate(self.drawn):
            mine = values[:, value] if column.valued else np.zeros(len(packed), np.float32)
            read[column.name] = modes[:, place], mine
            value += column.valued
        only = np.zeros(len(packed), np.int64), np.zeros(len(packed), np.float32)
        found = {
            column.name: column.decode(*read.get(column.name, only))
            for column in self.columns
            if column.name not in self._computed
        }
        for constraint in self.constraints:
            gap = constraint.gap
            gaps = gap.decode_numbers(*read.get(gap.name, only)) if gap else np.empty(0)
            found[constraint.computed.name] = constraint.compute(found, gaps)
        return {column.name: found[column.name] for column in self.columns}


@dataclass(frozen=True)
class Table(Modality):
    """Rows of columns; what each column means is found out."""

    codec: ClassVar[type[Codec]] = TableCodec

    columns: tuple[str, ...] = ()
    """Kinds of columns where finding out would go wrong: "zip=category", "age=integer"."""
    drop: tuple[str, ...] = ()
    """Columns to leave out."""
    constraints: tuple[str, ...] = ()
    """What holds in every row: "pickup <= dropoff", "total = fare + tip", "zone -> borough" (a zone decides the borough)."""
    learn_constraints: bool = True
    """Whether such things are also found out; samples then obey them."""

    def fits(self, source: Source) -> bool:
        """Whether rows come as cells."""
        return isinstance(source.read(0, 1), Cells)

    def fit(self, source: Source, progress: Progress) -> TableCodec:
        """The codec for the source's rows: one look at all of them for the columns, one or more for the constraints.

        Raises:
            DataError: no column that tells rows apart.
            UsageError: a column that is wanted as something does not exist, or is nothing of the kind; a constraint is none,
                or most rows break it.
        """
        wanted = wanted_kinds(self.columns)
        facts = look_at_rows(source, wanted, self.drop, progress)
        columns: list[Column] = []
        left_out: list[LeftOut] = []
        for place, (name, each) in enumerate(facts.items()):
            if name in self.drop:
                left_out.append(LeftOut(name, "as you said", place))
                continue
            decision = decide(each, wanted.get(name))
            source.notes += decision.notes
            column = learn_column(each, decision)
            if column is None:
                left_out.append(LeftOut(name, decision.reason, place, learn_identifiers(each, decision.kind)))
            else:
                columns.append(column)
        if not any(map(_varies, columns)):
            raise too_few(source, TableCodec.noun, 0, [Skipped(each.name, each.reason) for each in left_out])
        forms = {column.name: source.forms[column.name] for column in columns if column.name in source.forms}
        codec = TableCodec(columns, left_out, Style(source.dialect.delimiter, source.dialect.header), forms=forms)
        stated = stated_claims(self.constraints, {column.name: column for column in columns}, codec.left_out)
        if stated or self.learn_constraints:
            constraints = ConstraintLearner(source, columns, progress).learn(stated, self.learn_constraints)
            codec = TableCodec(columns, left_out, codec.style, constraints, forms)
        source.notes += codec_notes(codec)
        return codec


def codec_notes(codec: TableCodec) -> list[str]:
    """What was found out of the columns, for people: kinds, what samples obey, then what is left out."""
    by_kind: dict[str, list[str]] = {}
    for column in codec.columns:
        words = f" ({len(column.levels) + len(column.rare):,})" if isinstance(column, WordColumn) else ""
        by_kind.setdefault(column.kind, []).append(column.name + words)
    notes = [f"{kind}: {_some(names)}" for kind, names in by_kind.items()]
    obeyed = constraint_notes(codec.constraints)
    notes += obeyed[:MOST_NOTES]
    if len(obeyed) > MOST_NOTES:
        notes.append(f"and {len(obeyed) - MOST_NOTES:,} more relations that hold in every row: kept so")
    if codec.left_out:
        notes.append("left out: " + "; ".join(f"{name} ({why})" for name, why in codec.left_out.items()))
    return notes


def _varies(column: Column) -> bool:
    return column.modes > 1 or column.valued


def _some(names: Sequence[str], most: int = 8) -> str:
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _tensor(array: np.ndarray) -> Tensor:
    import torch

    return torch.from_numpy(np.ascontiguousarray(array, np.float32))
