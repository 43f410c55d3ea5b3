"""Rows of a table of which some cells are asked for or given: what the generator is told of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganwright.core.errors import UsageError
from ganwright.core.suggest import unknown_name_hints
from ganwright.data.modalities.base import Codec
from ganwright.data.modalities.table import TableCodec, natural_of
from ganwright.data.tables.asking import Options, Wish, matches, options
from ganwright.data.tables.cells import Cells
from ganwright.data.tables.column import Column
from ganwright.data.tables.constraints import Dependence
from ganwright.data.tables.frames import as_frame
from ganwright.data.tables.text_cells import ColumnCells, as_text, is_array
from ganwright.networks.base import Generator
from ganwright.networks.columns import ColumnGenerator
from ganwright.runtime.keys import Key

TRIES = 16
"""Values that the generator may propose for a range before one is drawn evenly from it."""


@dataclass
class AskedRows:
    """Rows whose cells in some columns are to be as asked for.

    The first column that is asked for is drawn as often as the data had each of its cells; each further one by the
    generator, given those before it, among the cells that were asked for. What the networks do not see by itself (a column
    that is computed from others) is left to the caller to check with `fulfilled`.
    """

    codec: TableCodec
    generator: ColumnGenerator
    wishes: Mapping[str, Wish]

    def __post_init__(self) -> None:
        columns = {column.name: column for column in self.codec.columns}
        for name in self.wishes:
            if name not in columns:
                why = self.codec.left_out.get(name, "")
                hints = unknown_name_hints(name, columns)
                raise UsageError("E-SAMPLE-04", f"this model has no column {name!r}", why=why, hints=hints)
        places = {column.name: place for place, column in enumerate(self.codec.drawn) if columns.get(column.name) is column}
        self._options: dict[int, Options] = {}
        for name, wish in self._decided(columns).items():
            found = options(columns[name], wish)
            if name in places:
                self._options[places[name]] = found

    def _decided(self, columns: Mapping[str, Column]) -> dict[str, Wish]:
        """The wishes, those about columns that others decide turned into wishes about the deciding ones."""
        deciding = {each.target.name: each for each in self.codec.constraints if isinstance(each, Dependence)}
        wishes = dict(self.wishes)
        while turned := [name for name in wishes if name in deciding and deciding[name].source.name not in wishes]:
            for name in turned:
                wish, source = wishes.pop(name), deciding[name].source
                options(columns[name], wish)  # is there such a cell at all?
                cells, decided = deciding[name].cells
                wishes[source.name] = Wish(tuple(source.written(cells[matches(columns[name], wish, decided)])))
        return wishes

    def told(self, key: Key, count: int, device: str) -> Tensor:
        """What the generator is told of `count` rows, (count, W + 2C): the cells that were asked for."""
        layout = self.generator.layout
        known = torch.zeros(count, layout.columns)
        packed = np.zeros((count, layout.columns + int(layout.on(known.device).valued.sum())), np.float32)
        values = np.cumsum([block.valued for block in layout.blocks]) - 1 + layout.columns
        for number, (place, wanted) in enumerate(self._options.items()):
            random = key.generator(f"asked {number}")
            row = layout.masked(layout.expand(torch.from_numpy(packed)), known)
            if number == 0:
                chosen = random.choice(len(wanted.modes), count, p=wanted.weights / wanted.weights.sum())
                proposed = np.full((1, count), np.nan)
            else:
                logits, proposed = self._proposed(place, row.to(device), known.to(device), random)
                chosen = _among(logits, wanted, random)
            low, high = wanted.low[chosen], wanted.high[chosen]
            cells = low + (high - low) * random.random(count)
            for tried in proposed:
                cells = np.where((tried >= low) & (tried <= high), tried, cells)
            packed[:, place] = wanted.modes[chosen]
            if layout.blocks[place].valued:
                packed[:, values[place]] = np.where(wanted.modes[chosen] == 0, cells, 0)
            known[:, place] = 1
        told = layout.told(layout.expand(torch.from_numpy(packed)), known, 1 - known)
        return told.to(device)

    @torch.inference_mode()
    def _proposed(
        self, place: int, row: Tensor, known: Tensor, random: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Logits of a column's modes (B, M), and values that the generator would draw (TRIES, B)."""
        layout, block = self.generator.layout, self.generator.layout.blocks[place]
        start = sum(each.width for each in layout.blocks[:place])
        found: list[Tensor] = []
        for _ in range(TRIES if block.valued else 1):
            latent = torch.from_numpy(random.standard_normal((len(row), *self.generator.latent.shape), np.float32))
            raw = self.generator.raw(latent.to(row.device), row, known).float().cpu()
            found.append(raw[:, start : start + block.width])
        logits = found[0][:, block.valued :] if block.modes > 1 else torch.zeros(len(row), 1)
        values = [each[:, 0].tanh().double().numpy() for each in found] if block.valued else []
        return logits.double().numpy(), np.array(values).reshape(-1, len(row))

    def fulfilled(self, frame: Any) -> np.ndarray:
        """bool (n,): which rows of a DataFrame are as asked for."""
        columns = {column.name: column for column in self.codec.columns}
        right = [matches(columns[name], wish, frame[name].to_numpy()) for name, wish in self.wishes.items()]
        return np.logical_and.reduce([np.ones(len(frame), bool), *right])


@dataclass
class GivenRows:
    """Rows of which some cells are given, and the others are to be drawn; an empty cell counts as not given."""

    codec: TableCodec
    generator: ColumnGenerator
    cells: Cells

    def __post_init__(self) -> None:
        known = {column.name for column in self.codec.columns} | set(self.codec.left_out)
        if not known & set(self.cells.names):
            hints = unknown_name_hints(self.cells.names[0], known)
            raise UsageError("E-SAMPLE-04", "the table has no column that the model knows", hints=hints)

    def told(self, start: int, stop: int, device: str) -> Tensor:
        """What the generator is told of rows start..stop-1, (stop - start, W + 2C)."""
        layout, rows = self.generator.layout, self.cells[start:stop]
        given = dict(zip(rows.names, rows.columns, strict=True))
        modes, values = np.zeros((len(rows), layout.columns), np.float32), []
        known = np.zeros((len(rows), layout.columns), np.float32)
        natural = {id(column) for column in self.codec.columns}
        for place, column in enumerate(self.codec.drawn):
            value = np.zeros(len(rows), np.float32)
            if column.name in given and id(column) in natural:
                encoded = column.encode(given[column.name])
                sure = (encoded.modes >= 0) & _filled(given[column.name])
                modes[:, place], value = np.where(sure, encoded.modes, 0), np.where(sure, encoded.values, 0)
                known[:, place] = sure
            if column.valued:
                values.append(value.astype(np.float32))
        packed = torch.from_numpy(np.concatenate([modes, *(value[:, None] for value in values)], 1))
        mask = torch.from_numpy(known)
        return layout.told(layout.expand(packed), mask, 1 - mask).to(device)

    def restored(self, frame: Any, start: int) -> Any:
        """Drawn rows (a DataFrame of rows from `start` on) with the cells that were given as they were given."""
        rows = self.cells[start : start + len(frame)]
        given = dict(zip(rows.names, rows.columns, strict=True))
        for column in self.codec.columns:
            if column.name in given:
                drawn = natural_of(frame[column.name])
                natural = np.where(_filled(given[column.name]), column.read(given[column.name]), drawn)
                frame[column.name] = as_frame({column.name: column}, {column.name: natural})[column.name]
        return frame


def asked_rows(codec: Codec, generator: Generator, wishes: Mapping[str, Wish]) -> AskedRows:
    """Rows as asked for.

    Raises:
        UsageError: the model draws no rows, its networks cannot be told of cells, or it has no such column or cell.
    """
    return AskedRows(*_able(codec, generator), wishes)


def given_rows(codec: Codec, generator: Generator, cells: Cells) -> GivenRows:
    """Rows to be completed.

    Raises:
        UsageError: as `asked_rows`.
    """
    return GivenRows(*_able(codec, generator), cells)


def _able(codec: Codec, generator: Generator) -> tuple[TableCodec, ColumnGenerator]:
    if not isinstance(codec, TableCodec):
        raise UsageError("E-SAMPLE-12", f"this model makes {codec.noun}, which have no columns to ask for")
    if not isinstance(generator, ColumnGenerator):
        what = "this model's networks draw whole rows and cannot be told of cells"
        raise UsageError("E-SAMPLE-12", what, hints=("train with --recipe columns",))
    return codec, generator


def _among(logits: np.ndarray, wanted: Options, random: np.random.Generator) -> np.ndarray:
    """One of the wanted parts for each row of logits (B, M), as likely as the generator finds their modes."""
    # Parts of one mode share it as the data's rows do.
    of_mode = np.bincount(wanted.modes, wanted.weights, logits.shape[1])[wanted.modes]
    scores = logits[:, wanted.modes] + np.log(wanted.weights / of_mode)
    return (scores + random.gumbel(size=scores.shape)).argmax(1)


def _filled(cells: ColumnCells) -> np.ndarray:
    """bool (n,): cells with something in them."""
    if not is_array(cells) or cells.dtype == object:
        return np.array([cell != "" for cell in as_text(cells).tolist()], bool)
    return ~np.isnat(cells) if cells.dtype.kind == "M" else np.isfinite(cells.astype(np.float64))
