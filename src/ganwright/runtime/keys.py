"""Randomness as a function of where training is: the step number is the random state.

A draw has the key (seed, attempt, step, turn, repeat) and a purpose. Whoever asks again gets the same numbers, so nothing
has to be saved to go on exactly, and two processes draw what one would have. Draws are made on the CPU by NumPy's Philox
(Salmon et al. 2011, doi:10.1145/2063384.2063405), whose 128-bit key is a digest of the draw's key, and are the same
whatever the device.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Key:
    """A place in training, or any other place that random numbers belong to."""

    seed: int
    """The user's."""
    attempt: int = 0
    """Counts how often the run went back after a numerical failure."""
    step: int = 0
    turn: str = ""
    """The player, or another occasion: "discriminator", "generator", "grid"."""
    repeat: int = 0
    """Counts the discriminator's turns within a step."""

    def generator(self, purpose: str) -> np.random.Generator:
        """A fresh generator for the draws of one purpose at this place."""
        text = f"{self.seed}/{self.attempt}/{self.step}/{self.turn}/{self.repeat}/{purpose}"
        digest = hashlib.blake2b(text.encode(), digest_size=16).digest()
        return np.random.Generator(np.random.Philox(key=int.from_bytes(digest, "little")))

    def seed_for(self, purpose: str) -> int:
        """A 63-bit seed for a library that keeps its own generator."""
        return int(self.generator(purpose).integers(1 << 63))
