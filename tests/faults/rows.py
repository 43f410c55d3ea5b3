"""The rows of the fault list, and those that have no test, with the reason. Tests are named by their row: `test_p6_...`."""

from __future__ import annotations

ROWS = [
    *(f"P{number}" for number in range(1, 25)),
    *(f"N{number}" for number in range(1, 9)),
    *(f"M{number}" for number in range(1, 13)),
    *(f"I{number}" for number in range(1, 16)),
    *(f"C{number}" for number in range(1, 11)),
    *(f"W{number}" for number in range(1, 8)),
    *(f"D{number}" for number in range(1, 13)),
]
"""Processes and storage, numerics, model files, pictures, tables, sounds, several processes."""

NOT_HERE = {
    "P24": "no worker processes load data: batches are read by the training process itself",
    "M10": "there are no bundles: a model is one safetensors file, and no archive is ever unpacked to disk",
}
"""Rows about what has not been built."""
