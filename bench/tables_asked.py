"""Are rows that were asked for like the real rows of that kind?

    python bench/tables_asked.py MODEL [--requests 20] [--rows 1000]

MODEL was trained on Adult's training rows, as tables.py has them. Requests are drawn at random: a column, then one of its
cells that at least `--fewest` real rows have. Rows are sampled with that cell asked for; each other column is held against
the real rows that have it, by the largest gap between two distribution functions (numbers) or half the sum of the
differences of shares (words). Beside it stand what as many real rows of that kind would get (the 95th percentile of
`--draws`), and what rows get for which the request was ignored. Prints one JSON line a request, and one for all.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from machine import describe_machine
from tables import TABLES, adult

import ganwright


def main() -> int:
    """Print JSON lines; 0 when every row was as asked for, 1 when one was not."""
    parser = argparse.ArgumentParser(description="Ask a model of Adult for rows of a kind.")
    parser.add_argument("model")
    parser.add_argument("--data", type=Path, default=TABLES, help="the folder of the tables")
    parser.add_argument("--requests", type=int, default=20)
    parser.add_argument("--rows", type=int, default=1_000)
    parser.add_argument("--fewest", type=int, default=200)
    parser.add_argument("--draws", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if not options.data.is_dir():
        print(f"tables_asked: skipped: there is no folder {options.data}", file=sys.stderr)
        return 0
    task = adult(options.data)
    real = pd.concat([task.train, task.test], ignore_index=True)
    model = ganwright.load(options.model)
    random = np.random.default_rng(options.seed)
    ignored = as_text(model.sample(options.rows, seed=options.seed))
    found: list[dict[str, Any]] = []
    for number in range(options.requests):
        column, cell = request(real, random, options.fewest)
        began = time.monotonic()
        made = as_text(model.sample(options.rows, seed=number, where={column: cell}))
        seconds = time.monotonic() - began
        kind = real[real[column] == cell]
        others = [name for name in real if name != column]
        distances = {name: distance(made[name], kind[name]) for name in others}
        limits = {name: by_chance(kind[name], options.rows, options.draws, random) for name in others}
        line = {
            "asked": f"{column}={cell}",
            "real_rows": len(kind),
            "matching": float((made[column] == cell).mean()),
            "distance": round(float(np.mean(list(distances.values()))), 4),
            "by_chance": round(float(np.mean(list(limits.values()))), 4),
            "request_ignored": round(float(np.mean([distance(ignored[name], kind[name]) for name in others])), 4),
            "within_chance": round(float(np.mean([distances[name] <= limits[name] for name in others])), 3),
            "worst": max(distances, key=distances.__getitem__),
            "worst_distance": round(max(distances.values()), 4),
            "seconds": round(seconds, 2),
        }
        found.append(line)
        print(json.dumps(line), flush=True)
    means = {name: round(float(np.mean([each[name] for each in found])), 4) for name in found[0] if name in MEANS}
    all_right = all(each["matching"] == 1 for each in found)
    facts = {"requests": len(found), "rows": options.rows, "seed": options.seed, "machine": describe_machine()}
    print(json.dumps({"mean of all": means, "every row as asked for": all_right, **facts}))
    return 0 if all_right else 1


MEANS = ("distance", "by_chance", "request_ignored", "within_chance", "seconds")


def request(real: pd.DataFrame, random: np.random.Generator, fewest: int) -> tuple[str, str]:
    """A column, and one of its cells that enough rows have."""
    frequent = {name: [cell for cell, count in real[name].value_counts().items() if count >= fewest] for name in real}
    column = str(random.choice([name for name, cells in frequent.items() if cells]))
    return column, str(random.choice(sorted(map(str, frequent[column]))))


def as_text(frame: pd.DataFrame) -> pd.DataFrame:
    """Cells as the file has them."""
    return frame.astype(str)


def distance(one: pd.Series, other: pd.Series) -> float:
    """Between two columns, 0 (alike) to 1."""
    a, b = pd.to_numeric(one, errors="coerce"), pd.to_numeric(other, errors="coerce")
    if min(a.notna().mean(), b.notna().mean()) > 0.9:
        values = np.union1d(a, b)
        ranks = [np.searchsorted(np.sort(each), values, "right") / len(each) for each in (a, b)]
        return float(np.abs(ranks[0] - ranks[1]).max())
    shares = [each.value_counts(normalize=True) for each in (one, other)]
    return float(shares[0].sub(shares[1], fill_value=0).abs().sum() / 2)


def by_chance(column: pd.Series, rows: int, draws: int, random: np.random.Generator) -> float:
    """The 95th percentile of the distance of as many real rows, drawn with replacement."""
    gaps = [distance(column.iloc[random.integers(0, len(column), rows)], column) for _ in range(draws)]
    return float(np.quantile(gaps, 0.95))


if __name__ == "__main__":
    sys.exit(main())
