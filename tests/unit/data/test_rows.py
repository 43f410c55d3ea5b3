"""Rows of numbers from arrays and tensors, and from tables with labels beside them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from ganwright.core.errors import DataError
from ganwright.data.modalities.numbers import Numbers
from ganwright.data.opening import open_source
from ganwright.data.preparation import prepare
from ganwright.data.sources.memory import Memory
from ganwright.data.sources.npy import Npy
from ganwright.data.sources.rows import Rows

TABLE = np.random.default_rng(0).integers(-5, 90, (12, 3)).astype(float) / 4


def values(data: Any) -> np.ndarray:
    return np.stack([np.asarray(record.payload) for record in open_source(data).read(0, 99)])


@pytest.mark.parametrize(
    "same",
    [
        TABLE,
        TABLE.astype(np.float32),
        np.asfortranarray(TABLE),
        torch.from_numpy(TABLE),
        torch.from_numpy(TABLE).float().requires_grad_(),
        torch.from_numpy(TABLE).bfloat16().double(),
    ],
    ids=["float64", "float32", "fortran", "tensor", "with-gradient", "bfloat"],
)
def test_all_the_ways_to_hold_the_same_rows(same: Any) -> None:
    source = open_source(same)
    assert isinstance(source, Rows)
    found = values(same)
    assert found.dtype == np.float64
    assert found.shape == (12, 3)
    assert np.allclose(found, TABLE, atol=0.1)
    assert [record.name for record in source.read(10, 99)] == ["row 10", "row 11"]


@pytest.mark.parametrize("column", [TABLE[:, 0], torch.from_numpy(TABLE[:, 0])])
def test_one_axis_is_one_column(column: Any) -> None:
    assert (values(column) == TABLE[:, :1]).all()
    assert open_source(column).columns == ()


@pytest.mark.parametrize("kind", [bool, np.uint8, np.int64, np.float16])
def test_any_type_of_number(kind: Any) -> None:
    assert values(np.eye(4, dtype=kind)).tolist() == np.eye(4).tolist()


@pytest.mark.parametrize(
    "labels",
    [[0, 1] * 6, np.arange(12), torch.arange(12), list("ab") * 6, pd.Series(list("ab") * 6), np.arange(12)[:, None]],
    ids=["list", "array", "tensor", "strings", "series", "column"],
)
def test_labels(labels: Any) -> None:
    for rows in (TABLE, pd.DataFrame(TABLE), torch.from_numpy(TABLE)):
        records = open_source((rows, labels)).read(0, 99)
        assert records[1].conditions["label"] in ("1", "b")
        assert len(records) == 12


def test_two_arrays_alike_are_still_two_pictures() -> None:
    assert isinstance(open_source((np.eye(9), np.eye(9))), Memory)
    assert isinstance(open_source((TABLE, TABLE[:, :1] // 1)), Rows)


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (np.zeros((0, 3)), "no rows in the array"),
        (np.zeros((3, 0)), "no rows in the array"),
        (np.zeros((3, 20_000)), "too long"),
        (np.zeros((3, 3), complex), "cannot be made of complex128"),
        ((TABLE, [1, 2]), "one label per row"),
        ((TABLE, [0.5] * 12), "cannot read the labels"),
        ((TABLE, [float("nan")] * 12), "cannot read the labels"),
        (pd.DataFrame(), "no rows"),
    ],
)
def test_what_cannot_be_rows(bad: Any, words: str) -> None:
    with pytest.raises(DataError, match=words) as caught:
        open_source(bad)
    assert len(str(caught.value).splitlines()) <= 6


def test_a_dataframe_beside_labels_keeps_names_and_gaps() -> None:
    frame = pd.DataFrame({"a": [1, 2, None], "b": [True, False, True], "c": pd.array([1, None, 3], dtype="Int64"), 4: 0.5})
    data = (frame, [0, 1, 0])
    assert open_source(data).columns == ("a", "b", "c", "4")
    found = values(data)
    assert found[0].tolist() == [1, 1, 1, 0.5]
    assert np.isnan(found).tolist() == [[False] * 4, [False, False, True, False], [True, False, False, False]]


def test_columns_beside_labels_that_are_no_numbers_are_named() -> None:
    many = pd.DataFrame({"age": [1.0], "city": ["x"], "when": pd.to_datetime(["2026-01-01"]), "kind": pd.Categorical(["a"])})
    with pytest.raises(DataError, match="columns that are not numbers") as caught:
        open_source((many, [1]))
    assert "'city'" in caught.value.where
    assert "'when' (datetime64" in caught.value.where
    assert "'kind' (category)" in caught.value.where
    assert "age" not in caught.value.where


def test_rows_need_neither_pandas_nor_torch() -> None:
    code = (
        "import sys\nimport numpy as np\nfrom ganwright.data.opening import open_source\n"
        "open_source((np.zeros((4, 3)), [0, 1, 0, 1])).read(0, 4)\nprint({'pandas', 'torch'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_the_fingerprint_is_of_content_labels_and_names() -> None:
    same = [TABLE, TABLE.copy(), torch.from_numpy(TABLE)]
    assert len({open_source(data).fingerprint() for data in same}) == 1
    other = [TABLE, TABLE + 1, (TABLE, [0, 1] * 6), pd.DataFrame(TABLE, columns=list("abc")), TABLE.reshape(9, 4)]
    assert len({open_source(data).fingerprint() for data in other}) == 5


# Files


def test_npy(tmp_path: Path) -> None:
    for name, array in (("two", TABLE), ("one", TABLE[:, 0])):
        np.save(tmp_path / f"{name}.npy", array)
        source = open_source(tmp_path / f"{name}.npy")
        assert isinstance(source, Npy)
        assert (values(tmp_path / f"{name}.npy") == array.reshape(12, -1)).all()
    assert prepare(tmp_path / "two.npy").report.lines()[0].startswith(f"Found 12 rows in {tmp_path / 'two.npy'}")


def test_a_part_of_a_table_keeps_its_names() -> None:
    data = prepare(pd.DataFrame(TABLE, columns=list("abc")), Numbers(), limit=6)
    assert len(data) == 6
    assert data.codec.state()["columns"] == ["a", "b", "c"]
