"""What a network must know of the data to be built: shapes and meanings, no records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# Bounds against absurd files: a spec read from a stranger's model file is checked before anything is allocated.
MAX_SIDE = 16_384
MAX_VALUES = 1 << 28


@dataclass(frozen=True)
class Condition:
    """One thing known of every record beside its content, which a network may be told (a class, later a number)."""

    name: str
    classes: tuple[str, ...] = ()
    """The names of the classes; the dataset stores their positions here as integers, -1 for unknown."""
    counts: tuple[int, ...] = ()
    """How many records of each class there are, so that samples can follow the data's shares; empty when not counted."""

    def __post_init__(self) -> None:
        if self.counts and (len(self.counts) != len(self.classes) or min(self.counts) < 0 or not any(self.counts)):
            raise ValueError(f"condition {self.name!r}: one count per class is needed, and one above zero")


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
    """The modality: "image"."""
    shape: tuple[int, ...]
    """Without the batch; (C, H, W) for pictures."""
    output: Literal["tanh", "linear", "blocks"] = "tanh"
    """Applied to the generator's raw output, outside the generator; blocks: tanh on values, softmax over modes."""
    conditions: tuple[Condition, ...] = ()
    """What the networks are given beside noise, in order; empty for an unconditional GAN."""
    blocks: tuple[Block, ...] = ()
    """Of a table: its columns in the order of the row; empty for everything else."""

    def __post_init__(self) -> None:
        size = 1
        for side in self.shape:
            if not 1 <= side <= MAX_SIDE:
                raise ValueError(f"shape {self.shape}: each side must lie in 1..{MAX_SIDE}")
            size *= side
        if size > MAX_VALUES:
            raise ValueError(f"shape {self.shape} has more than {MAX_VALUES} values")
        if (self.blocks or self.output == "blocks") and self.shape != (sum(block.width for block in self.blocks),):
            raise ValueError(f"shape {self.shape} is not what {len(self.blocks)} columns take")
