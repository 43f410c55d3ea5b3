"""Which tables look like time series, and which have a date and a word and are none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ganwright.data.opening import open_source
from ganwright.data.series.recognition import Recognised, recognised

DAYS = pd.date_range("2021-01-01", periods=200, freq="D")


def found_in(table: pd.DataFrame) -> Recognised | None:
    source = open_source(table)
    source.load(Path("unused"))
    return recognised(source)


def panel(freq: str, series: int = 5, steps: int = 40) -> pd.DataFrame:
    random = np.random.default_rng(0)
    times = [time for _ in range(series) for time in pd.date_range("2021-01-01", periods=steps, freq=freq)]
    return pd.DataFrame(
        {
            "when": times,
            "station": [f"station {place}" for place in range(series) for _ in range(steps)],
            "wind": random.normal(size=series * steps),
        }
    )


@pytest.mark.parametrize("freq", ["h", "D", "B", "MS", "7min"])
def test_series_in_any_order_of_rows(freq: str) -> None:
    table = panel(freq)
    for rows in (table, table.sample(frac=1, random_state=0), table.sort_values("when")):
        found = found_in(rows.reset_index(drop=True))
        assert found is not None
        assert (found.time, found.series, found.count, found.steps) == ("when", "station", 5, 40)


def test_series_that_take_turns() -> None:
    table = pd.DataFrame(
        {"when": DAYS, "sensor": [f"s{place % 4}" for place in range(len(DAYS))], "heat": np.arange(200) / 7}
    )
    found = found_in(table)
    assert found is not None
    assert (found.series, found.count) == ("sensor", 4)


@pytest.mark.parametrize("share", [0.02, 0.05, 0.2, 0.5])
def test_a_day_that_is_a_holiday_or_not_is_no_series(share: float) -> None:
    for seed in range(10):
        holiday = np.where(np.random.default_rng(seed).random(len(DAYS)) < share, "yes", "no")
        assert found_in(pd.DataFrame({"day": DAYS, "holiday": holiday, "sales": np.arange(200) / 3})) is None


def test_sales_at_any_time_are_no_series() -> None:
    random = np.random.default_rng(0)
    times = pd.Timestamp("2021-01-01") + pd.to_timedelta(np.sort(random.choice(10**7, 500, replace=False)), unit="s")
    product = random.choice(["pen", "ink", "book", "lamp"], 500)
    assert found_in(pd.DataFrame({"when": times, "product": product, "price": random.random(500)})) is None
