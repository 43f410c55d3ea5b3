"""What a network must know of the data to be built: shapes and meanings, no records."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

# Bounds against absurd files: a spec read from a stranger's model file is checked before anything is allocated.
MAX_SIDE = 16_384
MAX_SAMPLES = 1 << 22
"""Of a waveform, whose one side is as long as all others of a record together."""
MAX_VALUES = 1 << 28
MAPS = frozenset({"image", "spectrogram"})
"""Kinds of records that are maps (C, H, W), where near values belong together: any family for pictures can draw them."""
COARSE = MAPS | {"text"}
"""Kinds whose values need no more than eight bits."""
MOST_LABELS = 1024
MOST_ROW_LETTERS = 1 << 18


@dataclass(frozen=True)
class Condition:
    """One thing known of every record beside its content, which a network may be told.

    As a column of a batch a class is int64 (B,), its place, -1 for unknown; labels are float32 (B, K), 1 where one holds and
    0 where not; a number is float32 (B,) in -1..1. In the latter two NaN is unknown.
    """

    name: str
    classes: tuple[str, ...] = ()
    """The names of the classes, of which a record has one; or of the labels, of which it may have several."""
    counts: tuple[int, ...] = ()
    """How many records of each class there are, so that samples can follow the data's shares; empty when not counted."""
    kind: Literal["class", "labels", "number"] = "class"
    """One of some words, any of some words, or a number."""
    low: float = 0.0
    """Of a number: the smallest that the data have, -1 for the networks."""
    high: float = 0.0
    """The largest, 1 for the networks; of an angle the same direction as `low`."""
    circular: bool = False
    """Whether a number is an angle, so that its two ends are one."""
    rows: str = ""
    """What some records of the data have here: see `data.joint_rows`. Row i belongs to row i of the other conditions."""

    def __post_init__(self) -> None:
        if self.counts and (len(self.counts) != len(self.classes) or min(self.counts) < 0):
            raise ValueError(f"condition {self.name!r}: one count per class is needed")
        if self.kind == "class" and self.counts and not any(self.counts):
            raise ValueError(f"condition {self.name!r}: one count above zero is needed")
        if self.kind == "labels" and not 1 <= len(self.classes) <= MOST_LABELS:
            raise ValueError(f"condition {self.name!r} must have 1..{MOST_LABELS} labels, not {len(self.classes)}")
        ends = (self.low, self.high)
        if self.kind == "number" and not (all(map(math.isfinite, ends)) and 0 < self.high - self.low < math.inf):
            raise ValueError(
                f"condition {self.name!r} must lie between two different numbers, not {self.low} and {self.high}"
            )
        if len(self.rows) > MOST_ROW_LETTERS:
            raise ValueError(f"condition {self.name!r} holds more than {MOST_ROW_LETTERS} letters of rows")

    @property
    def width(self) -> int:
        """How many values of a record it takes."""
        return len(self.classes) if self.kind == "labels" else 1

    def scaled(self, numbers: np.ndarray) -> np.ndarray:
        """Numbers (n,) as the networks are told them, float32; an angle is brought into its circle."""
        numbers = np.asarray(numbers, np.float64)
        if self.circular:
            numbers = self.low + (numbers - self.low) % (self.high - self.low)
        return (2 * (numbers - self.low) / (self.high - self.low) - 1).astype(np.float32)

    def natural(self, scaled: np.ndarray) -> np.ndarray:
        """The numbers again, float64."""
        return self.low + (np.asarray(scaled, np.float64) + 1) / 2 * (self.high - self.low)


def first_class(conditions: Iterable[Condition]) -> Condition | None:
    """The first of them that is one class of some; None where none is."""
    return next((condition for condition in conditions if condition.kind == "class"), None)


def unknown(column: np.ndarray) -> np.ndarray:
    """bool (n,): which values of a condition's column are not known."""
    column = np.asarray(column)
    if column.dtype.kind != "f":
        return column < 0
    gaps: np.ndarray = np.isnan(column)
    return gaps if gaps.ndim == 1 else np.logical_or.reduce(gaps, axis=1)


def asked_class(conditions: Iterable[Condition], label: str) -> dict[str, str]:
    """What asks a model for a class, by the name of its first condition of classes."""
    condition = first_class(conditions)
    return {"label" if condition is None else condition.name: label}


@dataclass(frozen=True)
class Block:
    """Where one column of a table lies in a row: its value in -1..1 if it has one, then its modes, one of which is 1."""

    name: str
    """Of the column."""
    modes: int
    """How many; at least 1. A single one is not written down."""
    valued: bool
    """Whether the first mode has a value beside it."""
    number: bool = False
    """Whether it is drawn together with the other numbers, and not by itself as a word is."""

    def __post_init__(self) -> None:
        if not 1 <= self.modes <= MAX_SIDE or (self.modes == 1 and not self.valued):
            raise ValueError(f"column {self.name!r}: {self.modes} modes tell nothing")

    @property
    def width(self) -> int:
        """How many numbers of a row it takes."""
        return self.valued + (self.modes if self.modes > 1 else 0)


@dataclass(frozen=True)
class DataSpec:
    """One record as the networks see it."""

    kind: str
    """What the numbers are: "image", "table", "spectrogram", ..."""
    shape: tuple[int, ...]
    """Without the batch; (C, H, W) for pictures, (symbols, length) for texts, (C, T) for series."""
    output: Literal["tanh", "linear", "blocks", "softmax"] = "tanh"
    """Applied to the generator's raw output, outside the generator; blocks: tanh on values, softmax over modes; softmax:
    over the first axis, a text's symbols."""
    conditions: tuple[Condition, ...] = ()
    """What the networks are given beside noise, in order; empty for an unconditional GAN."""
    blocks: tuple[Block, ...] = ()
    """Of a table: its columns in the order of the row. Of series: what holds for all of one, then what each step has. Empty
    for everything else."""
    statics: int = 0
    """Of series: how many of the blocks, from the first on, hold for a whole series."""

    @property
    def is_coarse(self) -> bool:
        """Whether a value's first eight bits show all that matters, as in pictures; not so of numbers, or of waves."""
        return self.kind in COARSE

    def __post_init__(self) -> None:
        size = 1
        longest = MAX_SAMPLES if self.kind == "waveform" else MAX_SIDE
        for side in self.shape:
            if not 1 <= side <= longest:
                raise ValueError(f"shape {self.shape}: each side must lie in 1..{longest}")
            size *= side
        if size > MAX_VALUES:
            raise ValueError(f"shape {self.shape} has more than {MAX_VALUES} values")
        width = sum(block.width for block in self.blocks)
        fits = len(self.shape) == 1 + (self.kind == "series") and self.shape[0] == width
        if (self.blocks or self.output == "blocks") and not fits:
            raise ValueError(f"shape {self.shape} is not what {len(self.blocks)} columns take")
