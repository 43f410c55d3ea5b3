"""One number with all that is needed to read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Better = Literal["lower", "higher", "near one"]
NORMAL_95 = 1.96
"""Standard errors to either side of a value that make a 95% interval."""


@dataclass(frozen=True)
class Measurement:
    """A measured value, how sure it is, and what real records would have got."""

    value: float
    better: Better
    count: int
    """Samples that were measured."""
    reference: int
    """Real records that they were compared with."""
    protocol: str
    """How it was measured, in one sentence, features left out: those are the evaluation's."""
    error: float | None = None
    """Standard error of `value` at that count; None where there is none."""
    floor: float | None = None
    """The same measure of held-out real records in the place of samples; None without any."""
    floor_error: float | None = None
    floor_count: int | None = None
    """Held-out records in the floor."""
    at_floor_count: float | None = None
    """The samples' value at the floor's counts, where those differ: this one is to be held against the floor."""

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95% interval of `value`."""
        if self.error is None:
            return None
        return self.value - NORMAL_95 * self.error, self.value + NORMAL_95 * self.error
