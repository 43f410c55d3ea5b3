"""Which records a step sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ganwright.runtime.keys import Key


@dataclass(frozen=True)
class KnownColumns:
    """Which columns of a row a generator is told, and which it has to draw, while it learns to draw any given any.

    Samples are drawn numbers first, all together, then word after word; so that is what it practises most.
    """

    numbers: float = 0.5
    """Share of rows in which it draws the numbers; in the others one word."""
    usual: float = 0.5
    """Share of those in which it is told what it is told when samples are drawn and nothing is asked for: of numbers
    nothing, of a word all numbers and the words before it. In the others any set of columns, of any size."""

    def __post_init__(self) -> None:
        for name, value in (("numbers", self.numbers), ("usual", self.usual)):
            if not 0 <= value <= 1:
                raise ValueError(f"{name} must lie in 0..1, not {value}")

    def draw(self, key: Key, count: int, passes: Sequence[Sequence[int]]) -> tuple[np.ndarray, np.ndarray]:
        """(known, drawn), float32 (count, C): 1 where a column is told, or is to be drawn.

        Args:
            passes: the C columns in the order of drawing, those together that are drawn at once.
        """
        random = key.generator("known columns")
        width = sum(map(len, passes))
        wide = len(passes[0]) > 1
        share = 1 / len(passes) if not wide else self.numbers if len(passes) > 1 else 1.0
        later = 1 + random.integers(0, max(1, len(passes) - 1), count)
        turn = np.where(random.random(count) < share, 0, later) if len(passes) > 1 else np.zeros(count, np.int64)
        of_pass = np.empty(width, np.int64)
        for place, columns in enumerate(passes):
            of_pass[list(columns)] = place
        usual = random.random(count) < self.usual
        size = random.integers(0, width, count)
        any_set = random.random((count, width), np.float32).argsort(1).argsort(1) < size[:, None]
        mine = of_pass[None] == turn[:, None]
        known = np.where(usual[:, None], of_pass[None] < turn[:, None], any_set & (~mine | wide))
        drawn = mine & ~known
        # Where every one of them came to be known, all are drawn.
        none = ~drawn.any(1)
        drawn[none], known[none] = mine[none], known[none] & ~mine[none]
        return known.astype(np.float32), drawn.astype(np.float32)


class Shuffled:
    """Every record once per pass, each pass in another order, one pass flowing into the next.

    The endless sequence of passes is a function of (seed, attempt), so a position in it is one integer.
    """

    def __init__(self, count: int, purpose: str = "order") -> None:
        """`purpose` tells sequences apart that are drawn side by side."""
        self.count, self._purpose = count, purpose
        # Two passes meet in one batch; three are kept so that a small set does not shuffle again and again.
        self._pass_order = lru_cache(maxsize=3)(self._shuffle)

    def draw(self, key: Key, places: range | np.ndarray) -> np.ndarray:
        """The records (int64) at `places` of the endless sequence; only the key's seed and attempt matter."""
        numbers, offsets = np.divmod(np.asarray(places, np.int64), self.count)
        indices = np.empty(len(places), dtype=np.int64)
        for number in np.unique(numbers).tolist():
            here = numbers == number
            indices[here] = self._pass_order(key.seed, key.attempt, number)[offsets[here]]
        return indices

    def _shuffle(self, seed: int, attempt: int, number: int) -> np.ndarray:
        return Key(seed, attempt, step=number, turn="pass").generator(self._purpose).permutation(self.count)


class Dealt:
    """Readers that take turns: place t of the endless sequence is drawn by reader t mod V, from its own records.

    Of those each comes once per pass of that reader, as `Shuffled` has them. A reader without records has no turn.
    """

    def __init__(self, readers: np.ndarray) -> None:
        """`readers` is int64 (N,): whose each record is."""
        order = np.argsort(readers, kind="stable")
        _, firsts = np.unique(readers[order], return_index=True)
        self._members = np.split(order, firsts[1:])
        self._samplers = [Shuffled(len(members), f"order of reader {i}") for i, members in enumerate(self._members)]

    def draw(self, key: Key, places: range | np.ndarray) -> np.ndarray:
        """The records (int64) at `places` of the endless sequence; only the key's seed and attempt matter."""
        turns, readers = np.divmod(np.asarray(places, np.int64), len(self._members))
        indices = np.empty(len(turns), np.int64)
        for reader in np.unique(readers).tolist():
            mine = readers == reader
            indices[mine] = self._members[reader][self._samplers[reader].draw(key, turns[mine])]
        return indices


class Balanced:
    """Every class once per round, the classes of a round in another order each time.

    The records of a class come as `Shuffled` has them: each once per pass of that class, so those of a small class come
    more often. The endless sequence is a function of (seed, attempt), too. A record of no known class never comes.
    """

    ROUNDS = 256
    """That are put into order at once,"""
    MOST_TURNS = 1 << 16
    """and at most so many turns, or one round."""

    def __init__(self, classes: np.ndarray) -> None:
        """`classes` is int64 (N,), -1 for unknown."""
        order = np.argsort(classes, kind="stable")
        order = order[classes[order] >= 0]
        _, firsts = np.unique(classes[order], return_index=True)
        self._members = np.split(order, firsts[1:])
        if not len(order):
            raise ValueError("no record is of a known class")
        self._samplers = [Shuffled(len(members), f"order of class {i}") for i, members in enumerate(self._members)]
        self._at_once = max(1, min(self.ROUNDS, self.MOST_TURNS // len(self._members)))
        self._order = lru_cache(maxsize=4)(self._rounds)

    def draw(self, key: Key, places: range) -> np.ndarray:
        """The records (int64) at `places` of the endless sequence; only the key's seed and attempt matter."""
        count = len(self._members)
        rounds, turns = np.divmod(np.arange(places.start, places.stop, places.step), count)
        blocks = rounds // self._at_once
        classes = np.empty(len(rounds), np.int64)
        for block in np.unique(blocks).tolist():
            here = blocks == block
            classes[here] = self._order(key.seed, key.attempt, block)[rounds[here] % self._at_once, turns[here]]
        indices = np.empty(len(rounds), np.int64)
        for place in np.unique(classes).tolist():
            mine = classes == place
            first, last = int(rounds[mine][0]), int(rounds[mine][-1])
            # One record a round: those of the rounds between the first and the last.
            drawn = self._samplers[place].draw(key, range(first, last + 1))
            indices[mine] = self._members[place][drawn[rounds[mine] - first]]
        return indices

    def _rounds(self, seed: int, attempt: int, block: int) -> np.ndarray:
        """int64 (rounds, C): the classes of each round in their order."""
        random = Key(seed, attempt, step=block, turn="balance").generator("rounds")
        return random.permuted(np.tile(np.arange(len(self._members)), (self._at_once, 1)), axis=1)
