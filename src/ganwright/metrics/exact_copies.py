"""How many sampled rows of a table are training rows again, cell for cell."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ganwright.metrics.base import Evidence, Metric
from ganwright.metrics.parts.coded import Coded
from ganwright.metrics.parts.measurement import Measurement


@dataclass(frozen=True)
class ExactCopies(Metric):
    """Rows repeat by nature, and the more so the fewer columns there are: held-out rows say how often."""

    def measure(self, evidence: Evidence) -> dict[str, Measurement]:
        tables = evidence.tables
        known = set(_keys(tables.train))

        def share(rows: Coded) -> tuple[float, float]:
            found = float(np.mean([key in known for key in _keys(rows)]))
            return found, math.sqrt(found * (1 - found) / len(rows))

        value, error = share(tables.fake)
        floor = share(tables.held_out) if tables.held_out is not None and len(tables.held_out) else None
        return {
            "exact_copies": Measurement(
                value,
                "lower",
                count=len(tables.fake),
                reference=len(tables.train),
                protocol="share of samples that equal a training row in every cell, which real rows do by chance too",
                error=error,
                floor=floor and floor[0],
                floor_error=floor and floor[1],
                floor_count=None if tables.held_out is None else len(tables.held_out),
                at_floor_count=floor and value,
            )
        }


def _keys(rows: Coded) -> list[bytes]:
    """One for each row, equal where the rows are."""
    table = np.stack([np.where(np.isnan(each), np.inf, each + 0.0) for each in rows.values], 1)  # -0 becomes 0.
    size = table.shape[1] * table.itemsize
    content = table.tobytes()
    return [content[start : start + size] for start in range(0, len(content), size)]
