"""What rows that Ganwright makes are worth: train on them, test on real ones.

    python bench/tables.py adult --minutes 20               # macro-F1 and AUC, as the published table has them
    python bench/tables.py california --minutes 20          # R2
    python bench/tables.py adult --real           # real rows: shows that the judge is right

Prints one JSON line for each training seed, and one for all of them. The judge is CatBoost, in an environment of its own,
made on the first run (in the cache, `bench/tables-env`; catboost from PyPI).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from machine import describe_machine

from ganwright import GAN

TABLES = Path(__file__).resolve().parents[2] / "shared" / "data" / "tables"
ADULT = [
    *("age", "workclass", "fnlwgt", "education", "education-num", "marital-status", "occupation", "relationship", "race"),
    *("sex", "capital-gain", "capital-loss", "hours-per-week", "native-country", "income"),
]
JUDGING = ("catboost>=1.2", "scikit-learn>=1.5", "pandas>=2.2")
JUDGE = Path(__file__).with_name("tables_judge.py")


@dataclass(frozen=True)
class Task:
    """Rows to learn from, rows to be tested on, and what is to be told."""

    train: pd.DataFrame
    test: pd.DataFrame
    target: str
    positive: str | None = None


def adult(folder: Path) -> Task:
    """The 32,561 training rows and the 16,281 test rows as published."""

    def read(name: str) -> pd.DataFrame:
        table = pd.read_csv(folder / name, names=ADULT, dtype=str, skipinitialspace=True, keep_default_na=False)
        table = table[table.age.str.isdigit()]
        return table.assign(income=table.income.str.rstrip(".")).reset_index(drop=True)

    return Task(read("adult_train_raw.csv"), read("adult_test_raw.csv"), "income", ">50K")


def california(folder: Path) -> Task:
    """A fifth of the rows, drawn once, is the test."""
    table = pd.read_csv(folder / "california_housing.csv", dtype=str, keep_default_na=False)
    order = np.random.default_rng(0).permutation(len(table))
    cut = len(table) // 5
    test, train = (table.iloc[places].reset_index(drop=True) for places in (order[:cut], order[cut:]))
    return Task(train, test, "median_house_value")


TASKS = {"adult": adult, "california": california}


def main() -> int:
    """Print JSON lines; 0 when measured, or skipped for want of the data."""
    parser = argparse.ArgumentParser(description="Train on made rows, test on real ones.")
    parser.add_argument("task", choices=TASKS)
    parser.add_argument("--data", type=Path, default=TABLES, help="the folder of the tables")
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--training-seeds", type=int, default=3)
    parser.add_argument("--sampling-seeds", type=int, default=5)
    parser.add_argument("--iterations", type=int, default=1000, help="of CatBoost")
    parser.add_argument("--recipe")
    parser.add_argument("--keep", type=Path, help="a folder for the models")
    parser.add_argument("--real", action="store_true", help="judge the real training rows")
    options = parser.parse_args()
    if not options.data.is_dir():
        print(f"tables: skipped: there is no folder {options.data}", file=sys.stderr)
        return 0
    task = TASKS[options.task](options.data)
    python = environment()
    shared = {"task": options.task, "judge": f"CatBoost, {options.iterations} trees", "machine": describe_machine()}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        task.train.to_csv(folder / "train.csv", index=False)
        task.test.to_csv(folder / "test.csv", index=False)
        if options.real:
            found = [
                judged(python, folder, "train.csv", task, seed, options.iterations) for seed in range(options.sampling_seeds)
            ]
            print(json.dumps({"rows": "real", **summary(found), "judge_seeds": options.sampling_seeds, **shared}))
            return 0
        everything: list[dict[str, float]] = []
        for seed in range(options.training_seeds):
            began = time.monotonic()
            gan = GAN(options.recipe, seed=seed).fit(folder / "train.csv", minutes=options.minutes)
            seconds = time.monotonic() - began
            if options.keep:
                options.keep.mkdir(parents=True, exist_ok=True)
                gan.save(options.keep / f"{options.task}-{seed}.safetensors")
            found = []
            for sampling in range(options.sampling_seeds):
                rows = gan.sample(len(task.train), seed=sampling)
                gan.model_.codec.write(rows, folder / "made.csv", 0)
                found.append(judged(python, folder, "made.csv", task, 0, options.iterations))
            everything += found
            facts = {"seed": seed, "seconds": round(seconds, 1), "steps": gan.ended_.step, "kept_step": gan.ended_.kept_step}
            line = {"rows": "made", **summary(found), **facts, **shared}
            print(json.dumps(line), flush=True)
        seeds = f"{options.training_seeds} training seeds of {options.minutes:g} minutes"
        seeds += f", {options.sampling_seeds} sampling seeds each"
        protocol = f"{seeds}, as many rows as there are for training; mean and standard deviation over all"
        print(json.dumps({"rows": "made", **summary(everything), "protocol": protocol, **shared}))
    return 0


def judged(python: Path, folder: Path, name: str, task: Task, seed: int, iterations: int) -> dict[str, float]:
    """What the judge says of a file in `folder`."""
    command = [str(python), str(JUDGE), str(folder / name), str(folder / "test.csv"), task.target]
    command += ["--seed", str(seed), "--iterations", str(iterations)]
    command += ["--positive", task.positive] if task.positive else []
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=clean_environment())
    return json.loads(done.stdout)


def summary(found: list[dict[str, float]]) -> dict[str, Any]:
    """Means, and standard deviations, of everything but the number of rows."""
    names = [name for name in found[0] if name != "rows"]
    means = {name: round(float(np.mean([each[name] for each in found])), 4) for name in names}
    return means | {f"{name}_spread": round(float(np.std([each[name] for each in found])), 4) for name in names}


def environment(name: str = "tables-env", packages: Sequence[str] = JUDGING) -> Path:
    """The Python of an environment in the cache, which is made where there is none yet."""
    cache = Path(os.environ.get("GANWRIGHT_CACHE", Path.home() / ".cache" / "ganwright"))
    folder = cache / "bench" / name
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", *packages], check=True, stdout=sys.stderr)
        (folder / "ready").touch()
    return python


def clean_environment() -> dict[str, str]:
    """What another environment's Python should know of this one's."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


if __name__ == "__main__":
    sys.exit(main())
