"""What gradient-boosted trees learn from rows of a table: the usual judge of such data, quick, and without settings to tune.

Friedman 2001 (doi:10.1214/aos/1013203451), in scikit-learn's histogram form, which splits words by sets of them and sends
missing cells to the better side.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ganwright.metrics.parts.coded import CodedColumn

MOST_WORDS = 250
"""Words of a column that the trees tell apart; the rarer ones count as one."""
ROUNDS = 100
ROUNDS_OF_ALL_CLASSES = 150
FEWEST_ROUNDS = 10
FEWEST_ROWS = 5

Reader = Callable[[np.ndarray], np.ndarray]


def learn_classes(table: np.ndarray, labels: np.ndarray, classes: int, columns: Sequence[CodedColumn]) -> Reader:
    """Learns classes int64 (N,) in 0..classes - 1 from rows (N, C), as `Coded.numbers` gives them with MOST_WORDS.

    What it gives back makes chances (M, classes) of rows (M, C). A class that no row has gets none.
    """
    present = np.unique(labels)

    def all_classes(chances: np.ndarray) -> np.ndarray:
        found = np.zeros((len(chances), classes))
        found[:, present] = chances
        return found

    kept = _told(table)
    if len(present) < 2 or not kept.any():
        shares = np.bincount(labels, minlength=classes)[present] / max(len(labels), 1)
        return lambda rows: all_classes(np.tile(shares, (len(rows), 1)))
    from sklearn.ensemble import HistGradientBoostingClassifier

    # Of more than two classes every round grows a tree for each.
    rounds = ROUNDS if len(present) == 2 else max(FEWEST_ROUNDS, ROUNDS_OF_ALL_CLASSES // len(present))
    trees = HistGradientBoostingClassifier(max_iter=rounds, **_settings(columns, kept))
    with _one_thread():
        trees.fit(table[:, kept], labels)

    def read(rows: np.ndarray) -> np.ndarray:
        with _one_thread():
            return all_classes(trees.predict_proba(rows[:, kept]))

    return read


def learn_numbers(table: np.ndarray, numbers: np.ndarray, columns: Sequence[CodedColumn]) -> Reader:
    """Learns numbers float64 (N,) from rows (N, C); what it gives back makes numbers (M,) of rows (M, C)."""
    kept = _told(table)
    if not kept.any():
        mean = float(numbers.mean()) if len(numbers) else 0.0
        return lambda rows: np.full(len(rows), mean)
    from sklearn.ensemble import HistGradientBoostingRegressor

    trees = HistGradientBoostingRegressor(max_iter=ROUNDS, **_settings(columns, kept))
    with _one_thread():
        trees.fit(table[:, kept], numbers)

    def read(rows: np.ndarray) -> np.ndarray:
        with _one_thread():
            return trees.predict(rows[:, kept])

    return read


def _one_thread() -> Any:
    """Sums come out the same on any machine; and of so few rows, more threads wait for each other longer than they work."""
    from threadpoolctl import threadpool_limits  # which scikit-learn brings

    return threadpool_limits(1, user_api="openmp")


def _told(table: np.ndarray) -> np.ndarray:
    """bool (C,): the columns that hold anything; none where there are too few rows to learn from."""
    if len(table) < FEWEST_ROWS:
        return np.zeros(table.shape[1], bool)
    return np.asarray(~np.isnan(table).all(axis=0))


def _settings(columns: Sequence[CodedColumn], kept: np.ndarray) -> dict[str, Any]:
    words = np.array([not column.is_number for column in columns])[kept]
    return {"random_state": 0, "early_stopping": False, "categorical_features": words if words.any() else None}
