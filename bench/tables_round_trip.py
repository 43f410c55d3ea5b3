"""Do rows come back as the data's were, without any option given?

    python bench/tables_round_trip.py [titanic penguins taxis diamonds auto_imports] [--minutes 2]

Trains on each table, writes as many rows as it has, and holds the two files against each other as text: columns, kinds that
are found anew in what was written, missing cells, decimals, dates, words and ranges. Prints one JSON line a table; what was
written and the report of its evaluation are left in `--keep`, if that is given, to be looked at.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from machine import describe_machine
from tables import TABLES

from ganwright import GAN
from ganwright.data.modalities.table import TableCodec
from ganwright.data.preparation import prepare

FILES = {
    "titanic": "titanic_kaggle_train.csv",
    "penguins": "penguins.csv",
    "taxis": "taxis.csv",
    "diamonds": "diamonds.csv",
    "auto_imports": "auto_imports.csv",
}
NOTHING = ("", "?", "NA", "NaN", "nan")
MANY = 5_000
POINTS = 2.0
"""Of missing cells, in hundredths of all, by which a column may differ."""


def main() -> int:
    """Print JSON lines; 0 when all came back as they were, 1 otherwise."""
    parser = argparse.ArgumentParser(description="Train on tables and hold what is written against them.")
    parser.add_argument("tables", nargs="*", default=list(FILES), help=", ".join(FILES))
    parser.add_argument("--data", type=Path, default=TABLES, help="the folder of the tables")
    parser.add_argument("--minutes", type=float, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="a folder for what was written and the reports")
    options = parser.parse_args()
    if unknown := set(options.tables) - set(FILES):
        parser.error(f"no such table: {', '.join(unknown)}")
    if not options.data.is_dir():
        print(f"tables_round_trip: skipped: there is no folder {options.data}", file=sys.stderr)
        return 0
    wrong = 0
    for name in options.tables:
        with tempfile.TemporaryDirectory() as scratch:
            folder = (options.keep or Path(scratch)) / name
            line = round_trip(options.data / FILES[name], folder, options.minutes, options.seed)
        wrong += sum(map(len, line["wrong"].values()))
        print(json.dumps({"table": name, **line, "machine": describe_machine()}), flush=True)
    return int(wrong > 0)


def round_trip(path: Path, folder: Path, minutes: float, seed: int) -> dict[str, Any]:
    """What became of the rows of a file."""
    folder.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    model = GAN(seed=seed).fit(path, minutes=minutes).model_
    codec = model.codec
    assert isinstance(codec, TableCodec)
    fitted = time.monotonic()
    real = as_text(path, codec)
    made_path = folder / "made.csv"
    codec.write(model.sample(len(real), seed=seed), made_path, 0)
    made = as_text(made_path, codec)
    found = model.evaluate(path, folder=folder, seed=seed).measurements
    kinds = {column.name: column.kind for column in codec.columns}
    again = {column.name: column.kind for column in prepare(made_path).codec.columns}  # type: ignore[attr-defined]
    # Of so many rows that a hundredth is no matter of chance.
    codec.write(model.sample(max(len(real), MANY), seed=seed + 1), folder / "many.csv", 0)
    many = as_text(folder / "many.csv", codec)
    gaps = {name: 100 * abs(missing(many[name]).mean() - missing(real[name]).mean()) for name in made}
    measured = [name for name, kind in kinds.items() if kind in ("whole", "decimal")]
    words = [name for name, kind in kinds.items() if kind in ("category", "yes/no")]
    dates = [name for name, kind in kinds.items() if kind == "date"]
    wrong = {
        "columns": sorted(set(real) ^ set(made) ^ set(codec.left_out)),
        "kinds": [f"{name}: {kind} -> {again.get(name)}" for name, kind in kinds.items() if again.get(name) != kind],
        "missing": [f"{name}: {gap:.1f} points" for name, gap in gaps.items() if gap > POINTS],
        "decimals": [name for name in measured if decimals(made[name]) - decimals(real[name])],
        "dates": [name for name in dates if shapes(made[name]) - shapes(real[name])],
        "words": [name for name in words if set(made[name]) - set(real[name])],
        "range": [name for name in measured if outside(made[name], real[name])],
    }
    return {
        "rows": len(real),
        "kinds": kinds,
        "left_out": list(codec.left_out),
        "constraints": [str(each) for each in codec.constraints],
        "wrong": wrong,
        "largest_gap_of_missing": round(max(gaps.values()), 2),
        "measures": {name: round(found[name].value, 4) for name in ("shapes", "trends", "detection") if name in found},
        "fit_seconds": round(fitted - began, 1),
    }


def as_text(path: Path, codec: TableCodec) -> pd.DataFrame:
    """The cells of a file as they are written."""
    header = 0 if codec.style.header else None
    table = pd.read_csv(path, sep=codec.style.delimiter, dtype=str, keep_default_na=False, header=header)
    if header is None:
        known = [column.name for column in codec.columns]
        table.columns = known if len(known) == table.shape[1] else table.columns
    return table


def missing(cells: pd.Series) -> pd.Series:
    """Which cells have nothing in them."""
    return cells.isin(NOTHING)


def decimals(cells: pd.Series) -> set[int]:
    """How many digits numbers have behind the point."""
    return {len(cell.partition(".")[2]) for cell in cells[~missing(cells)]}


def shapes(cells: pd.Series) -> set[str]:
    """Dates with every digit as 0."""
    return {re.sub(r"\d", "0", cell) for cell in cells[~missing(cells)]}


def outside(made: pd.Series, real: pd.Series) -> bool:
    """Whether a number lies out of what was seen."""
    a, b = (pd.to_numeric(cells[~missing(cells)]).to_numpy(np.float64) for cells in (made, real))
    return bool(len(a) and (a.min() < b.min() or a.max() > b.max()))


if __name__ == "__main__":
    sys.exit(main())
