"""Which records a step sees."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ganwright.runtime.keys import Key


class Shuffled:
    """Every record once per pass, each pass in another order, one pass flowing into the next.

    The endless sequence of passes is a function of (seed, attempt), so a position in it is one integer.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        # Two passes meet in one batch; three are kept so that a small set does not shuffle again and again.
        self._pass_order = lru_cache(maxsize=3)(self._shuffle)

    def draw(self, key: Key, places: range) -> np.ndarray:
        """The records (int64) at `places` of the endless sequence; only the key's seed and attempt matter."""
        indices = np.empty(len(places), dtype=np.int64)
        done = 0
        while done < len(places):
            number, offset = divmod(places[done], self.count)
            some = min(self.count - offset, len(places) - done)
            indices[done : done + some] = self._pass_order(key.seed, key.attempt, number)[offset : offset + some]
            done += some
        return indices

    def _shuffle(self, seed: int, attempt: int, number: int) -> np.ndarray:
        return Key(seed, attempt, step=number, turn="pass").generator("order").permutation(self.count)
