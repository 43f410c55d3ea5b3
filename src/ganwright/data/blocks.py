"""Rows of a table as networks see them: values and modes of columns side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import torch
from torch import Tensor

from ganwright.data.spec import Block

KNOWN = "known"
"""The condition that tells a pair some columns of a row, and which others are drawn: see `BlockLayout.told`."""


@dataclass(frozen=True)
class Places:
    """Where columns lie in a row of W numbers, as tensors on one device."""

    column_of: Tensor
    """int64 (W,): the column of each number."""
    is_mode: Tensor
    """bool (W,): a mode's number, not a value."""
    starts: Tensor
    """int64 (C,): where a column's modes begin."""
    written: Tensor
    """bool (C,): whether its modes are written down."""
    valued: Tensor
    """bool (C,): whether it has a value."""
    values: Tensor
    """int64 (V,): where the values lie."""
    beside: Tensor
    """int64 (V,): where the first mode of each of these columns lies, if its modes are written down."""


@dataclass(frozen=True)
class Part:
    """Some columns of a row, and how they lie side by side when nothing else does."""

    columns: list[int]
    layout: BlockLayout
    numbers: tuple[int, ...]
    """Where their numbers lie in the whole row."""

    def places(self, device: torch.device) -> Tensor:
        """`numbers` as int64 on a device."""
        return torch.tensor(self.numbers, device=device)


class BlockLayout:
    """Which of a row's W numbers belong to which of C columns, V of which have values."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        self.blocks = tuple(blocks)
        self.columns = len(self.blocks)
        self.width = sum(block.width for block in self.blocks)
        self.modes = sum(block.modes for block in self.blocks if block.modes > 1)
        # Made when they are needed: a network is built on the meta device, where tensors hold nothing.
        self._places: dict[torch.device, Places] = {}

    def on(self, device: torch.device) -> Places:
        """The places as tensors there."""
        if device not in self._places:
            self._places[device] = self._placed(device)
        return self._places[device]

    def _placed(self, device: torch.device) -> Places:
        column_of: list[int] = []
        is_mode: list[bool] = []
        starts: list[int] = []
        for place, block in enumerate(self.blocks):
            column_of += [place] * block.width
            is_mode += [False] * block.valued + [True] * (block.width - block.valued)
            starts.append(len(is_mode) - block.width + block.valued)
        written = [block.modes > 1 for block in self.blocks]
        valued = [block.valued for block in self.blocks]
        values = [start - 1 for start, has_value in zip(starts, valued, strict=True) if has_value]
        beside = [min(place + 1, self.width - 1) for place in values]
        lists = (column_of, is_mode, starts, written, valued, values, beside)
        types = (torch.int64, torch.bool, torch.int64, torch.bool, torch.bool, torch.int64, torch.int64)
        return Places(*(torch.tensor(each, dtype=type_, device=device) for each, type_ in zip(lists, types, strict=True)))

    def expand(self, packed: Tensor) -> Tensor:
        """(B, W) of (B, C + V): the mode of each column, then the values of those that have some."""
        places = self.on(packed.device)
        modes, values = packed[:, : self.columns].long(), packed[:, self.columns :]
        x = packed.new_zeros(len(packed), self.width)
        x.scatter_(1, (places.starts + modes)[:, places.written], 1.0)
        x[:, places.values] = values
        return x

    def pack(self, x: Tensor) -> Tensor:
        """(B, C + V) of (B, W): each column's likeliest mode, and the values, 0 where the first mode is not the one."""
        places = self.on(x.device)
        modes = x.new_zeros(len(x), self.columns)
        parts = x.split([block.width for block in self.blocks], 1)
        for column, (block, part) in enumerate(zip(self.blocks, parts, strict=True)):
            if block.modes > 1:
                modes[:, column] = part[:, block.valued :].argmax(1).to(x.dtype)
        values = torch.where(modes[:, places.valued] == 0, x[:, places.values], 0)
        return torch.cat([modes, values], 1)

    @property
    def told_width(self) -> int:
        """Of what `told` gives."""
        return self.width + 2 * self.columns

    @property
    def passes(self) -> list[list[int]]:
        """The columns that are drawn at once, in the order of drawing: all numbers together, then each other by itself."""
        numbers = [place for place, block in enumerate(self.blocks) if block.number]
        others = [[place] for place, block in enumerate(self.blocks) if not block.number]
        return [numbers, *others] if numbers else others

    @property
    def parts(self) -> list[Part]:
        """The columns of each pass."""
        starts = [0, *accumulate(block.width for block in self.blocks)]
        return [
            Part(
                columns,
                BlockLayout([self.blocks[column] for column in columns]),
                tuple(number for column in columns for number in range(starts[column], starts[column + 1])),
            )
            for columns in self.passes
        ]

    def told(self, x: Tensor, known: Tensor, drawn: Tensor) -> Tensor:
        """(B, W + 2C): rows x (B, W) where `known` (B, C) is 1 and zeros elsewhere, then both masks."""
        return torch.cat([self.masked(x, known), known, drawn], 1)

    def nothing(self, like: Tensor) -> Tensor:
        """(B, W + 2C) for as many rows as `like` has: nothing is known, all is drawn."""
        told = like.new_zeros(len(like), self.told_width)
        told[:, self.width + self.columns :] = 1
        return told

    def masked(self, x: Tensor, mask: Tensor) -> Tensor:
        """(B, W): rows x where the mask (B, C) is 1, zeros elsewhere."""
        return x * mask[:, self.on(x.device).column_of]

    def split(self, told: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What `told` was given, the rows masked: (B, W), (B, C), (B, C)."""
        row, known, drawn = told.split([self.width, self.columns, self.columns], 1)
        return row, known, drawn

    def largest(self, values: Tensor) -> Tensor:
        """(B, W): the largest of each column's modes, at all its places; values (B, W)."""
        places = self.on(values.device)
        lowest = values.new_full((len(values), self.columns), -torch.inf)
        of_modes = torch.where(places.is_mode, values, -torch.inf)
        found = lowest.scatter_reduce(1, places.column_of.expand(len(values), -1), of_modes, "amax")
        return found[:, places.column_of]

    def log_softmax(self, logits: Tensor) -> Tensor:
        """(B, W): over the modes of each column; 0 at values."""
        places = self.on(logits.device)
        centred = torch.where(places.is_mode, logits - self.largest(logits.detach()), 0)
        weights = centred.exp() * places.is_mode
        total = weights.new_zeros(len(weights), self.columns).index_add(1, places.column_of, weights)
        return torch.where(places.is_mode, centred - total.clamp(min=1e-30).log()[:, places.column_of], 0)
