"""Columns that name rows: left out of what networks see, and made anew on request, so that no row has a real one's name."""

from __future__ import annotations

import math
import string
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, ClassVar

import numpy as np

from ganwright.data.tables.facts import ColumnFacts
from ganwright.data.tables.numbers_in_text import LARGEST_EXACT
from ganwright.runtime.keys import Key

MOST_SEEN = 100_000
"""Ids that a table of those not to be made again has room for; of more, a chance meeting is unlikely enough."""
BITS_PER_ID = 8
LONGEST_ID = 128
TRIES = 8
"""Ids that one row may have, so that real ones can be passed over."""
SAME_SHAPE = 0.5
"""Share of the ids that must look alike for others to be made like them."""
FEW_LETTERS = 4
"""Up to so many different ones at a place, only those are used there."""
_CLASSES = (
    string.digits,
    string.digits + "abcdef",
    string.digits + "ABCDEF",
    string.ascii_lowercase,
    string.ascii_uppercase,
)


class Identifiers(ABC):
    """How new names of rows are made."""

    type: ClassVar[str]

    @abstractmethod
    def made(self, first: int, count: int, seed: int) -> list[Any]:
        """Those of rows first..first+count-1, different for all rows of one seed."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """Plain JSON values."""

    @property
    def seen(self) -> np.ndarray:
        """uint8 (n,): a part of the state that is too long for JSON."""
        return np.empty(0, np.uint8)


@dataclass(frozen=True)
class CountedIds(Identifiers):
    """Whole numbers, from the first after the data's last."""

    type = "counted"

    start: int
    step: int

    def made(self, first: int, count: int, seed: int) -> list[int]:
        return [self.start + self.step * row for row in range(first, first + count)]

    def state(self) -> dict[str, Any]:
        return {"type": self.type, "start": self.start, "step": self.step}


@dataclass(frozen=True)
class NoIds(Identifiers):
    """Free text, which nothing stands for."""

    type = "none"

    def made(self, first: int, count: int, seed: int) -> list[None]:
        return [None] * count

    def state(self) -> dict[str, Any]:
        return {"type": self.type}


@dataclass(frozen=True, eq=False)
class PatternIds(Identifiers):
    """Text of one length, a letter from an alphabet at each place.

    Row i has one of a few places of its own in a list of all such texts, shuffled: the first that is surely no real id.
    What surely is none, a table of bits says: each real id has set one of them, which its digest says; that one of eight is
    set says little of whether some id was there.
    """

    type = "pattern"

    alphabets: tuple[str, ...]
    bits: np.ndarray
    """uint8 (n,), eight bits each; (0,) where nothing is known of the real ids."""
    _size: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not 1 <= len(self.alphabets) <= LONGEST_ID or any(
            not 1 <= len(each) <= 256 or len(set(each)) != len(each) for each in self.alphabets
        ):
            raise ValueError("no pattern of ids")
        object.__setattr__(self, "_size", math.prod(map(len, self.alphabets)))

    def made(self, first: int, count: int, seed: int) -> list[str]:
        steps = _Shuffle(self._size, seed)
        return [self._one(row, steps) for row in range(first, first + count)]

    def _one(self, row: int, steps: _Shuffle) -> str:
        text = ""
        for place in range(row * TRIES, (row + 1) * TRIES):
            # Once all texts of the length are used up, they get longer.
            rounds, at = divmod(place, self._size)
            text = self._text(steps(at, self.alphabets)) + (str(rounds) if rounds else "")
            if not self._may_be_real(text):
                return text
        return f"{text}x{row}"

    def _text(self, number: int) -> str:
        letters: list[str] = []
        for alphabet in reversed(self.alphabets):
            number, place = divmod(number, len(alphabet))
            letters.append(alphabet[place])
        return "".join(reversed(letters))

    def _may_be_real(self, text: str) -> bool:
        if not len(self.bits):
            return False
        bit = _bit(text, len(self.bits))
        return bool(self.bits[bit >> 3] >> (bit & 7) & 1)

    def state(self) -> dict[str, Any]:
        return {"type": self.type, "alphabets": list(self.alphabets), "bytes": len(self.bits)}

    @property
    def seen(self) -> np.ndarray:
        return self.bits

    @classmethod
    def of(cls, words: Iterable[str]) -> PatternIds | None:
        """For ids like these; None where they have no shape in common."""
        words = list(words)
        shape, count = Counter(map(_shape, words)).most_common(1)[0]
        if count < SAME_SHAPE * len(words) or not 1 <= len(shape) <= LONGEST_ID:
            return None
        alike = [word for word in words if _shape(word) == shape]
        bits = np.zeros(0, np.uint8)
        if len(words) <= MOST_SEEN:
            bits = np.zeros(1 << max(6, math.ceil(math.log2(len(words) * BITS_PER_ID / 8))), np.uint8)
            for word in words:
                bit = _bit(word, len(bits))
                bits[bit >> 3] |= 1 << (bit & 7)
        return cls(tuple(_alphabet(set(letters)) for letters in zip(*alike, strict=True)), bits)


class _Shuffle:
    """A number below `size` for each number below it, all different."""

    def __init__(self, size: int, seed: int) -> None:
        self.size = size
        draws = Key(seed, turn="table").generator("ids").integers(0, 1 << 62, 16).tolist()
        wide = [draws[at] << 186 | draws[at + 1] << 124 | draws[at + 2] << 62 | draws[at + 3] for at in range(0, 16, 4)]
        self._factors = [self._prime_to_size(each % size) for each in wide[:2]]
        self._shifts = [each % size for each in wide[2:]]

    def __call__(self, number: int, alphabets: Sequence[str]) -> int:
        number = (number * self._factors[0] + self._shifts[0]) % self.size
        # Its digits the other way round, so that no place just counts.
        turned = 0
        for alphabet in reversed(alphabets):
            number, digit = divmod(number, len(alphabet))
            turned = turned * len(alphabet) + digit
        return (turned * self._factors[1] + self._shifts[1]) % self.size

    def _prime_to_size(self, number: int) -> int:
        number = max(1, number)
        while math.gcd(number, self.size) != 1:
            number += 1
        return number


@dataclass(frozen=True)
class LeftOut:
    """A column that networks do not see."""

    name: str
    reason: str
    place: int
    """Among all columns of the data, from 0."""
    ids: Identifiers | None = None
    """How new cells of it are made; None where a user wants none."""


def learn_identifiers(facts: ColumnFacts, kind: str) -> Identifiers:
    """How names like those in the column are made."""
    plain = facts.numbers.count == facts.rows - facts.empty and not facts.leading_zeros and not facts.too_long
    if kind == "id" and plain and facts.numbers.unique and facts.numbers.count:
        numbers = np.unique(facts.numbers.sample).astype(np.int64)
        step = int(np.gcd.reduce(np.diff(numbers))) if len(numbers) > 1 else 1
        return CountedIds(int(facts.numbers.high) + max(step, 1), max(step, 1))
    if kind == "id" and facts.words.counts:
        return PatternIds.of(facts.words.counts) or NoIds()
    return NoIds()


def put_back(frame: Any, columns: Sequence[str], left_out: Sequence[LeftOut], made: Mapping[str, Sequence[Any]]) -> Any:
    """A DataFrame with the cells that were `made` for columns left out, where the data had them.

    Args:
        columns: the names of the others, in the data's order.
    """
    names = list(columns)
    for each in sorted(left_out, key=lambda each: each.place):
        names.insert(each.place, each.name)
    frame = frame.copy()
    for each in left_out:
        if each.name in made:
            before = names[: names.index(each.name)]
            frame.insert(sum(name in frame.columns for name in before), each.name, made[each.name])
    return frame


def pack_left_out(left_out: Sequence[LeftOut]) -> tuple[list[dict[str, Any]], np.ndarray]:
    """(plain JSON values, uint8 (n,))."""
    plain = [
        {"name": each.name, "reason": each.reason, "place": each.place, "ids": each.ids.state() if each.ids else None}
        for each in left_out
    ]
    return plain, np.concatenate([np.empty(0, np.uint8), *(each.ids.seen for each in left_out if each.ids)])


def unpack_left_out(plain: Any, seen: np.ndarray) -> list[LeftOut]:
    """The columns again.

    Raises:
        ValueError: `pack_left_out` cannot have given this.
    """
    if not isinstance(plain, list) or seen.ndim != 1:
        raise ValueError("left_out must be a list")
    found, at = list[LeftOut](), 0
    for each in plain:
        if not isinstance(each, dict) or set(each) != {"name", "reason", "place", "ids"}:
            raise ValueError("left_out must say why of each column")
        name, reason, place = each["name"], each["reason"], each["place"]
        if not isinstance(name, str) or not isinstance(reason, str) or type(place) is not int or place < 0:
            raise ValueError("left_out must say why of each column, and where it was")
        length = each["ids"].get("bytes", 0) if isinstance(each["ids"], dict) else 0
        if type(length) is not int or not 0 <= length <= len(seen) - at or length & (length - 1):
            raise ValueError("ids have more bits than there are")
        ids = None if each["ids"] is None else _identifiers(each["ids"], seen[at : at + length])
        found.append(LeftOut(name, reason, place, ids))
        at += length
    if at != len(seen) or len({each.name for each in found}) != len(found):
        raise ValueError("left_out names a column twice, or bits are left over")
    return found


def _identifiers(state: Mapping[str, Any], bits: np.ndarray) -> Identifiers:
    if not isinstance(state, dict):
        raise ValueError("no way of making ids")
    if state == {"type": "none"}:
        return NoIds()
    if set(state) == {"type", "start", "step"} and state["type"] == "counted":
        start, step = state["start"], state["step"]
        if (
            type(start) is not int
            or type(step) is not int
            or not 1 <= step <= LARGEST_EXACT
            or abs(start) > 2 * LARGEST_EXACT
        ):
            raise ValueError("ids must count upwards")
        return CountedIds(start, step)
    if set(state) == {"type", "alphabets", "bytes"} and state["type"] == "pattern" and isinstance(state["alphabets"], list):
        if not all(isinstance(each, str) for each in state["alphabets"]):
            raise ValueError("alphabets must be text")
        return PatternIds(tuple(state["alphabets"]), bits)
    raise ValueError("no way of making ids")


def _shape(word: str) -> str:
    """The word with an x for each letter and digit."""
    return "".join("x" if letter.isalnum() else letter for letter in word)


def _alphabet(letters: set[str]) -> str:
    """What may stand at a place where these did."""
    if len(letters) > FEW_LETTERS:
        for known in _CLASSES:
            if letters <= set(known):
                return known[1:] if known == string.digits and "0" not in letters else known
        if all(letter.isascii() and letter.isalnum() for letter in letters):
            classes = (string.digits, string.ascii_lowercase, string.ascii_uppercase)
            return "".join(each for each in classes if letters & set(each))
    return "".join(sorted(letters))[:256]


def _bit(text: str, size_bytes: int) -> int:
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little") % (size_bytes * 8)
