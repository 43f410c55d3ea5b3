"""What a table is worth to a model that learns from it: CatBoost trained on it, tested on real rows.

    ENVIRONMENT/bin/python bench/tables_judge.py TRAIN.csv TEST.csv TARGET [--positive WORD] [--seed 0] [--iterations 1000]

Run by tables.py in an environment that has catboost. Both files have the same columns, names in the first line. Prints one
JSON line: macro-F1, AUC and accuracy for a word (of which `--positive` is the one to be told), R2 for a number.
"""

from __future__ import annotations

import argparse
import json

import numpy as np
import pandas as pd
from catboost import CatBoostClassifier, CatBoostRegressor
from sklearn.metrics import accuracy_score, f1_score, r2_score, roc_auc_score


def main() -> None:
    """Print one JSON line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("train")
    parser.add_argument("test")
    parser.add_argument("target")
    parser.add_argument("--positive")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--iterations", type=int, default=1000)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    test = read(options.test)
    numbers = [name for name in test if pd.to_numeric(test[name], errors="coerce").notna().mean() > 0.9]
    train = typed(read(options.train), numbers)[list(test)]
    test = typed(test, numbers)
    inputs = [name for name in test if name != options.target]
    shared = {
        "cat_features": [name for name in inputs if name not in numbers],
        "random_seed": options.seed,
        "iterations": options.iterations,
        "thread_count": options.threads,
        "verbose": 0,
        "allow_writing_files": False,
    }
    if options.positive is None:
        known = train[options.target].notna()
        model = CatBoostRegressor(**shared).fit(train.loc[known, inputs], train.loc[known, options.target])
        print(json.dumps({"r2": r2_score(test[options.target], model.predict(test[inputs])), "rows": len(train)}))
        return
    learned, truth = (np.asarray(table[options.target] == options.positive, int) for table in (train, test))
    share = CatBoostClassifier(**shared).fit(train[inputs], learned).predict_proba(test[inputs])[:, 1]
    found = {
        "f1": f1_score(truth, share > 0.5, average="macro"),
        "auc": roc_auc_score(truth, share),
        "accuracy": accuracy_score(truth, share > 0.5),
        "rows": len(train),
    }
    print(json.dumps(found))


def read(path: str) -> pd.DataFrame:
    """All cells as text."""
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def typed(table: pd.DataFrame, numbers: list[str]) -> pd.DataFrame:
    """Columns of numbers as such, missing ones as NaN."""
    return table.assign(**{name: pd.to_numeric(table[name], errors="coerce") for name in numbers})


if __name__ == "__main__":
    main()
