"""Seconds and memory that preparing a wide and long table takes, and training on it.

    python bench/wide_table.py [--rows 1000000] [--steps 50] [--profile]

Writes a table of 25 decimal, 10 whole, 10 word and 5 date columns as CSV into a temporary folder, prepares it there, and
prints one line of JSON: seconds to index, to fit and to pack, cells a second over all three, and the peak of memory. With
`--steps` a model is then trained, sampled and saved as a user would, and a second line gives seconds and the peak of it all.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import os
import pstats
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from unittest.mock import patch

import numpy as np
from machine import describe_machine

from ganwright import GAN
from ganwright.data.preparation import prepare
from ganwright.runtime.memory import peak_bytes

DECIMALS, WHOLES, WORDS, DATES = 25, 10, 10, 5
CHUNK = 20_000


def write_table(path: Path, rows: int, seed: int = 0) -> None:
    """A CSV file with that many rows."""
    names = [
        f"{kind}_{place}"
        for kind, count in (("decimal", DECIMALS), ("whole", WHOLES), ("word", WORDS), ("date", DATES))
        for place in range(count)
    ]
    with path.open("w", encoding="utf-8") as file:
        file.write(",".join(names) + "\n")
        for start in range(0, rows, CHUNK):
            for row in zip(*_columns(min(CHUNK, rows - start), np.random.default_rng([seed, start])), strict=True):
                file.write(",".join(row) + "\n")


def _columns(count: int, random: np.random.Generator) -> list[list[str]]:
    columns = [[f"{value:.4f}" for value in random.normal(100, 30, count).tolist()] for _ in range(DECIMALS)]
    columns += [[str(value) for value in random.integers(0, 10 ** (1 + i % 6), count).tolist()] for i in range(WHOLES)]
    columns += [[f"word{value}" for value in random.integers(0, 5 * 2**i, count).tolist()] for i in range(WORDS)]
    days = np.datetime64("2010-01-01") + np.arange(5000)
    texts = np.datetime_as_string(days).astype(object)
    return columns + [texts[random.integers(0, len(days), count)].tolist() for _ in range(DATES)]


def measure(rows: int, steps: int, profile: bool = False) -> Iterator[dict[str, object]]:
    """The facts of one preparation, and those of one training."""
    with tempfile.TemporaryDirectory() as folder, patch.dict(os.environ, GANWRIGHT_CACHE=f"{folder}/cache"):
        path = Path(folder) / "wide.csv"
        write_table(path, rows)
        first_seen: dict[str, float] = {}

        def note(what: str, done: int, total: int) -> None:
            first_seen.setdefault(what, time.perf_counter())

        profiler = cProfile.Profile() if profile else None
        if profiler:
            profiler.enable()
        began, used = time.perf_counter(), time.process_time()
        dataset = prepare(path, progress=note)
        ended, used = time.perf_counter(), time.process_time() - used
        if profiler:
            profiler.disable()
            pstats.Stats(profiler).sort_stats("tottime").print_stats(35)
        cells = rows * (DECIMALS + WHOLES + WORDS + DATES)
        yield {
            "rows": len(dataset),
            "megabytes": round(path.stat().st_size / 1e6),
            **_stages(first_seen, began, ended),
            "processor_seconds": round(used, 2),
            "cells_per_second": round(cells / (ended - began)),
            "cells_per_processor_second": round(cells / used),
            "peak_gib": peak_gib(),
            **describe_machine(),
        }
        if steps:
            began = time.perf_counter()
            gan = GAN(seed=0).fit(path, steps=steps, run=Path(folder) / "run")
            fitted = time.perf_counter()
            made = gan.sample(10_000)
            yield {
                "steps": gan.ended_.step,
                "width": gan.model_.spec.shape[0],
                "fit_seconds": round(fitted - began, 1),
                "sample_seconds": round(time.perf_counter() - fitted, 1),
                "sampled": len(made),
                "model_megabytes": round((Path(folder) / "run" / "model.safetensors").stat().st_size / 1e6, 1),
                "peak_gib": peak_gib(),
            }


def peak_gib() -> float:
    """The most memory that this process has had."""
    return round((peak_bytes() or 0) / 2**30, 2)


def _stages(first_seen: dict[str, float], began: float, ended: float) -> dict[str, float]:
    """Seconds of each stage; a stage tells of itself after its first chunk, which is counted as the last one's."""
    fit = first_seen.get("looking at rows", began)
    pack = next((at for what, at in first_seen.items() if what.startswith("packing")), ended)
    return {
        "index_seconds": round(fit - began, 2),
        "fit_seconds": round(pack - fit, 2),
        "pack_seconds": round(ended - pack, 2),
        "seconds": round(ended - began, 2),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the lines."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--steps", type=int, default=0, help="also train for so many")
    parser.add_argument("--profile", action="store_true", help="also print where the time goes")
    options = parser.parse_args(arguments)
    for line in measure(options.rows, options.steps, options.profile):
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
