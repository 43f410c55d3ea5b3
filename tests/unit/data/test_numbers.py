"""The modality of numbers: scaling, codec, files, drawing."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ganwright.core.errors import DataError, UsageError
from ganwright.data.dataset import Dataset
from ganwright.data.modalities.base import CLIPPED
from ganwright.data.modalities.image import Image
from ganwright.data.modalities.numbers import BINS, Numbers, NumbersCodec
from ganwright.data.number_drawing import binned, curve_tiles, short, spread_panels
from ganwright.data.preparation import modality_for, prepare
from ganwright.data.record import Record
from ganwright.data.sources.rows import Rows

RANDOM = np.random.default_rng(0)
TABLE = np.stack([RANDOM.normal(50, 9, 40), RANDOM.integers(0, 5, 40), np.full(40, 0.1), -RANDOM.exponential(1e-9, 40)], 1)
SIZES = st.tuples(st.integers(1, 12), st.integers(1, 5))


def fitted(table: Any, **settings_: Any) -> NumbersCodec:
    return Numbers(**settings_).fit(Rows.open(table), lambda *_: None)


def round_trip(codec: NumbersCodec, table: np.ndarray) -> np.ndarray:
    packed = codec.pack([Record(f"row {i}", row) for i, row in enumerate(np.asarray(table, np.float64))])
    x = codec.expand({"x": torch.from_numpy(packed.columns["x"])})
    assert x.dtype == torch.float32
    assert x.shape == (len(packed.names), *codec.spec.shape)
    assert not len(x) or -1 <= x.min() <= x.max() <= 1
    return codec.decode(x)


@pytest.mark.parametrize("scaling", ["each", "all"])
@settings(deadline=None, max_examples=60, derandomize=True)
@given(table=arrays(np.float64, SIZES, elements=st.floats(allow_nan=False, allow_infinity=False)))
def test_packing_loses_no_more_than_float32_does(scaling: str, table: np.ndarray) -> None:
    codec = fitted(table, scaling=scaling)
    found = round_trip(codec, table)
    low, high = table.min(0), table.max(0)
    half = high / 2 - low / 2 if scaling == "each" else np.broadcast_to(high.max() / 2 - low.min() / 2, low.shape)
    # Halves, since even the error of a range as large as numbers go must not overflow.
    assert (np.abs(found / 2 - table / 2) <= half * 2**-22 + np.abs(table) * 2**-50 + 1e-300).all()
    assert ((low <= found) & (found <= high)).all()
    assert (found[:, low == high] == table[:, low == high]).all()


def test_whole_columns_and_constant_ones_come_back_exactly() -> None:
    found = round_trip(fitted(TABLE), TABLE)
    assert (found[:, 1:3] == TABLE[:, 1:3]).all()
    assert fitted(TABLE).ranges.whole.tolist() == [False, True, False, False]
    # Seconds since 1970 need more digits than float32 has.
    times = np.array([[1.7e9], [1.7e9 + 1], [1.7e9 + 7]])
    assert (round_trip(fitted(times), times) == times).all()


def test_each_column_has_its_own_scale_or_all_have_one() -> None:
    waves = np.array([[1.0, 100.0], [-1.0, 50.0], [0.0, -100.0], [0.5, 0.0]])
    records = [Record("", row) for row in waves]
    each, together = (fitted(waves, scaling=scaling).pack(records).columns["x"] for scaling in ("each", "all"))
    assert each.min(0).tolist() == [-1, -1]
    assert each.max(0).tolist() == [1, 1]
    assert np.allclose(together, waves / 100)


def test_what_generators_make_stays_within_the_data() -> None:
    codec = fitted(TABLE)
    x = torch.tensor([[-9.0] * 4, [9.0] * 4, [float("nan")] * 4, [float("inf")] * 4, [0.3] * 4])
    found = codec.decode(x)
    assert found.dtype == np.float64
    assert np.isfinite(found).all()
    assert (found >= TABLE.min(0)).all()
    assert (found <= TABLE.max(0)).all()
    assert (found[:, 1] % 1 == 0).all()
    assert (found[0] == TABLE.min(0)).all()
    assert len(found[:2]) == 2


def test_rows_with_something_missing_are_skipped_and_listed() -> None:
    table = TABLE.copy()
    table[3, 1], table[7, 1], table[9, 0] = np.nan, np.inf, -np.inf
    data = prepare(pd.DataFrame(table, columns=list("abcd")), Numbers())
    assert len(data) == 37
    assert data.report.lines()[0].startswith("Found 40 rows in memory   scanned in")
    assert data.report.lines()[1:] == [
        "  use 37 · skip 3 → 3 values that are not numbers (b, a)",
        "  size  4 numbers a row (1 of them whole)",
    ]
    one = table[[*range(4), *range(4, 7)]]
    assert "1 value that is not a number (column 2)" in "\n".join(prepare(one).report.lines())
    with pytest.raises(DataError, match="no usable rows") as caught:
        prepare(np.full((5, 2), np.nan))
    assert "looked at 5 rows: 5 values that are not numbers (column 1)" in caught.value.why


def test_values_of_rows_not_seen_before_are_clipped_and_counted() -> None:
    codec = fitted(TABLE)
    packed = codec.pack([Record("", TABLE[0]), Record("", TABLE.max(0) + 1), Record("", np.zeros(3))])
    assert packed.notes == {CLIPPED: 4}
    assert packed.columns["x"].max() == 1
    wide = fitted(np.array([[-1.7e308], [-1.6e308]]))
    assert wide.pack([Record("", np.array([1.7e308]))]).columns["x"].tolist() == [[1]]
    assert [skipped.reason for skipped in packed.skipped] == ["row of another length"]


def test_the_dataset_is_opened_again_with_all_that_was_learned() -> None:
    frame = pd.DataFrame(TABLE, columns=list("abcd"))
    first, second = prepare((frame, ["x", "y"] * 20)), prepare((frame, ["x", "y"] * 20))
    assert second.report.cached
    assert not first.report.cached
    assert isinstance(second.codec, NumbersCodec)
    assert second.codec.columns == ("a", "b", "c", "d")
    assert second.codec.conditions[0].counts == (20, 20)
    assert second.labels is not None
    assert second.labels.tolist() == [0, 1] * 20
    assert (second.codec.decode(second.codec.expand(second.batch(np.arange(40))))[:, 1] == TABLE[:, 1]).all()
    assert prepare(frame, Numbers(scaling="all")).fingerprint != prepare(frame).fingerprint
    assert Dataset.open(Path(next(iter(second.columns.values())).filename).parent)  # type: ignore[attr-defined]


def test_pictures_and_rows_are_told_apart() -> None:
    pictures = np.zeros((6, 8, 8), np.uint8)
    for modality, data in ((Image(), TABLE), (Numbers(), pictures)):
        with pytest.raises(DataError, match="no usable"):
            prepare(data, modality)
    assert isinstance(modality_for(Rows.open(TABLE)), Numbers)
    assert prepare(pictures).codec.modality == "image"


# What users get


def test_a_dataframe_comes_back_as_one() -> None:
    frame = pd.DataFrame(TABLE, columns=["a", "b", "a", "d"])
    codec = fitted(frame)
    blocks = [codec.decode(torch.zeros(3, 4)), codec.decode(torch.ones(2, 4))[:1]]
    found = codec.join(blocks)
    assert isinstance(found, pd.DataFrame)
    assert list(found.columns) == list(frame.columns)
    assert [str(dtype) for dtype in found.dtypes] == ["float64", "int64", "float64", "float64"]
    assert (found.to_numpy() == np.concatenate(blocks)).all()
    assert codec.join([]).shape == (0, 4)


def test_without_names_or_pandas_it_is_an_array(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(fitted(TABLE).join([np.zeros((2, 4))]), np.ndarray)
    named = fitted(pd.DataFrame(TABLE))
    monkeypatch.setitem(sys.modules, "pandas", None)
    found = named.join([np.zeros((2, 4)), np.ones((1, 4))])
    assert isinstance(found, np.ndarray)
    assert found.shape == (3, 4)


def test_blocks_are_written_to_one_csv_that_reads_back_exactly(tmp_path: Path) -> None:
    codec = fitted(pd.DataFrame(TABLE, columns=["a", "b,c", "d", 'e"']))
    made = round_trip(codec, TABLE)
    path = tmp_path / "out" / "samples.csv"
    for _ in range(2):  # The second time it begins anew.
        assert codec.write(made[:30], tmp_path / "out", 0) == [path]
        assert codec.write(codec.join([made[30:]]), tmp_path / "out", 30, ".CSV") == [path]
    with path.open(encoding="utf-8", newline="") as file:
        lines = list(csv.reader(file))
    assert lines[0] == ["a", "b,c", "d", 'e"']
    assert (np.array(lines[1:], float) == made).all()
    assert all(line[1].isdigit() for line in lines[1:])
    again = prepare(path, as_numbers=True)
    assert isinstance(again.codec, NumbersCodec)
    assert again.codec.columns == codec.columns
    assert codec.write(made[:0], tmp_path / "none", 0) == []
    with pytest.raises(UsageError, match=r"rows are written as \.csv"):
        codec.write(made, tmp_path, 0, ".png")


def test_unnamed_columns_get_names_in_a_file(tmp_path: Path) -> None:
    fitted(TABLE).write(TABLE, tmp_path, 0)
    assert (tmp_path / "samples.csv").read_text().startswith("x0,x1,x2,x3\n")


# State


def state_of(codec: NumbersCodec) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    return json.loads(json.dumps(codec.state())), codec.tensors()


NAMED = fitted((pd.DataFrame(TABLE, columns=list("abcd")), ["x", "y"] * 20))


def test_state_makes_the_codec_again() -> None:
    again = NumbersCodec.from_state(*state_of(NAMED))
    assert again.state() == NAMED.state()
    assert again.spec == NAMED.spec
    assert again.conditions == NAMED.conditions
    assert again.columns == NAMED.columns
    assert again.describe() == "4 numbers a row"
    x = torch.rand(9, 4) * 2 - 1
    assert (again.decode(x) == NAMED.decode(x)).all()
    assert fitted(TABLE[:, :1]).describe() == "1 number a row"


@pytest.mark.parametrize(
    "change",
    [
        {"scaling": "none"},
        {"scaling": ["each"]},
        {"columns": "abcd"},
        {"columns": ["a", "b"]},
        {"columns": ["a", "b", "c", 4]},
        {"columns": ["a", "b", "c", "x" * 5000]},
        {"classes": ["x", "x"]},
        {"counts": [1]},
        {"counts": [-1, 2]},
        {"counts": [0, 0]},
        {"counts": [True, True]},
        {"counts": [1 << 60, 1]},
        {"more": 1},
        {"low": None},
        {"low": torch.zeros(4)},
        {"low": torch.zeros(4, dtype=torch.float64)},
        {"low": torch.zeros(0, dtype=torch.float64)},
        {"low": torch.zeros(2, 2, dtype=torch.float64)},
        {"low": torch.tensor(1.0, dtype=torch.float64)},
        {"low": torch.full((4,), float("nan"), dtype=torch.float64)},
        {"low": torch.full((4,), -1.5, dtype=torch.float64)},
        {"low": torch.full((4,), -1e300, dtype=torch.float64)},
        {"high": torch.full((4,), float("inf"), dtype=torch.float64)},
        {"high": torch.full((4,), -1e9, dtype=torch.float64)},
        {"high": torch.zeros(5, dtype=torch.float64)},
        {"whole": torch.zeros(4, dtype=torch.int64)},
        {"whole": torch.ones(4, dtype=torch.bool)},
        {"histogram": torch.zeros(4, 8, dtype=torch.int64)},
        {"histogram": torch.full((4, BINS), -1)},
        {"histogram": torch.full((4, BINS), 1 << 62)},
        {"another": torch.zeros(1)},
    ],
    ids=str,
)
def test_hostile_states_are_refused(change: dict[str, Any]) -> None:
    state, tensors = state_of(NAMED)
    for name, value in change.items():
        (tensors if name in tensors or isinstance(value, torch.Tensor) else state)[name] = value
        if value is None:
            del tensors[name]
    with pytest.raises(ValueError, match=r".+"):
        NumbersCodec.from_state(state, tensors)


def test_absurd_sizes_are_refused_before_anything_is_made_of_them() -> None:
    state, tensors = state_of(fitted(TABLE))
    many = torch.zeros(20_000, dtype=torch.float64)
    with pytest.raises(ValueError, match="16384"):
        NumbersCodec.from_state(state, {**tensors, "low": many, "high": many})


def test_names_too_long_for_a_model_file_are_left_out_and_said_so() -> None:
    frame = pd.DataFrame(np.eye(5, 400), columns=[f"{i}" + "x" * 1000 for i in range(400)])
    data = prepare(frame, Numbers())
    assert isinstance(data.codec, NumbersCodec)
    assert data.codec.columns == ()
    assert any("names of the columns are left out" in note for note in data.report.notes)


def test_settings() -> None:
    with pytest.raises(UsageError, match="scaling must be one of each, all"):
        Numbers(scaling="both")  # type: ignore[arg-type]


# Drawing


def test_bins_count_every_value_once() -> None:
    low, high = TABLE.min(0), TABLE.max(0)
    counts = binned(TABLE, low, high, BINS)
    assert (counts.sum(1) == 40).all()
    assert counts[2, 0] == 40
    assert (counts[0] == np.histogram(TABLE[:, 0], BINS)[0]).all()
    assert (fitted(TABLE).ranges.histogram == counts).all()
    wide = np.array([[-1.7e308], [1.7e308], [0.0]])
    assert np.flatnonzero(binned(wide, wide.min(0), wide.max(0), BINS)[0]).tolist() == [0, 16, 31]


def test_numbers_are_said_in_few_letters() -> None:
    values = (0, 1, -124.35, 14.93, 0.004, 1e-5, 39320, 1500000, 2e9)
    assert [short(value) for value in values] == [
        "0", "1", "-124", "14.9", "0.004", "1.0e-05", "39,320", "1,500,000", "2.0e+09",
    ]  # fmt: skip


def test_a_preview_shows_a_panel_for_each_column_and_a_title_above() -> None:
    codec = fitted(pd.DataFrame(TABLE, columns=["weight", "children", "constant", "x" * 300]))
    plain = codec.preview(codec.decode(torch.zeros(9, 4)), 8)
    titled = codec.preview(codec.join([codec.decode(torch.zeros(9, 4))]), 8, title="step 1,200")
    assert plain.mode == "RGB"
    assert titled.width == plain.width
    assert titled.height > plain.height
    assert (np.asarray(titled)[-plain.height :] == np.asarray(plain)).all()
    colours = {tuple(colour) for colour in np.asarray(plain).reshape(-1, 3).tolist()}
    assert {(206, 206, 206), (31, 97, 180), (255, 255, 255)} <= colours
    with pytest.raises(ValueError, match="no rows"):
        codec.preview(codec.decode(torch.zeros(0, 4)), 8)


def test_panels_show_samples_where_they_lie() -> None:
    low, high, data = np.zeros(1), np.ones(1), np.zeros((1, BINS), np.int64)
    left, right = (
        np.argwhere((np.asarray(spread_panels(np.full((9, 1), value), ["a"], low, high, data)) == (31, 97, 180)).all(2))
        for value in (0.1, 0.9)
    )
    assert left[left[:, 0] < 60][:, 1].max() < right[right[:, 0] < 60][:, 1].max()


@pytest.mark.parametrize("width", [13, 5000])
def test_long_rows_are_drawn_as_curves(width: int) -> None:
    rows = np.cumsum(RANDOM.normal(size=(30, width)), 1)
    codec = fitted(rows, scaling="all")
    tiles = codec.preview(round_trip(codec, rows), columns=8, title="Waves")
    few = codec.preview(round_trip(codec, rows[:3]), columns=8)
    assert tiles.width == 8 * 104 + 10
    assert few.width == 3 * 104 + 10
    flat = np.zeros((2, 20))
    assert curve_tiles(flat, flat[0], flat[0], 8).size[0] == 2 * 104 + 10


def test_a_named_table_of_many_columns_shows_the_first_twelve() -> None:
    wide = RANDOM.normal(size=(9, 20))
    named, nameless = fitted(pd.DataFrame(wide)), fitted(wide)
    assert named.preview(wide, 8).size != nameless.preview(wide, 8).size
    assert named.ranges.histogram.shape == (12, BINS)
    assert NumbersCodec.from_state(*state_of(named)).preview(wide, 8).tobytes() == named.preview(wide, 8).tobytes()


# Real data


def test_california(shared_data: Callable[[str], Path]) -> None:
    path = shared_data("tables/california_housing.csv")
    with pytest.raises(DataError, match="no usable rows"):
        prepare(path, Numbers())
    frame = pd.read_csv(path).drop(columns="ocean_proximity")
    data = prepare(frame, as_numbers=True)
    assert isinstance(data.codec, NumbersCodec)
    assert "207 values that are not numbers (total_bedrooms)" in data.report.lines()[1]
    kept = frame.dropna()
    made = data.codec.join([data.codec.decode(data.codec.expand(data.batch(np.arange(len(data)))))])
    assert (made["median_house_value"].to_numpy() == kept["median_house_value"].to_numpy()).all()
    spans = (kept.max() - kept.min()).to_numpy()
    assert (np.abs(made.to_numpy() - kept.to_numpy()) <= spans * 2**-22).all()
