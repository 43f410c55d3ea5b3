"""The codec of tables: what it makes of rows and back, its state, and the ids that it makes anew."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ganwright.data.modalities.table import Table, TableCodec
from ganwright.data.preparation import prepare
from ganwright.data.progress import no_progress
from ganwright.data.sources.tables import Tables

TABLES = ["titanic_kaggle_train", "penguins", "taxis", "auto_imports", "california_housing", "adult_ctgan"]
LEARNED = {
    "taxis": [
        "pickup <= dropoff",
        "fare <= total",
        "pickup_zone -> pickup_borough",
        "dropoff_zone -> dropoff_borough",
    ],
    "auto_imports": ["column 18 -> column 4", "column 24 <= column 25"],
    "adult_ctgan": ["education -> education-num"],
}


def table(rows: int = 400) -> pd.DataFrame:
    random = np.random.default_rng(2)
    start = np.datetime64("2020-01-01", "s") + random.integers(0, 10_000_000, rows)
    end = pd.Series(start + random.integers(0, 9000, rows)).mask(pd.Series(random.random(rows) < 0.2))
    zone = random.integers(0, 8, rows)
    net, tax = random.integers(100, 9000, rows) / 100, random.integers(0, 900, rows) / 100
    return pd.DataFrame(
        {
            "no": np.arange(rows) + 1,
            "start": start,
            "code": [f"AB-{number:05d}" for number in random.permutation(90_000)[:rows]],
            "end": end,
            "zone": np.array(list("abcdefgh"))[zone],
            "district": np.array(list("NNNSSWWW"))[zone],
            "net": net,
            "tax": tax,
            "gross": (net + tax).round(2),
            "notes": [f"some long text that says nothing of row {row} in particular" for row in range(rows)],
            "unit": "EUR",
        }
    )


def fitted(data: Any, **settings: Any) -> tuple[TableCodec, Tables]:
    source = Tables.open(data)
    if isinstance(data, Path):
        source.load(data.parent)
    return Table(**settings).fit(source, no_progress), source


CODEC, SOURCE = fitted(table())


def obeys(frame: pd.DataFrame) -> None:
    assert not (frame.start > frame.end).any()
    assert (frame.district == frame.zone.map(dict(zip("abcdefgh", "NNNSSWWW", strict=True)))).all()
    np.testing.assert_array_equal((frame.net + frame.tax).round(2), frame.gross)


def test_what_was_learned() -> None:
    assert [*map(str, CODEC.constraints)] == ["start <= end", "zone -> district", "gross = net + tax"]
    assert [column.name for column in CODEC.drawn] == ["start", "end - start", "zone", "net", "tax"]
    assert [column.name for column in CODEC.varied] == ["start", "end", "zone", "district", "net", "tax", "gross"]
    assert list(CODEC.left_out) == ["no", "code", "notes"]


@given(arrays(np.float32, (7, CODEC.layout.width), elements=st.floats(width=32, allow_nan=True, allow_infinity=True)))
def test_any_output_obeys_and_can_be_packed_again(raw: np.ndarray) -> None:
    frame = CODEC.decode(torch.from_numpy(raw))
    obeys(frame)
    again = CODEC.as_recorded(torch.from_numpy(raw))
    assert again.shape == raw.shape
    obeys(CODEC.decode(again))


def test_real_rows_come_back() -> None:
    packed = CODEC.pack(SOURCE.read(0, 400))
    assert len(packed.names) == 400
    frame, real = CODEC.decode(CODEC.expand({"x": torch.from_numpy(packed.columns["x"])})), table()
    obeys(frame)
    for name in ("zone", "district", "unit"):
        assert frame[name].tolist() == real[name].tolist()
    assert (frame.end.isna() == real.end.isna()).all()
    for name in ("net", "tax", "gross"):
        np.testing.assert_allclose(frame[name], real[name], atol=0.5)
    assert ((frame.end - frame.start) - (real.end - real.start)).abs().max() < pd.Timedelta(minutes=2)


def test_rows_that_break_what_holds_are_skipped_with_the_reason() -> None:
    frame = table().head(9)
    frame.loc[2, "gross"] += 1
    frame.loc[4, "district"] = "W" if frame.loc[4, "district"] != "W" else "N"
    frame.loc[6, "end"] = frame.loc[6, "start"] - np.timedelta64(1, "s")
    packed = CODEC.pack(Tables.open(frame).read(0, 9))
    assert {skipped.name: skipped.reason for skipped in packed.skipped} == {
        "row 3": "not gross = net + tax",
        "row 5": "not zone -> district",
        "row 7": "not start <= end",
    }
    without = CODEC.pack(Tables.open(frame.drop(columns="gross")).read(0, 9))
    assert {skipped.reason for skipped in without.skipped} == {"no column 'gross'"}


def state_of(codec: TableCodec) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    return json.loads(json.dumps(codec.state())), codec.tensors()


def test_the_state_makes_the_same_codec() -> None:
    again = TableCodec.from_state(*state_of(CODEC))
    raw = torch.randn(200, CODEC.layout.width, generator=torch.Generator().manual_seed(1))
    pd.testing.assert_frame_equal(again.decode(raw), CODEC.decode(raw))
    assert again.identifiers(3, 5, 1) == CODEC.identifiers(3, 5, 1)
    assert again.state() == CODEC.state()
    assert again.left_out == CODEC.left_out


def _set(*path: Any) -> Callable[[dict[str, Any]], None]:
    *where, last, value = path

    def change(state: dict[str, Any]) -> None:
        for step in where:
            state = state[step]
        state[last] = value

    return change


HOSTILE = {
    "a place beyond the columns": _set("constraints", 0, "column", 99),
    "a place below nothing": _set("constraints", 0, "needs", 0, -1),
    "a place that is no number": _set("constraints", 0, "needs", [True]),
    "a kind that is none": _set("constraints", 0, "type", "product"),
    "a kind that is no word": _set("constraints", 1, "type", ["order"]),
    "nothing needed": _set("constraints", 2, "needs", []),
    "itself needed": _set("constraints", 2, "needs", [6, 6]),
    "computed twice": _set("constraints", 0, "column", 6),
    "an order of words": _set("constraints", 0, "needs", [2]),
    "an order of dates and numbers": _set("constraints", 0, "needs", [4]),
    "a sum of dates": _set("constraints", 2, "needs", [0, 4]),
    "words decided by many numbers": _set("constraints", 1, "needs", [4]),
    "a table of another length": _set("constraints", 1, "needs", [3]),
    "no number of gaps": _set("gaps", True),
    "more gaps than columns": _set("gaps", 9),
    "one gap less": _set("gaps", 0),
    "an order without its gap": lambda state: state["columns"].pop(),
    "one constraint less": lambda state: state["constraints"].pop(0),
    "one more key": _set("constraints", 0, "more", 1),
    "no list": _set("constraints", {}),
    "no constraint": _set("constraints", 0, "order"),
    "an id that does not count": _set("left_out", 0, "ids", {"type": "counted", "start": 1.5, "step": 1}),
    "an id of no letters": _set("left_out", 1, "ids", "alphabets", []),
    "an id of one letter twice": _set("left_out", 1, "ids", "alphabets", ["aa"]),
    "an id of numbers": _set("left_out", 1, "ids", "alphabets", [[1, 2]]),
    "more bits than there are": _set("left_out", 1, "ids", "bytes", 1 << 40),
    "an id of another kind": _set("left_out", 2, "ids", {"type": "uuid"}),
    "a column left out twice": _set("left_out", 0, "name", "code"),
    "a column left out that is there": _set("left_out", 0, "name", "net"),
    "a place of a column left out": _set("left_out", 0, "place", -1),
    "a delimiter of two letters": _set("style", "delimiter", ";;"),
    "a header that is no truth": _set("style", "header", 1),
    "a style with more": _set("style", "quote", "'"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_states_are_refused(name: str) -> None:
    state, tensors = state_of(CODEC)
    HOSTILE[name](state)
    with pytest.raises((ValueError, TypeError, KeyError)):
        TableCodec.from_state(state, tensors)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 0.5, -1.0, 4.0])
def test_tables_of_words_that_do_not_exist_are_refused(value: float) -> None:
    state, tensors = state_of(CODEC)
    tensors["tables"][len(tensors["tables"]) // 2 + 2] = value
    with pytest.raises(ValueError, match="words that the column does not have"):
        TableCodec.from_state(state, tensors)


@pytest.mark.parametrize("value", [float("nan"), 0.5, -1.0, 2.0])
def test_what_is_neither_there_nor_missing_is_refused(value: float) -> None:
    state, tensors = state_of(CODEC)
    tensors["tables"][2] = value
    with pytest.raises(ValueError, match="neither that a number is there"):
        TableCodec.from_state(state, tensors)


def test_what_needs_each_other_is_refused() -> None:
    state, tensors = state_of(CODEC)
    two = copy.deepcopy(state)
    two["constraints"].append({"type": "sum", "column": 4, "needs": [6]})
    with pytest.raises(ValueError, match="before what it needs"):
        TableCodec.from_state(two, tensors)
    two["constraints"][-1] = {"type": "sum", "column": 6, "needs": [4]}
    with pytest.raises(ValueError, match="is computed twice"):
        TableCodec.from_state(two, tensors)


def test_new_ids_look_like_the_old_and_are_none_of_them() -> None:
    made = CODEC.identifiers(0, 5000, 7)
    assert list(made) == ["no", "code", "notes"]
    assert made["no"] == list(range(401, 5401))
    assert all(code.startswith("AB-") and code[3:].isdigit() and len(code) == 8 for code in made["code"])
    assert len(set(made["code"])) == 5000
    assert not set(made["code"]) & set(table().code)
    assert made["notes"] == [None] * 5000
    assert CODEC.identifiers(4000, 1000, 7)["code"] == made["code"][4000:]
    assert CODEC.identifiers(0, 100, 8)["code"] != made["code"][:100]


def test_ids_stand_where_they_stood(tmp_path: Path) -> None:
    frame = CODEC.decode(torch.zeros(3, CODEC.layout.width))
    whole = CODEC.with_identifiers(frame, 10)
    assert list(whole) == list(table())
    assert list(frame) == [column.name for column in CODEC.columns]
    (path,) = CODEC.write(whole, tmp_path, 0)
    CODEC.write(CODEC.with_identifiers(frame, 13), tmp_path, 3)
    again = pd.read_csv(path)
    assert list(again) == list(table())
    assert again.no.tolist() == [411, 412, 413, 414, 415, 416]
    assert again.code.is_unique
    assert again.notes.isna().all()


def test_ids_get_longer_once_all_are_used_up() -> None:
    frame = pd.DataFrame({"id": [f"{letter}{digit}" for letter in "KLMNOPQR" for digit in range(10)]})
    frame["x"] = np.arange(80) % 7
    codec, _ = fitted(frame)
    made = codec.identifiers(0, 2000, 1)["id"]
    assert len(set(made)) == 2000
    assert not set(made) & set(frame.id)


@pytest.mark.parametrize(
    ("ids", "shape"),
    [
        ([f"{i:06d}" for i in range(7, 40_000, 81)], r"[0-9]{6}"),
        ([f"{i * 2654435761 % 2**32:08x}" for i in range(500)], r"[0-9a-f]{8}"),
        ([f"{'DF'[i % 2]}-{i * 7919 % 10**6:06d}/{i % 3}" for i in range(500)], r"[DF]-\d{6}/[012]"),
    ],
)
def test_ids_keep_their_shape(ids: list[str], shape: str, tmp_path: Path) -> None:
    path = tmp_path / "ids.csv"
    pd.DataFrame({"x": np.arange(len(ids)) % 7, "id": ids}).to_csv(path, index=False)
    codec, _ = fitted(path)
    made = codec.identifiers(0, 3000, 4)["id"]
    assert all(isinstance(each, str) and re.fullmatch(shape, each) for each in made)
    assert len(set(made)) == 3000
    assert not set(made) & set(ids)


def test_ids_that_skip_numbers_go_on_in_their_step() -> None:
    codec, _ = fitted(pd.DataFrame({"customer_id": 5000 + 5 * np.arange(100)[::-1], "x": np.arange(100) % 7}))
    assert codec.identifiers(2, 3, 0) == {"customer_id": [5510, 5515, 5520]}


def test_ids_of_no_shape_and_columns_that_were_dropped() -> None:
    names = [f"{'ab cd efg'[: 3 + row % 7]}{'.' * (row % 11)}{row}" for row in range(100)]
    codec, _ = fitted(pd.DataFrame({"name": names, "x": np.arange(100) % 7, "y": np.arange(100) % 3}), drop=("y",))
    assert codec.identifiers(0, 2, 0) == {"name": [None, None]}
    assert list(codec.with_identifiers(codec.decode(torch.zeros(2, codec.layout.width)), 0)) == ["name", "x"]


def test_different_words_are_counted_with_the_rare_ones() -> None:
    words = [f"w{i}" for i in range(200) for _ in range(1 + 9 * (i < 40))]
    _, source = fitted(pd.DataFrame({"w": words, "x": np.arange(len(words)) % 5}))
    assert any("w (200)" in note for note in source.notes)


@pytest.mark.parametrize("name", TABLES)
def test_real_tables(name: str, shared_data: Callable[[str], Path], tmp_path: Path) -> None:
    codec, source = fitted(shared_data(f"tables/{name}.csv"))
    assert [*map(str, codec.constraints)] == LEARNED.get(name, [])
    packed = codec.pack(source.read(0, len(source)))
    assert not packed.skipped
    raw = torch.randn(2000, codec.layout.width, generator=torch.Generator().manual_seed(3)) * 2
    (path,) = codec.write(codec.decode(raw), tmp_path, 0)
    again = Tables.open(path)
    again.load(tmp_path)
    assert not codec.pack(again.read(0, 2000)).skipped
    if name == "taxis":
        rows = pd.read_csv(path, parse_dates=["pickup", "dropoff"])
        assert (rows.pickup <= rows.dropoff).all()
        assert (rows.fare <= rows.total).all()
        assert rows.groupby("pickup_zone").pickup_borough.nunique().max() == 1


def test_numbers_of_a_program_may_be_taken_as_words() -> None:
    frame = pd.DataFrame({"a": np.tile([1.0, 2.0, 3.5, np.nan], 10), "b": np.arange(40) % 7})
    data = prepare(frame, Table(columns=("a=category",)))
    assert len(data) == 40
    rows = data.codec.decode(data.codec.expand(data.batch(np.arange(4))))
    assert rows["a"].tolist()[:3] == ["1", "2", "3.5"]
    assert rows["a"].isna().tolist() == [False, False, False, True]
