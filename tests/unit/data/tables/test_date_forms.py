"""Times are written as those of the data were."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import torch

from ganwright.data.modalities.table import Table, TableCodec
from ganwright.data.preparation import prepare
from ganwright.data.progress import no_progress
from ganwright.data.sources.tables import Tables
from ganwright.data.tables.asking import matches, parse_wishes
from ganwright.data.tables.dates import format_dates, offset_of

MOMENTS = pd.date_range("2024-03-01 09:00", periods=300, freq="7919s")


def written(cells: list[str]) -> tuple[TableCodec, list[str]]:
    frame = pd.DataFrame({"moment": np.array(cells, object), "x": np.random.default_rng(0).normal(size=len(cells))})
    codec = Table(learn_constraints=False).fit(Tables.open(frame), no_progress)
    rows = codec.decode(torch.randn(200, codec.layout.width, generator=torch.Generator().manual_seed(0)))
    column = next(column for column in codec.columns if column.name == "moment")
    assert column.kind == "date"
    return codec, column.written(rows.moment.to_numpy())


@pytest.mark.parametrize(
    ("form", "pattern"),
    [
        (lambda t, i: f"{t:%Y-%m-%dT%H:%M:%S}.{i * 7 % 1000:03d}Z", r"....-..-..T..:..:..\.\d{3}Z"),
        (lambda t, i: f"{t:%Y-%m-%d %H:%M:%S}.{i * 7 % 1000:03d}", r"....-..-.. ..:..:..\.\d{3}"),
        (lambda t, i: f"{t:%Y-%m-%d %H:%M:%S}.{i * 70_001 % 1_000_000:06d}", r"....-..-.. ..:..:..\.\d{6}"),
        (lambda t, i: f"{t:%Y-%m-%dT%H:%M:%S}+02:00", r"....-..-..T..:..:..\+02:00"),
        (lambda t, i: f"{t:%Y-%m-%dT%H:%M:%S}-03:30", r"....-..-..T..:..:..-03:30"),
        (lambda t, i: f"{t:%Y-%m-%dT%H:%M:%S}{'+01:00' if i % 2 else '+02:00'}", r"....-..-..T..:..:..\+00:00"),
    ],
    ids=["milliseconds, Z", "milliseconds", "microseconds", "a zone", "another zone", "two zones"],
)
def test_fractions_and_zones_are_kept(form: Callable[[pd.Timestamp, int], str], pattern: str) -> None:
    _, cells = written([form(moment, i) for i, moment in enumerate(MOMENTS)])
    assert all(re.fullmatch(pattern, cell) for cell in cells), cells[:3]
    times = pd.to_datetime(pd.Series(cells), utc=True)
    assert times.between("2024-02-29", "2024-04-01").all()


def test_what_is_read_is_written_again() -> None:
    micros = np.array([0, 1_709_283_600_123_000])
    text = format_dates(micros, "%Y-%m-%dT%H:%M:%S.%f%z", 1000, 120)
    assert text.tolist() == ["1970-01-01T02:00:00.000+02:00", "2024-03-01T11:00:00.123+02:00"]
    assert [offset_of(cell) for cell in (text[0], "12:00-0330", "2020-01-02", "x")] == [120, -210, 0, 0]


def test_a_day_is_that_of_the_zone() -> None:
    codec, _ = written([f"{moment:%Y-%m-%dT%H:%M:%S}+02:00" for moment in MOMENTS])
    column = next(column for column in codec.columns if column.name == "moment")
    wish = parse_wishes(["moment=2024-03-10"])["moment"]
    cells = np.array(["2024-03-10T00:00:00+02:00", "2024-03-10T23:59:59+02:00", "2024-03-11T00:00:00+02:00"], object)
    assert matches(column, wish, column.read(cells)).tolist() == [True, True, False]


def test_a_column_of_an_earlier_version_has_no_zone() -> None:
    codec = prepare(pd.DataFrame({"day": MOMENTS, "x": np.arange(300.0) ** 2})).codec
    assert isinstance(codec, TableCodec)
    state = codec.state()
    for column in state["columns"]:
        column.get("writing", {}).pop("offset", None)
    assert TableCodec.from_state(state, codec.tensors()).describe() == "2 columns"
