"""A block of a text file cut into rows and cells, all at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ganwright.data.tables.text_cells import PAD_BYTES, CutText

LONGEST_CELL = 131_072
"""Bytes; Python's csv module has the same limit."""
_QUOTE, _SPACE, _NEWLINE, _RETURN = b'"'[0], b" "[0], b"\n"[0], b"\r"[0]


@dataclass(frozen=True, eq=False)
class CutRows:
    """Rows that were found in a block, but for blank lines."""

    counts: np.ndarray
    """int64 (R,): the cells of each row."""
    begins: np.ndarray
    """int64 (R,): the byte of the block at which each begins."""
    lines: np.ndarray
    """int64 (R,): lines of the block before it."""
    used: int
    """Bytes of the block that are whole rows."""
    used_lines: int
    """Lines in them."""
    _raw: bytes
    _starts: np.ndarray
    _ends: np.ndarray
    _firsts: np.ndarray

    def columns(self, rows: np.ndarray, first: int, width: int) -> tuple[CutText, ...]:
        """The cells first..width-1 of some rows (numbers), each of which has `width`."""
        begins = self._firsts[rows]
        return tuple(
            CutText(self._raw, self._starts[begins + place], self._ends[begins + place]) for place in range(first, width)
        )

    def row(self, place: int) -> list[str]:
        """One row's cells."""
        first = int(self._firsts[place])
        cells = slice(first, first + int(self.counts[place]))
        return CutText(self._raw, self._starts[cells], self._ends[cells]).tolist()


def cut(block: bytes, delimiter: str, spaced: bool, last: bool) -> CutRows | None:
    """The rows of a block that begins where a row does, as Python's csv module finds them.

    Args:
        spaced: whether spaces around cells belong to none.
        last: whether the file ends with the block, so that what is behind its last line end is a row, too.

    Returns:
        None where a reader must go through it letter by letter: quotes inside cells, lone returns, zeros, endless cells.
    """
    if not block or b"\0" in block or not delimiter.isascii():
        return None
    raw = block + bytes(PAD_BYTES)
    letters = np.frombuffer(raw, np.uint8, len(block))
    lines = letters == _NEWLINE
    between = lines | (letters == ord(delimiter))
    quoted = b'"' in block
    if quoted:
        outside = np.cumsum(letters == _QUOTE, dtype=np.uint8) & 1 == 0
        between &= outside
        if last and not outside[-1]:
            return None
    ends = np.flatnonzero(between)
    if last and (not len(ends) or ends[-1] != len(block) - 1 or not lines[ends[-1]]):
        ends = np.append(ends, len(block))
    closes = np.flatnonzero(lines[np.minimum(ends, len(block) - 1)] | (ends == len(block)))
    if not len(closes):
        return None
    ends = ends[: closes[-1] + 1]
    used = min(int(ends[-1]) + 1, len(block))
    starts = np.concatenate([[0], ends[:-1] + 1])
    firsts = np.concatenate([[0], closes[:-1] + 1])
    begins = starts[firsts]
    if b"\r" in block and not _without_returns(letters, ends, closes, used):
        return None
    blank = starts[closes] == ends[closes]
    keep = np.flatnonzero(~(blank & (closes == firsts)))
    if spaced:
        starts = _after_spaces(letters, starts, ends)
    if quoted and not _without_quotes(letters, starts, ends, used):
        return None
    if spaced:
        ends = _before_spaces(letters, starts, ends)
    if len(ends) and int((ends - starts).max()) > LONGEST_CELL:
        return None
    newlines = np.flatnonzero(lines[:used])
    before = np.searchsorted(newlines, begins) if quoted else np.arange(len(begins))
    counts = closes - firsts + 1
    return CutRows(counts[keep], begins[keep], before[keep], used, len(newlines), raw, starts, ends, firsts[keep])


def _without_returns(letters: np.ndarray, ends: np.ndarray, closes: np.ndarray, used: int) -> bool:
    """Takes the returns before line ends from the cells; False if there are others outside quotes."""
    last = ends[closes]
    returned = (last > 0) & (letters[last - 1] == _RETURN)
    ends[closes] -= returned
    others = int((letters[:used] == _RETURN).sum()) - int(returned.sum())
    if not others:
        return True
    # Those inside quotes are text.
    outside = np.cumsum(letters[:used] == _QUOTE, dtype=np.uint8) & 1 == 0
    return int(((letters[:used] == _RETURN) & outside).sum()) == int(returned.sum())


def _without_quotes(letters: np.ndarray, starts: np.ndarray, ends: np.ndarray, used: int) -> bool:
    """Takes the quotes around cells away; False if there are quotes anywhere else."""
    quoted = np.flatnonzero((letters[np.minimum(starts, len(letters) - 1)] == _QUOTE) & (starts < ends))
    closed = (letters[ends[quoted] - 1] == _QUOTE) & (ends[quoted] - 1 > starts[quoted])
    if not closed.all() or int((letters[:used] == _QUOTE).sum()) != 2 * len(quoted):
        return False
    starts[quoted] += 1
    ends[quoted] -= 1
    return True


def _after_spaces(letters: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    starts = starts.copy()
    places = np.flatnonzero(starts < ends)
    while len(places := places[letters[starts[places]] == _SPACE]):
        starts[places] += 1
        places = places[starts[places] < ends[places]]
    return starts


def _before_spaces(letters: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    ends = ends.copy()
    places = np.flatnonzero(starts < ends)
    while len(places := places[letters[ends[places] - 1] == _SPACE]):
        ends[places] -= 1
        places = places[starts[places] < ends[places]]
    return ends
