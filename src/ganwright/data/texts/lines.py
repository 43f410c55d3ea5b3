"""Texts as measures look at them: strings, and of what units they are made."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

Unit = Literal["characters", "words"]
WORDS = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")
"""A word with what an apostrophe joins to it, or one sign."""


@dataclass(frozen=True, eq=False)
class Texts:
    """Strings in an order that means nothing."""

    lines: tuple[str, ...]
    unit: Unit
    """What they are counted in: words where pieces of words are drawn, characters elsewhere."""
    whole: bool = True
    """Whether each is a record of its own, and not a window that begins and ends anywhere."""

    def __len__(self) -> int:
        return len(self.lines)

    def take(self, places: np.ndarray | slice) -> Texts:
        """Those at `places`."""
        some = self.lines[places] if isinstance(places, slice) else tuple(self.lines[place] for place in places.tolist())
        return Texts(some, self.unit, self.whole)

    @classmethod
    def join(cls, parts: Sequence[Texts]) -> Texts:
        """The lines of all parts, of which there is at least one."""
        return cls(tuple(line for part in parts for line in part.lines), parts[0].unit, parts[0].whole)

    @cached_property
    def units(self) -> list[Sequence[str]]:
        """Each line as its words or characters."""
        return [units_of(line, self.unit) for line in self.lines]

    @cached_property
    def words(self) -> list[list[str]]:
        """The words of each line; of a window those that are surely whole."""
        found = [WORDS.findall(line.lower()) for line in self.lines]
        return found if self.whole else [words[1:-1] for words in found]


def units_of(line: str, unit: Unit) -> Sequence[str]:
    """Its characters, or its words."""
    return line if unit == "characters" else WORDS.findall(line)
