"""Ganwright and ctgan 0.12 on one table, one after the other on the same machine.

    python bench/tables_beside.py --minutes 10

First both see every row `--epochs` times: seconds from the file to the fitted model, rows sampled per second. Then both
train for the same time, what ctgan needs for as many passes as fit into `--minutes`, and their rows are judged: what they
are worth to CatBoost on real rows, whether they can be told from real ones, whether pairs of columns hang together. Prints
one JSON line for each measurement. ctgan has an environment of its own, made on the first run (in the cache,
`bench/ctgan-env`); nothing of it is used but this.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from machine import describe_machine
from tables import TABLES, TASKS, Task, clean_environment, environment, judged

import ganwright
from ganwright import GAN, Model

OTHER = Path(__file__).with_name("tables_ctgan.py")
# A newer torch would bring gigabytes of CUDA with it.
PACKAGES = ("ctgan==0.12.*", "torch>=2.10,<2.14")
MEASURES = ("detection", "trends", "shapes")


def main() -> int:
    """Print JSON lines; 0 when measured, or skipped for want of the data."""
    parser = argparse.ArgumentParser(description="Hold Ganwright beside ctgan.")
    parser.add_argument("--task", choices=TASKS, default="adult")
    parser.add_argument("--data", type=Path, default=TABLES, help="the folder of the tables")
    parser.add_argument("--epochs", type=int, default=10, help="passes of both for the comparison of speed")
    parser.add_argument("--minutes", type=float, default=10, help="of both for the comparison of quality")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--repeats", type=int, default=3, help="of sampling")
    options = parser.parse_args()
    if not options.data.is_dir():
        print(f"tables_beside: skipped: there is no folder {options.data}", file=sys.stderr)
        return 0
    task = TASKS[options.task](options.data)
    judge, python = environment(), environment("ctgan-env", PACKAGES)
    shared = {"task": options.task, "rows": len(task.train), "seed": options.seed, "machine": describe_machine()}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        task.train.to_csv(folder / "train.csv", index=False)
        task.test.to_csv(folder / "test.csv", index=False)

        def other(epochs: int) -> dict[str, Any]:
            command = [str(python), str(OTHER), str(folder / "train.csv"), str(folder / "ctgan.csv")]
            command += ["--epochs", str(epochs), "--seed", str(options.seed), "--repeats", str(options.repeats)]
            done = subprocess.run(command, capture_output=True, text=True, check=True, env=clean_environment())
            return json.loads(done.stdout)

        prepared, theirs = other(0), other(options.epochs)
        ours, seconds = fitted(folder / "train.csv", options.seed, epochs=options.epochs)
        line = {"compared": "seconds to fit", "passes": options.epochs, "ganwright": round(seconds, 1)}
        line |= {"ctgan": round(theirs["fit_seconds"], 1), "of_that_before_training": round(prepared["fit_seconds"], 1)}
        print(json.dumps({**line, "times": round(theirs["fit_seconds"] / seconds, 2), **shared}), flush=True)

        speed = rates(ours, len(task.train), options.repeats)
        their_speed = [theirs["rows"] / each for each in theirs["sample_seconds"]]
        line = {"compared": "rows sampled per second", "ganwright": spread(speed), "ctgan": spread(their_speed)}
        print(json.dumps({**line, "times": round(np.median(speed) / np.median(their_speed), 2), **shared}), flush=True)

        a_pass = (theirs["fit_seconds"] - prepared["fit_seconds"]) / options.epochs
        passes = max(1, int((options.minutes * 60 - prepared["fit_seconds"]) / a_pass))
        theirs = other(passes)
        ours, seconds = fitted(folder / "train.csv", options.seed, seconds=theirs["fit_seconds"])
        ours.codec.write(ours.sample(len(task.train), seed=options.seed), folder / "ganwright.csv", 0)
        for name, took in (("ganwright", seconds), ("ctgan", theirs["fit_seconds"])):
            line = {"compared": "quality", "of": name, "seconds": round(took, 1)}
            line |= {"ctgan_passes": passes, **quality(judge, folder, f"{name}.csv", task)}
            print(json.dumps({**line, **shared}), flush=True)
    return 0


def fitted(path: Path, seed: int, **budget: float) -> tuple[Model, float]:
    """A model of the table, and the seconds from the file to it, nothing cached."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as cache, patch.dict(os.environ, GANWRIGHT_CACHE=cache):
        gan = GAN(seed=seed).fit(path, **budget)  # type: ignore[arg-type]
        return gan.model_, time.monotonic() - began


def rates(model: Model, rows: int, repeats: int) -> list[float]:
    """Rows per second of each of `repeats` samplings."""
    found: list[float] = []
    for seed in range(repeats):
        began = time.monotonic()
        model.sample(rows, seed=seed)
        found.append(rows / (time.monotonic() - began))
    return found


def quality(python: Path, folder: Path, name: str, task: Task) -> dict[str, float]:
    """What the rows in a file are worth; the measures of Ganwright's evaluation are against the training rows."""
    found = ganwright.evaluate(folder / "train.csv", folder / name, held_out=folder / "test.csv").measurements
    measures = {each: round(found[each].value, 4) for each in MEASURES}
    return judged(python, folder, name, task, 0, 1000) | measures


def spread(values: list[float]) -> dict[str, float]:
    """Median, smallest and largest."""
    return {"median": round(float(np.median(values))), "least": round(min(values)), "most": round(max(values))}


if __name__ == "__main__":
    sys.exit(main())
