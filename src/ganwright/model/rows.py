"""Rows of a table of which some cells are asked for or given: what the generator is told of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganwright.core.errors import UsageError
from ganwright.core.suggest import unknown_name_hints
from ganwright.data.blocks import Part
from ganwright.data.modalities.base import Codec
from ganwright.data.modalities.table import TableCodec, natural_of
from ganwright.data.tables.asking import Options, Wish, matches, nearest, options
from ganwright.data.tables.cells import Cells
from ganwright.data.tables.columns import Column, MeasuredColumn
from ganwright.data.tables.completing import reconciled
from ganwright.data.tables.constraints import Dependence, Rows
from ganwright.data.tables.frames import as_frame
from ganwright.data.tables.text_cells import ColumnCells, as_text, is_array
from ganwright.networks.base import Generator
from ganwright.networks.columns import ColumnGenerator
from ganwright.runtime.keys import Key

MATCHING = 3.0
"""Candidates for a row, of which so many have the words that are asked for if left alone, on average,"""
CANDIDATES = (2, 32)
"""but so many at least and at most."""
ROUNDS = 64
"""Of drawing numbers until enough are as asked for."""
TRIES = 16
"""Values that the generator may propose for a range before one is drawn evenly from it."""


@dataclass
class AskedRows:
    """Rows whose cells in some columns are to be as asked for: like those that the generator draws by itself and that
    happen to be so.

    Numbers, which it draws first and all together, are drawn until enough are as asked for. Words come in their turn, given
    the numbers and the words before them; each row gets several candidates for all that comes before, of which one is
    chosen as often as the words that were asked for go with it (sampling importance resampling, Rubin 1987). Rows for which
    no fitting numbers were found in reasonable time are told the numbers instead, and the rest is drawn given them. What
    the networks do not see by itself (a column that is computed from others) is left to the caller to check with
    `fulfilled`.
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
        self._shares: dict[int, float] = {}
        for name, wish in self._decided(columns).items():
            found = options(columns[name], wish)
            if name in places:
                self._options[places[name]] = found
                self._shares[places[name]] = float(found.weights.sum() / columns[name].mode_counts.sum())

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

    @torch.inference_mode()
    def told(self, key: Key, count: int, device: str) -> Tensor:
        """What the generator is told of `count` rows, (count, W + 2C): the cells that were asked for."""
        layout = self.generator.layout
        numbers = [place for place in self._options if layout.blocks[place].number]
        words = [place for place in self._options if not layout.blocks[place].number]
        share = float(np.prod([self._shares[place] for place in words]))
        each = int(np.clip(np.ceil(MATCHING / share), *CANDIDATES)) if words else 1
        row, known = torch.zeros(each * count, layout.width), torch.zeros(each * count, layout.columns)
        if numbers:
            row = self._with_numbers(numbers, len(row), key, device)
            known[:, layout.passes[0]] = 1
        if words:
            row, known = self._with_words(words, row, known, count, key, device)
        return layout.told(row, known, 1 - known).to(device)

    def _with_numbers(self, places: Sequence[int], count: int, key: Key, device: str) -> Tensor:
        """(count, W): rows with all numbers drawn, those in `places` as asked for."""
        random, layout = key.generator("numbers"), self.generator.layout
        found: list[Tensor] = []
        missing = count
        for _ in range(ROUNDS):
            rows = self._first_pass(torch.zeros(count, layout.width), torch.zeros(count, layout.columns), random, device)
            right = self._as_asked(rows, places)
            found.append(rows[torch.from_numpy(right)][:missing])
            missing -= len(found[-1])
            if not missing:
                return torch.cat(found)
        row, known = torch.zeros(missing, layout.width), torch.zeros(missing, layout.columns)
        for place in places:
            row = self._asked_cell(place, row, known, key, device)
        return torch.cat([*found, self._first_pass(row, known, random, device)])

    def _first_pass(self, row: Tensor, known: Tensor, random: np.random.Generator, device: str) -> Tensor:
        """The rows with what their first pass draws."""
        return self.generator.drawn(*self._noise(len(row), 1, random, device), row.to(device), known.to(device), 1).cpu()

    def _noise(self, count: int, passes: int, random: np.random.Generator, device: str) -> tuple[Tensor, Tensor]:
        latent = random.standard_normal((count, passes, *self.generator.latent.shape), np.float32)
        choices = 2 * random.random((count, self.generator.layout.modes), np.float32) - 1
        return torch.from_numpy(latent).to(device), torch.from_numpy(choices).to(device)

    def _as_asked(self, rows: Tensor, places: Sequence[int]) -> np.ndarray:
        """bool (B,): which rows (B, W) are as asked for in these columns."""
        layout = self.generator.layout
        packed = layout.pack(rows).double().numpy()
        right = np.ones(len(rows), bool)
        for place in places:
            wanted, block = self._options[place], layout.blocks[place]
            modes = packed[:, place, None]
            here = modes == wanted.modes
            if block.valued:
                values = packed[:, layout.columns + sum(other.valued for other in layout.blocks[:place]), None]
                here &= (wanted.modes != 0) | ((values >= wanted.low) & (values <= wanted.high))
            right &= here.any(1)
        return right

    def _asked_cell(self, place: int, row: Tensor, known: Tensor, key: Key, device: str) -> Tensor:
        """The rows (B, W) with a cell as asked for, which is known from then on."""
        random, wanted = key.generator(f"asked {place}"), self._options[place]
        layout, count = self.generator.layout, len(row)
        if not bool(known.any()):
            chosen = random.choice(len(wanted.modes), count, p=wanted.weights / wanted.weights.sum())
            proposed = np.full((1, count), np.nan)
        else:
            logits, proposed = self._proposed(place, row.to(device), known.to(device), random)
            chosen = _among(logits, wanted, random)
        low, high = wanted.low[chosen], wanted.high[chosen]
        cells = low + (high - low) * random.random(count)
        for tried in proposed:
            cells = np.where((tried >= low) & (tried <= high), tried, cells)
        packed = np.zeros((count, layout.columns + int(layout.on(row.device).valued.sum())), np.float32)
        packed[:, place] = wanted.modes[chosen]
        if layout.blocks[place].valued:
            values = np.where(wanted.modes[chosen] == 0, cells, 0)
            packed[:, layout.columns + sum(block.valued for block in layout.blocks[:place])] = values
        mine = torch.zeros(count, layout.columns)
        mine[:, place] = known[:, place] = 1
        return row + layout.masked(layout.expand(torch.from_numpy(packed)), mine)

    def _with_words(
        self, words: Sequence[int], row: Tensor, known: Tensor, count: int, key: Key, device: str
    ) -> tuple[Tensor, Tensor]:
        """Of candidates one for each of `count` rows, drawn as far as the last word asked for, and what is known then."""
        random, generator = key.generator("candidates"), self.generator
        passes = 1 + max(number for number, part in enumerate(generator.parts) if part.columns[0] in words)
        weights = np.zeros(len(row))

        def choose(part: Part, logits: Tensor) -> Tensor | None:
            """A word that was asked for, in its turn; how likely it was then."""
            place = part.columns[0]
            if place not in words:
                return None
            (block,), wanted = part.layout.blocks, self._options[place]
            of_modes = logits[:, block.valued :].double().cpu().numpy() if block.modes > 1 else np.zeros((len(logits), 1))
            scores = _scores(of_modes, wanted)
            weights[:] += np.logaddexp.reduce(scores, 1) - np.logaddexp.reduce(of_modes, 1)
            chosen = (scores + random.gumbel(size=scores.shape)).argmax(1)
            low, high = wanted.low[chosen], wanted.high[chosen]
            values = np.where(wanted.modes[chosen] == 0, low + (high - low) * random.random(len(logits)), 0)
            packed = np.stack([wanted.modes[chosen], *([values] if block.valued else [])], 1).astype(np.float32)
            return part.layout.expand(torch.from_numpy(packed)).to(logits.device)

        noise = self._noise(len(row), passes, random, device)
        drawn = generator.drawn(*noise, row.to(device), known.to(device), passes, choose).cpu()
        best = (weights + random.gumbel(size=len(weights))).reshape(-1, count).argmax(0)
        known = known[:count].clone()
        known[:, [place for part in generator.parts[:passes] for place in part.columns]] = 1
        return drawn[torch.from_numpy(best * count + np.arange(count))], known

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

    def forced(self, frame: Any, left: np.ndarray, random: np.random.Generator) -> Any:
        """The DataFrame of drawn rows with the cells asked for put into those that are `left`, bool (n,), and what follows
        from them, or they from, brought in line.

        Raises:
            UsageError: what is asked for breaks what holds in every row.
        """
        columns = {column.name: column for column in self.codec.columns}
        drawn = {name: natural_of(frame[name]) for name in columns}
        asked: dict[str, np.ndarray] = {}
        for name, wish in self.wishes.items():
            wrong = left & ~matches(columns[name], wish, drawn[name])
            asked[name] = np.where(wrong, nearest(columns[name], wish, drawn[name], random), drawn[name])
        fixed = dict.fromkeys(self.wishes, left)
        natural = reconciled(self.codec.constraints, {**drawn, **asked}, fixed, drawn, random)
        rows = Rows(Cells(tuple(natural), tuple(natural.values()), 0))
        if broken := [each for each in self.codec.constraints if not each.kept(rows)[left].all()]:
            what = f"no row can be as asked for: {broken[0]} in every row"
            raise UsageError("E-SAMPLE-13", what, hints=("leave out what contradicts it",))
        return with_cells(self.codec, frame, natural, drawn)

    def fulfilled(self, frame: Any) -> np.ndarray:
        """bool (n,): which rows of a DataFrame are as asked for."""
        columns = {column.name: column for column in self.codec.columns}
        right = [matches(columns[name], wish, natural_of(frame[name])) for name, wish in self.wishes.items()]
        return np.logical_and.reduce([np.ones(len(frame), bool), *right])


@dataclass
class GivenRows:
    """Rows of which some cells are given, and the others are to be drawn; an empty cell counts as not given, and so does
    one that is no number or date in a column of such."""

    codec: TableCodec
    generator: ColumnGenerator
    cells: Cells
    seed: int = 0
    """Of what is worked out backwards, where several cells would do."""

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
                sure = (encoded.modes >= 0) & _given(column, given[column.name])
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
        columns = {column.name: column for column in self.codec.columns}
        drawn = {name: natural_of(frame[name]) for name in columns}
        filled = {name: _given(columns[name], cells) for name, cells in given.items() if name in columns}
        told = {name: np.where(filled[name], columns[name].read(given[name]), drawn[name]) for name in filled}
        random = np.random.default_rng([self.seed, start])
        natural = reconciled(self.codec.constraints, {**drawn, **told}, filled, drawn, random)
        return with_cells(self.codec, frame, natural, drawn)


def with_cells(codec: TableCodec, frame: Any, natural: Mapping[str, np.ndarray], drawn: Mapping[str, np.ndarray]) -> Any:
    """The DataFrame of the natural cells `drawn` with those of `natural` in the columns that are others there."""
    columns = {column.name: column for column in codec.columns}
    for name, cells in natural.items():
        if cells is not drawn[name]:
            frame[name] = as_frame({name: columns[name]}, {name: cells}, codec.forms)[name]
    return frame


def asked_rows(codec: Codec, generator: Generator, wishes: Mapping[str, Wish]) -> AskedRows:
    """Rows as asked for.

    Raises:
        UsageError: the model draws no rows, its networks cannot be told of cells, or it has no such column or cell.
    """
    return AskedRows(*_able(codec, generator), wishes)


def given_rows(codec: Codec, generator: Generator, cells: Cells, seed: int = 0) -> GivenRows:
    """Rows to be completed.

    Raises:
        UsageError: as `asked_rows`.
    """
    return GivenRows(*_able(codec, generator), cells, seed)


def _able(codec: Codec, generator: Generator) -> tuple[TableCodec, ColumnGenerator]:
    if not isinstance(codec, TableCodec):
        raise UsageError("E-SAMPLE-12", f"this model makes {codec.noun}, which have no columns to ask for")
    if not isinstance(generator, ColumnGenerator):
        what = "this model's networks draw whole rows and cannot be told of cells"
        raise UsageError("E-SAMPLE-12", what, hints=("train with --recipe columns",))
    return codec, generator


def _among(logits: np.ndarray, wanted: Options, random: np.random.Generator) -> np.ndarray:
    """One of the wanted parts for each row of logits (B, M), as likely as the generator finds their modes."""
    scores = _scores(logits, wanted)
    return (scores + random.gumbel(size=scores.shape)).argmax(1)


def _scores(logits: np.ndarray, wanted: Options) -> np.ndarray:
    """Logits of the wanted parts (B, P): those of one mode share it as the data's rows do."""
    of_mode = np.bincount(wanted.modes, wanted.weights, logits.shape[1])[wanted.modes]
    return logits[:, wanted.modes] + np.log(wanted.weights / of_mode)


def _given(column: Column, cells: ColumnCells) -> np.ndarray:
    """bool (n,): cells with something in them that the column can hold."""
    filled = _filled(cells)
    return filled & ~np.isnan(column.numbers_of(cells)) if isinstance(column, MeasuredColumn) else filled


def _filled(cells: ColumnCells) -> np.ndarray:
    """bool (n,): cells with something in them."""
    if not is_array(cells) or cells.dtype == object:
        return np.array([cell != "" for cell in as_text(cells).tolist()], bool)
    return ~np.isnat(cells) if cells.dtype.kind == "M" else np.isfinite(cells.astype(np.float64))
