"""What one record of a text is: a line, a window, or a whole file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from ganwright.data.tables.asked import Cut

WINDOW = 32
"""Characters of a window where nobody said, as in Gulrajani et al. 2017 (arXiv:1704.00028)."""
BLANK_SHARE = 0.05
"""Of the lines of a file, from which on blank ones are taken for the paragraphs of a running text."""
LONG_LINE = 400
"""Characters of a usual line from which on it is a paragraph."""
SHORT_FILE = 400
"""Characters up to which the files of a folder are records."""


@dataclass
class Shape:
    """How the lines of a file, or the texts of many, are."""

    lines: int = 0
    blank: int = 0
    """Of them, but for those at the end."""
    lengths: list[int] | None = None
    _pending: int = 0

    def __post_init__(self) -> None:
        self.lengths = []

    def add(self, line: str) -> None:
        """One more line."""
        assert self.lengths is not None
        if not line.strip():
            self._pending += bool(self.lengths)
            return
        self.blank, self._pending = self.blank + self._pending, 0
        self.lengths.append(len(line))

    @property
    def usual(self) -> int:
        """Characters of a usual line that is not blank."""
        return int(np.median(self.lengths)) if self.lengths else 0

    @property
    def blank_share(self) -> float:
        """Of all lines."""
        return self.blank / max(1, self.blank + len(self.lengths or ()))


def cut_of_lines(shape: Shape) -> tuple[Cut, str]:
    """Whether lines are records, and why; they are not in a running text."""
    if shape.blank_share >= BLANK_SHARE:
        return "windows", f"a running text: {shape.blank_share:.0%} of its lines are blank"
    if shape.usual > LONG_LINE:
        return "windows", f"a running text: a usual line has {shape.usual:,} characters"
    return "lines", "a line a record"


def windows(pieces: Iterable[str], length: int) -> Iterator[str]:
    """Windows of a text, one behind the other; what is left at the end is none.

    They do not overlap: a record that is held out must not lie half in those that are learned from.
    """
    rest = ""
    for piece in pieces:
        rest += piece
        whole = len(rest) // length * length
        yield from (rest[start : start + length] for start in range(0, whole, length))
        rest = rest[whole:]
