"""Rows as time series: grouped, cut, scaled, and back again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from support import station_rows, tiny_series

from ganwright.core.errors import DataError, GanwrightError, UsageError
from ganwright.data.dataset import Dataset
from ganwright.data.modalities.series import Series, SeriesCodec
from ganwright.data.modalities.table import Table
from ganwright.data.preparation import prepare
from ganwright.data.series.scaling import Scaling


def frame(count: int = 24) -> pd.DataFrame:
    rows = [line.split(",") for line in station_rows(count)]
    return pd.DataFrame(rows[1:], columns=rows[0])


def decoded(data: Dataset) -> list[pd.DataFrame]:
    return data.codec.decode(data.codec.expand(data.batch(np.arange(len(data)))))


STATIONS = Series(time_column="day", series_column="station")


def test_series_come_back_as_they_were() -> None:
    rows, data = frame(), tiny_series()
    found = decoded(data)
    assert len(found) == 24
    for place, (_, meant) in enumerate(rows.groupby("station", sort=False)):
        made = found[place]
        assert list(made.columns) == ["day", "city", "temp", "sky", "hum"]
        assert made["sky"].tolist() == meant["sky"].tolist()
        assert set(made["city"]) == set(meant["city"])
        known = meant["temp"] != ""
        assert made["temp"].notna().tolist() == known.tolist(), "gaps stay where they were"
        np.testing.assert_allclose(made["temp"][known.to_numpy()], meant["temp"][known].astype(float), atol=0.051)
        np.testing.assert_allclose(made["hum"], meant["hum"].astype(float), atol=0.011)
        assert made["day"].dt.strftime("%Y-%m-%d").tolist() == meant["day"].tolist()


def test_what_networks_see_is_the_same_after_writing_and_reading() -> None:
    data = tiny_series()
    codec = data.codec
    x = codec.expand(data.batch(np.arange(len(data))))
    assert x.shape == (24, *codec.spec.shape)
    assert codec.spec.shape[0] == sum(block.width for block in codec.spec.blocks)
    again = codec.as_recorded(x)
    torch.testing.assert_close(again, codec.as_recorded(again), rtol=1e-3, atol=1e-3)
    assert float((again - x).abs().max()) < 0.05


def test_behind_its_end_a_series_is_nothing_but_the_flag() -> None:
    data = tiny_series()
    assert isinstance(data.codec, SeriesCodec)
    _, steps = data.codec.layout.split(data.codec.expand(data.batch(np.arange(24))))
    over = steps[:, :, -1] == 1
    assert over.any()
    assert not steps[over][:, :-1].any()
    lengths = [len(each) for each in decoded(data)]
    assert (~over).sum(1).tolist() == lengths
    assert min(lengths) < max(lengths)


def test_rows_are_put_in_the_order_of_time() -> None:
    rows = frame()
    mixed = rows.sample(frac=1, random_state=0)
    straight, turned = (prepare(each, STATIONS) for each in (rows, mixed))
    by_start = [sorted(map(str, (each.to_csv() for each in decoded(data)))) for data in (straight, turned)]
    assert by_start[0] == by_start[1]


def test_one_long_series_is_cut_into_windows() -> None:
    random = np.random.default_rng(0)
    walk = pd.DataFrame({"open": 100 + np.cumsum(random.normal(size=50)), "volume": np.exp(random.normal(8, 2, 50))})
    data = prepare(walk, Series(window=12))
    assert len(data) == 39
    for start in (0, 17, 38):
        np.testing.assert_allclose(decoded(data)[start].to_numpy(), walk[start : start + 12].to_numpy(), rtol=1e-4)
    apart = prepare(walk, Series(window=12, stride=12))
    assert len(apart) == 4
    assert "windows of 12 steps" in " ".join(apart.report.notes)


def test_columns_that_follow_from_each_other_still_do() -> None:
    """As the adjusted price of a stock, which was the price: their difference is nothing that could be drawn wrongly."""
    walk = 50 + np.cumsum(np.random.default_rng(0).normal(size=200))
    data = prepare(pd.DataFrame({"close": walk, "adjusted": walk, "high": walk + 1}), Series(window=8))
    assert isinstance(data.codec, SeriesCodec)
    assert data.codec.parts.scaling is not None
    assert data.codec.parts.scaling.directions == 1
    made = data.codec.decode(torch.randn(5, *data.codec.spec.shape))
    for each in made:
        np.testing.assert_allclose(each["close"], each["adjusted"])


def test_a_codec_comes_back_from_its_state() -> None:
    codec = tiny_series().codec
    again = SeriesCodec.from_state(codec.state(), codec.tensors())
    x = torch.randn(3, *codec.spec.shape)
    assert again.spec == codec.spec
    for one, other in zip(codec.decode(x), again.decode(x), strict=True):
        pd.testing.assert_frame_equal(one, other)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("length", 10**9),
        ("roles", ["number"]),
        ("gaps", []),
        ("places", [-1, 0]),
        ("interval", float("nan")),
        ("timed", [0]),
    ],
)
def test_a_state_that_no_codec_gave_is_refused(name: str, value: object) -> None:
    codec = tiny_series().codec
    with pytest.raises((ValueError, TypeError, KeyError)):
        SeriesCodec.from_state(codec.state() | {name: value}, codec.tensors())


def test_numbers_that_are_not_finite_still_give_series() -> None:
    codec = tiny_series().codec
    for value in (float("nan"), float("inf"), -1e30):
        (made,) = codec.decode(torch.full((1, *codec.spec.shape), value))
        assert 1 <= len(made) <= codec.spec.shape[1]
        assert made["hum"].between(0, 100).all(), "within what was seen"


def test_samples_are_written_in_the_form_of_the_data(tmp_path: Path) -> None:
    codec = tiny_series().codec
    frames = codec.decode(torch.randn(5, *codec.spec.shape))
    codec.write(frames[:3], tmp_path, 0)
    (path,) = codec.write(frames[3:], tmp_path, 3)
    written = pd.read_csv(path)
    assert list(written.columns) == ["station", "day", "city", "temp", "sky", "hum"]
    assert written["station"].unique().tolist() == [1, 2, 3, 4, 5]
    assert len(written) == sum(map(len, frames))


def test_a_part_of_the_series_can_be_taken() -> None:
    data = prepare(frame(), STATIONS, limit=10)
    assert len(data) == 10
    assert len(decoded(data)[3]) >= 8


def test_series_of_a_table_are_asked_for_and_never_taken_as_rows() -> None:
    with pytest.raises(UsageError) as caught:
        prepare(frame())
    assert caught.value.code == "E-SERIES-09"
    assert "--time-column 'day' --series-column 'station'" in str(caught.value)
    assert "--rows" in str(caught.value)
    assert prepare(frame(), Table()).codec.noun == "rows"


def test_a_table_whose_dates_come_at_any_time_is_no_series() -> None:
    random = np.random.default_rng(0)
    days = np.datetime64("2024-01-01T00:00") + random.permutation(400_000)[:400].astype("timedelta64[m]")
    sales = pd.DataFrame({"when": days, "shop": random.choice(["a", "b", "c"], 400), "price": random.normal(size=400)})
    assert prepare(sales).codec.noun == "rows"


def faulty(change: Callable[[pd.DataFrame], pd.DataFrame]) -> pd.DataFrame:
    return change(frame())


def at_two_rates(rows: pd.DataFrame) -> pd.DataFrame:
    days = pd.to_datetime(rows["day"])
    hourly = rows["station"] == "S03"
    first = days[hourly].min()
    days[hourly] = first + (days[hourly] - first) / 24
    return rows.assign(day=days)


@pytest.mark.parametrize(
    ("code", "modality", "change"),
    [
        ("E-SERIES-01", Series(time_column="dya", series_column="station"), lambda rows: rows),
        ("E-SERIES-04", Series(time_column="sky", series_column="station"), lambda rows: rows),
        ("E-SERIES-04", STATIONS, lambda rows: rows.assign(day=rows["day"].where(rows.index != 7, ""))),
        ("E-SERIES-05", Series(time_column="day", window=4), lambda rows: rows),
        ("E-SERIES-06", STATIONS, at_two_rates),
        ("E-SERIES-07", Series(series_column="station", window=200), lambda rows: rows),
    ],
)
def test_what_is_no_series_is_refused(code: str, modality: Series, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    with pytest.raises(GanwrightError) as caught:
        prepare(faulty(change), modality)
    assert caught.value.code == code
    assert len(str(caught.value).splitlines()) <= 6


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("E-SERIES-02", {"window": 1}),
        ("E-SERIES-02", {"series_column": "id", "stride": 2}),
        ("E-SERIES-03", {"time_column": "day"}),
        ("E-SERIES-03", {"time_column": "day", "series_column": "day"}),
    ],
)
def test_what_cannot_be_said_of_series(code: str, said: dict[str, object]) -> None:
    with pytest.raises(UsageError) as caught:
        Series(**said)  # type: ignore[arg-type]
    assert caught.value.code == code


def test_pictures_are_no_series() -> None:
    with pytest.raises(UsageError) as caught:
        prepare(np.zeros((10, 8, 8), np.uint8), Series(window=4))
    assert caught.value.code == "E-SERIES-08"


def test_a_series_too_long_to_be_drawn_at_once_is_told_of() -> None:
    long = pd.DataFrame({"id": ["a"] * 2000 + ["b"] * 2000, "x": np.random.default_rng(0).normal(size=4000)})
    with pytest.raises(DataError) as caught:
        prepare(long, Series(series_column="id"))
    assert caught.value.code == "E-SERIES-07"
    assert "--window" in str(caught.value)


def test_numbers_of_any_height_are_scaled_and_back() -> None:
    random = np.random.default_rng(0)
    walks = np.exp(np.cumsum(random.normal(0, 0.02, (100, 12, 3)), 1) + random.normal(4, 2, (100, 1, 3)))
    walks[random.random(walks.shape) < 0.1] = np.nan
    alive = np.ones((100, 12), bool)
    scaling = Scaling.learned(walks, alive)
    told, courses = scaling.encode(walks, alive)
    assert abs(courses.mean()) < 0.05
    assert 0.5 < courses.std() < 1.5
    known = ~np.isnan(walks)
    np.testing.assert_allclose(scaling.decode(told, courses)[known], walks[known], rtol=1e-6)


def test_google_stock(shared_data: Callable[[str], Path]) -> None:
    path = shared_data("series/google_stock.csv")
    data = prepare(path, Series(window=24))
    assert len(data) == 3662
    rows = pd.read_csv(path)
    last = data.codec.decode(data.codec.expand(data.batch(np.array([3661]))))[0]
    np.testing.assert_allclose(last["Close"], rows["Close"][-24:], rtol=1e-4)


def test_beijing_pollution_has_gaps(shared_data: Callable[[str], Path]) -> None:
    data = prepare(shared_data("series/beijing_pollution.csv"), Series(window=48, stride=48, drop=("No", "year")))
    notes = " ".join(data.report.notes)
    assert "missing in some steps, and in samples too: pm2.5" in notes
    rows = pd.read_csv(shared_data("series/beijing_pollution.csv"))
    found = pd.concat(decoded(data), ignore_index=True)
    assert found["pm2.5"].isna().tolist() == rows["pm2.5"][: len(found)].isna().tolist()
