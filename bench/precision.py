"""Which precision is the faster one here, recipe by recipe?

    python bench/precision.py --seconds 6
    python bench/precision.py --rows dcgan-16,text

A row trains real data with a recipe as it is, in fp32 and in bf16, by turns of a quarter of a second. One JSON line a row:
records a second in each, and the ratio of the rounds' pairs.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from machine import describe_machine
from ready import Ready, ready

from ganwright import Series, Sound, Text
from ganwright.data.preparation import prepare
from ganwright.runtime.allocator import keep_freed_memory

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
CATS, DIGITS, ADULT = "images/cats64.zip", "mnist", "tables/adult_ctgan.csv"
SPOKEN, PLAYS, STOCK = "audio/spoken_digits.zip", "text/tinyshakespeare.txt", "series/google_stock.csv"
POINTS = "points"
"""Of two columns."""
MODALITIES: dict[str, Any] = {STOCK: Series(window=24), SPOKEN: Sound(), PLAYS: Text()}
ROWS: dict[str, tuple[str, str, dict[str, Any]]] = {
    **{f"dcgan-{width}": (CATS, "dcgan", {"network": {"width": width}}) for width in (8, 16, 32, 64)},
    "dcgan-published": (CATS, "dcgan-published", {}),
    "rpgan": (CATS, "rpgan", {}),
    "resnet": (CATS, "resnet", {}),
    "fastgan": (CATS, "fastgan", {}),
    "r3gan": (CATS, "r3gan", {}),
    "digits-dcgan-16": (DIGITS, "dcgan", {"network": {"width": 16}}),
    "mlp": (DIGITS, "mlp", {}),
    "columns": (ADULT, "columns", {}),
    "spectrogram": (SPOKEN, "spectrogram", {}),
    "points": (POINTS, "points", {}),
    **{recipe: (PLAYS, recipe, {}) for recipe in ("text", "wgan_gp_text")},
    **{recipe: (STOCK, recipe, {}) for recipe in ("doppelganger", "conv_series", "recurrent_series")},
}
ROUNDS = 8
"""At least, of each precision."""
TURN_SECONDS = 0.25
WARM = 20
"""Steps before: lazy penalties and choices of kernels come among them."""
LIMIT = 4096
"""Records."""


def main() -> int:
    """A line a row."""
    parser = argparse.ArgumentParser(description="Which precision is the faster one here?")
    parser.add_argument("--rows", default=",".join(ROWS))
    parser.add_argument("--seconds", type=float, default=6.0, help="of training in all, for each row")
    options = parser.parse_args()
    keep_freed_memory()
    for row in options.rows.split(","):
        print(json.dumps(measure(row, options.seconds)), flush=True)
    return 0


def measure(row: str, seconds: float) -> dict[str, Any]:
    """Both precisions in turns, each training a pair of its own."""
    file, recipe, settings = ROWS[row]
    source = np.random.default_rng(0).normal(size=(LIMIT, 2)) if file == POINTS else DATA / file
    dataset = prepare(source, MODALITIES.get(file), limit=LIMIT)
    runs = {precision: ready(dataset, recipe, {**settings, "precision": precision}) for precision in ("fp32", "bf16")}
    for run in runs.values():
        for _ in range(WARM):
            run.step()
    rates: dict[str, list[float]] = {precision: [] for precision in runs}
    ends = time.monotonic() + seconds
    while time.monotonic() < ends or len(rates["bf16"]) < ROUNDS:
        for precision, run in runs.items():
            rates[precision].append(rate(run))
    ratios = sorted(bf16 / fp32 for fp32, bf16 in zip(rates["fp32"], rates["bf16"], strict=True))
    quarter = len(ratios) // 4
    return {
        "row": row,
        "batch": runs["fp32"].config.batch,
        "per_second": {precision: round(median(each), 1) for precision, each in rates.items()},
        "bf16_to_fp32": round(median(ratios), 3),
        "quartiles": [round(ratios[quarter], 3), round(ratios[-1 - quarter], 3)],
        "protocol": f"{len(ratios)} rounds of {TURN_SECONDS} s each, or of one step",
        "machine": describe_machine(),
    }


def rate(run: Ready) -> float:
    """Records a second over a turn."""
    began, steps = time.perf_counter(), 0
    while steps == 0 or time.perf_counter() - began < TURN_SECONDS:
        run.step()
        steps += 1
    return steps * run.config.samples_per_step / (time.perf_counter() - began)


if __name__ == "__main__":
    sys.exit(main())
