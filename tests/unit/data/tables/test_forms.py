"""A DataFrame comes back in the types that it had."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from ganwright.data.modalities.table import Table, TableCodec
from ganwright.data.preparation import prepare
from ganwright.data.progress import no_progress
from ganwright.data.sources.tables import Tables
from ganwright.data.tables.forms import check_forms, in_forms

ROWS = 300


def stations() -> pd.DataFrame:
    random = np.random.default_rng(0)
    truth: Any = [(True, False, None)[i] for i in random.integers(0, 3, ROWS)]
    some: Any = [None if i < 3 else int(i) for i in random.integers(0, 50, ROWS)]
    return pd.DataFrame(
        {
            "moment": pd.date_range("2021-03-01", periods=ROWS, freq="h", tz="Europe/Berlin"),
            "day": pd.date_range("2021-03-01", periods=ROWS).astype("datetime64[ns]"),
            "kind": pd.Categorical(random.choice(["a", "b", "c"], ROWS)),
            "open": pd.array(truth, dtype="boolean"),
            "small": random.integers(0, 9, ROWS).astype("int8"),
            "some": pd.array(some, dtype="UInt16"),
            "wind": random.normal(size=ROWS).astype("float32"),
            "rain": pd.array(random.normal(size=ROWS), dtype="Float64"),
            "note": pd.array(random.choice(["x", "y"], ROWS), dtype="string"),
            "plain": random.normal(size=ROWS),
            "count": random.integers(0, 5, ROWS),
            "word": random.choice(["p", "q"], ROWS),
        }
    )


def drawn(codec: TableCodec, count: int = 50, seed: int = 0) -> Any:
    return codec.decode(torch.randn(count, codec.layout.width, generator=torch.Generator().manual_seed(seed)))


def test_every_column_has_its_type_again_also_from_a_file_and_in_blocks(tmp_path: Path) -> None:
    frame = stations()
    codec = Table().fit(Tables.open(frame), no_progress)
    again = TableCodec.from_state(codec.state(), codec.tensors())
    whole = again.join([drawn(again, seed=seed) for seed in range(3)])
    assert whole.dtypes.to_dict() == frame.dtypes.to_dict()
    assert set(whole["kind"].dropna()) <= {"a", "b", "c"}
    assert whole.moment.min() >= frame.moment.min()
    (path,) = again.write(whole, tmp_path, 0)
    assert len(pd.read_csv(path)) == 150
    again.preview(whole, 4)


def test_the_types_are_a_part_of_the_data() -> None:
    """Or a frame of others would find what was packed for this one."""
    frame = stations()
    codecs = [prepare(each).codec for each in (frame, frame.astype({"small": "int64"}))]
    assert [drawn(codec)["small"].dtype for codec in codecs if isinstance(codec, TableCodec)] == ["int8", "int64"]


def test_what_does_not_fit_stays_as_it_is() -> None:
    frame = pd.DataFrame({"small": [3, 500], "moment": ["no", "time"]})
    found = in_forms(frame, {"small": "int8", "moment": "datetime64[us, Europe/Berlin]", "gone": "int8"}, {})
    assert found.small.tolist() == [3, 500]
    assert found.moment.tolist() == ["no", "time"]


@pytest.mark.parametrize("forms", [[], {"a": "object"}, {"a": 3}, {"a": "datetime64[us, " + "x" * 99 + "]"}])
def test_forms_of_a_strangers_file_are_checked(forms: Any) -> None:
    with pytest.raises(ValueError, match="does not exist"):
        check_forms(forms)
