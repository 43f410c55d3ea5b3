"""Cells of text as numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ganwright.data.tables.dialect import MISSING_WORDS

MOST_NUMBER_BYTES = 24
"""Of a number that is read with the others of its column at once."""
LARGEST_EXACT = 1 << 53
MOST_DIGITS = 18
_FOREIGN = re.compile(r"[^0-9eE+\-.,]")
_GROUPED = {".": re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?"), ",": re.compile(r"[+-]?\d{1,3}(\.\d{3})+(,\d*)?")}
_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_LEADING_ZERO = re.compile(r"[+-]?0\d+")
_NEVER = np.array([code < 128 and bool(_FOREIGN.match(chr(code))) and not chr(code).isspace() for code in range(256)])
"""By byte: whether no cell that is a number has it; what is beyond ASCII could be a space."""
_NEVER[0] = False
_POWERS = np.array([float(f"1e{power}") for power in range(MOST_DIGITS + 1)])


@dataclass(frozen=True)
class Numerals:
    """What cells are as numbers, and how they are written."""

    values: np.ndarray
    """float64 (n,): NaN where there is no number, or none that is finite."""
    decimals: np.ndarray
    """int64 (n,): digits behind the decimal mark."""
    leading_zeros: np.ndarray
    """bool (n,): whether a whole number begins with a zero that it does not need: "007"."""

    def put(self, places: np.ndarray, others: Numerals) -> None:
        """Sets some of them."""
        self.values[places] = others.values
        self.decimals[places] = others.decimals
        self.leading_zeros[places] = others.leading_zeros


def parse_numbers(cells: np.ndarray, decimal: Literal[".", ","] = ".") -> np.ndarray:
    """float64 (n,): the number in each cell (objects: str or None), NaN where there is none or none that is finite.

    Spaces around it are allowed, and groups of thousands: "1,234.5" or, with a decimal comma, "1.234,5".
    """
    return np.array([_number(cell.strip(), decimal) if cell else np.nan for cell in cells.tolist()], np.float64)


def parse_bytes(letters: np.ndarray, lengths: np.ndarray, decimal: Literal[".", ","]) -> tuple[Numerals, np.ndarray]:
    """The numbers in cells of plain digits, all at once, and bool (n,): cells that must be looked at one by one.

    Args:
        letters: uint8 (width, n): the first bytes of all cells, then the second ones, ..., zeros behind the ends.
        lengths: int64 (n,), bytes of the cells; longer ones than `letters` has are left to be looked at.
    """
    count = len(lengths)
    possible = ~_NEVER[letters].any(0) & (lengths > 0)
    if not possible.any():
        return Numerals(np.full(count, np.nan), np.zeros(count, np.int64), np.zeros(count, bool)), possible
    values = letters - np.uint8(ord("0"))
    digits, marks = values < 10, letters == ord(decimal)
    signs = (letters == ord("-")) | (letters == ord("+"))
    digit_count, mark_count, sign_count = (some.sum(0, dtype=np.uint8) for some in (digits, marks, signs))
    plain = possible & (digit_count >= 1) & (digit_count <= MOST_DIGITS) & (mark_count <= 1)
    plain &= digit_count.astype(np.int64) + mark_count + signs[0] == lengths
    longest = min(len(letters), int(lengths.max()))
    whole = np.zeros(count, np.int32 if longest <= 9 else np.int64)
    longer = np.empty_like(whole)
    for place in range(longest):
        np.multiply(whole, 10, out=longer)
        longer += values[place]
        np.copyto(whole, longer, where=digits[place])
    plain &= whole <= LARGEST_EXACT
    mark = (marks * np.arange(len(letters), dtype=np.uint8)[:, None]).sum(0, dtype=np.uint8)
    decimals = np.where(plain & (mark_count > 0), lengths - 1 - mark, 0)
    # Both are exact, so that their quotient is rounded once, as Python rounds it.
    numbers = whole / _POWERS[decimals]
    numbers = np.where(letters[0] == ord("-"), -numbers, numbers)
    numbers[~plain] = np.nan
    first = np.where(signs[0], values[1], values[0])
    zeros = plain & (mark_count == 0) & (first == 0) & (digit_count > 1)
    # Two signs are a date, or two marks, unless there is an exponent.
    power = ((letters | 32) == ord("e")).any(0)
    possible &= (mark_count <= 1) & ((sign_count <= 1) | power)
    return Numerals(numbers, decimals, zeros), possible & ~plain


def leading_zero(cell: str) -> bool:
    """Whether a whole number begins with a zero that it does not need."""
    return bool(_LEADING_ZERO.fullmatch(cell.strip()))


def written_decimals(cell: str, decimal: Literal[".", ","]) -> int:
    """Digits behind a number's decimal mark."""
    _, _, behind = cell.rpartition(decimal) if decimal in cell else ("", "", "")
    return len(behind) - len(behind.lstrip("0123456789"))


def stands_for_nothing(cell: str) -> bool:
    """Whether a cell in a column of numbers or dates says that there is none."""
    return cell.strip().lower() in MISSING_WORDS


def _number(cell: str, decimal: str) -> float:
    if not cell or _FOREIGN.search(cell):
        return float("nan")
    if _GROUPED[decimal].fullmatch(cell):
        cell = cell.replace("," if decimal == "." else ".", "")
    if decimal == ",":
        cell = cell.replace(".", "\0").replace(",", ".")
    if not _PLAIN.fullmatch(cell):
        return float("nan")
    value = float(cell)
    return value if np.isfinite(value) else float("nan")
