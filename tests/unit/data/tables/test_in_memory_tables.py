"""DataFrames, arrays, JSON lines and Parquet files as tables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ganwright.core.errors import DataError
from ganwright.data.modalities.table import TableCodec
from ganwright.data.opening import open_source
from ganwright.data.preparation import prepare
from ganwright.data.sources.tables import Tables

ROWS = 60
SHUFFLED = np.random.default_rng(0).permutation(ROWS)
"""Words in this order: kinds that took turns from day to day would look like time series."""


def frame() -> pd.DataFrame:
    place = np.arange(ROWS)
    return pd.DataFrame(
        {
            "whole": pd.array([None if i % 7 == 0 else i % 50 for i in range(ROWS)], "Int64"),
            "kind": pd.Categorical([("a", "b", "c")[i % 3] for i in SHUFFLED]),
            "time": pd.date_range("2021-01-01", periods=ROWS, freq="D", tz="Europe/Rome"),
            "truth": SHUFFLED % 2 == 0,
            "maybe": pd.array([None if i % 5 == 0 else i % 2 == 0 for i in SHUFFLED], "boolean"),
            "mixed": [(1, "x", None, 2.5)[i % 4] for i in SHUFFLED],
            "decimal": np.round(np.sin(place) * 100, 2),
        }
    )


def codec_of(data: Any) -> tuple[TableCodec, Any]:
    prepared = prepare(data)
    assert isinstance(prepared.codec, TableCodec)
    return prepared.codec, prepared.codec.decode(prepared.codec.expand(prepared.batch(np.arange(len(prepared)))))


def kinds_of(codec: TableCodec) -> dict[str, str]:
    return {column.name: column.kind for column in codec.columns}


def test_a_frame_comes_back_with_its_types() -> None:
    codec, found = codec_of(frame())
    assert kinds_of(codec) == {
        "whole": "whole",
        "kind": "category",
        "time": "date",
        "truth": "yes/no",
        "maybe": "yes/no",
        "mixed": "category",
        "decimal": "decimal",
    }
    expected = frame()
    assert str(found["whole"].dtype) == "Int64"
    assert found["whole"].isna().tolist() == expected["whole"].isna().tolist()
    assert found["truth"].dtype == bool
    assert found["truth"].tolist() == expected["truth"].tolist()
    assert found["maybe"].equals(expected["maybe"])
    assert found["kind"].equals(expected["kind"])
    assert found["time"].dtype == expected["time"].dtype


def test_constant_dates_and_truths_of_a_frame_come_back() -> None:
    table = pd.DataFrame({"day": [pd.Timestamp("2020-02-03")] * 8, "yes": [True] * 8, "x": np.arange(8.0) ** 2 / 7})
    _, found = codec_of(table)
    assert found["day"].tolist() == table["day"].tolist()
    assert found["yes"].dtype == bool
    assert found["yes"].all()


def test_names_that_come_twice_are_told_apart() -> None:
    table = pd.DataFrame(np.arange(24.0).reshape(8, 3) ** 2, columns=["a", "a", 7])
    source = open_source(table)
    source.load(Path("unused"))
    assert source.columns == ("a", "a (2)", "7")
    assert source.notes == ["columns whose name comes twice: 'a' is now 'a (2)'"]


def test_whole_numbers_that_floats_do_not_hold_stay_what_they_are() -> None:
    accounts = [2**60 + i % 3 for i in range(30)]
    codec, found = codec_of(pd.DataFrame({"account": accounts, "x": np.arange(30) % 4}))
    assert kinds_of(codec)["account"] == "category"
    assert found["account"].tolist() == list(map(str, accounts))


def test_structured_arrays() -> None:
    array = np.zeros(ROWS, [("age", "i4"), ("town", "S4"), ("day", "M8[D]"), ("name", "U3")])
    array["age"] = np.arange(ROWS) % 40
    array["town"] = [(b"Rome", "Köl".encode())[i % 2] for i in SHUFFLED]
    array["day"] = np.datetime64("2020-01-01") + np.arange(ROWS)
    array["name"] = np.array(["Ann", "Bob", ""])[SHUFFLED % 3]
    codec, found = codec_of(array)
    assert kinds_of(codec) == {"age": "whole", "town": "category", "day": "date", "name": "category"}
    assert found["town"].tolist() == [("Rome", "Köl")[i % 2] for i in SHUFFLED]
    assert found["name"].dropna().tolist() == [("Ann", "Bob")[i % 3] for i in SHUFFLED if i % 3 < 2]
    assert found["name"].isna().tolist() == [i % 3 == 2 for i in SHUFFLED]
    assert found["day"].to_numpy("datetime64[D]").tolist() == array["day"].tolist()


def test_arrays_of_rows_within_rows_are_refused() -> None:
    with pytest.raises(DataError, match="plain values"):
        open_source(np.zeros(4, [("a", "f4", (3,))]))


def test_arrays_of_objects() -> None:
    array = np.array([[i % 7, ("x", "y")[i % 2], None if i % 5 == 0 else 0.5 * (i % 40)] for i in range(ROWS)], object)
    codec, found = codec_of(array)
    assert kinds_of(codec) == {"column 1": "whole", "column 2": "category", "column 3": "decimal"}
    assert found["column 3"].isna().tolist() == [i % 5 == 0 for i in range(ROWS)]


def json_lines(folder: Path, lines: list[Any]) -> Path:
    path = folder / "rows.jsonl"
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines) + "\n")
    return path


def test_json_lines(tmp_path: Path) -> None:
    lines: list[Any] = [{"age": i % 40, "town": "Köln" if i % 2 else None, "ok": i % 3 == 0} for i in range(ROWS)]
    lines[5:5] = ["", {"age": 2.5, "list": [1, 2]}]
    path = json_lines(tmp_path, lines)
    source = open_source(path)
    source.load(tmp_path)
    assert isinstance(source, Tables)
    assert (len(source), source.columns) == (ROWS + 1, ("age", "town", "ok", "list"))
    cells = source.read(4, 7)
    assert [cells.name_of(place) for place in range(3)] == ["line 5", "line 7", "line 8"]
    assert cells.columns[3].tolist() == [None, "[1, 2]", None]
    codec, found = codec_of(path)
    assert kinds_of(codec)["age"] == "decimal"
    assert kinds_of(codec)["ok"] == "yes/no"
    assert found["ok"].tolist()[:2] == [True, False]


@pytest.mark.parametrize(
    ("line", "said"),
    [("{", "no JSON"), ("[1]", "no object"), ("[" * 100_000, "no JSON"), ('{"a": 1' + "0" * 5000 + "}", "no JSON")],
)
def test_lines_that_are_no_json_objects_are_refused_with_their_number(line: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=said) as caught:
        prepare(json_lines(tmp_path, [{"a": 1}, "", line]))
    assert caught.value.where == "line 3"


def test_parquet(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="needs pyarrow, which reads Parquet files")
    expected = frame().drop(columns="mixed")
    expected.index = expected.index + 5  # which pandas stores as a column of its own
    expected.to_parquet(tmp_path / "rows.parquet", row_group_size=25)
    source = open_source(tmp_path / "rows.parquet")
    source.load(tmp_path)
    assert source.columns == tuple(expected.columns)
    cells = source.read(20, 55)
    assert len(cells) == 35
    codec, found = codec_of(tmp_path / "rows.parquet")
    assert kinds_of(codec)["time"] == "date"
    assert found["whole"].isna().tolist() == expected["whole"].isna().tolist()
    assert found["kind"].tolist() == expected["kind"].tolist()


def test_a_damaged_parquet_file_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="needs pyarrow, which reads Parquet files")
    frame().drop(columns="mixed").to_parquet(tmp_path / "good.parquet")
    content = bytearray((tmp_path / "good.parquet").read_bytes())
    content[4:400] = bytes(396)
    (tmp_path / "bad.parquet").write_bytes(content)
    (tmp_path / "text.parquet").write_text("hello")
    for name in ("bad.parquet", "text.parquet"):
        with pytest.raises(DataError, match="cannot read"):
            prepare(tmp_path / name)
