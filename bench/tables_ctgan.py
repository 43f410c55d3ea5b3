"""Fit ctgan to a table and sample it: the other side of tables_beside.py, run by it in an environment that has ctgan.

    ENVIRONMENT/bin/python bench/tables_ctgan.py TRAIN.csv MADE.csv --epochs 10 [--seed 0] [--repeats 3]

With its own defaults. Prints one JSON line: seconds that reading and fitting took, seconds of each sampling of as many rows
as TRAIN.csv has.
"""

from __future__ import annotations

import argparse
import json
import time

import numpy as np
import pandas as pd
import torch
from ctgan import CTGAN


def main() -> None:
    """Print one JSON line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("train")
    parser.add_argument("made")
    parser.add_argument("--epochs", type=int, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    np.random.seed(options.seed)  # noqa: TID251 - ctgan draws from the global generators
    torch.manual_seed(options.seed)
    began = time.monotonic()
    train = pd.read_csv(options.train, keep_default_na=False)
    words = [name for name in train if not pd.api.types.is_numeric_dtype(train[name])]
    model = CTGAN(epochs=options.epochs)
    model.fit(train, words)
    fitted = time.monotonic() - began
    sampled: list[float] = []
    for _ in range(options.repeats):
        began = time.monotonic()
        made = model.sample(len(train))
        sampled.append(time.monotonic() - began)
        made.to_csv(options.made, index=False)
    print(json.dumps({"fit_seconds": fitted, "sample_seconds": sampled, "rows": len(train)}))


if __name__ == "__main__":
    main()
