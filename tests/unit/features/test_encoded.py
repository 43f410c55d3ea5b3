"""Rows of a table as features: every column counts about the same."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ganwright.data.dataset import Dataset
from ganwright.data.preparation import prepare
from ganwright.features.encoded import Encoded
from ganwright.metrics.parts.neighbours import nearest


def table() -> Dataset:
    draw = np.random.default_rng(0)
    words = np.array(["a", "b", "c"], object)
    frame = pd.DataFrame({"number": draw.exponential(size=400), "word": words[draw.integers(0, 3, 400)]})
    return prepare(frame)


def test_a_column_of_numbers_counts_about_as_much_as_one_of_words() -> None:
    data = table()
    blocks = data.codec.spec.blocks
    features = Encoded().extractor(data).extract([data.codec.expand(data.batch(np.arange(400)))])
    widths = [block.width for block in blocks]
    spread = [float(part.double().var(0).sum()) for part in features.split(widths, 1)]
    assert len(spread) == 2
    assert 0.5 < spread[0] / spread[1] < 2


def test_two_rows_with_other_words_are_one_apart_and_a_row_is_nearest_to_itself() -> None:
    data = table()
    features = Encoded().extractor(data).extract([data.codec.expand(data.batch(np.arange(400)))])
    word = features.split([block.width for block in data.codec.spec.blocks], 1)[1]
    gaps = (word[:, None] - word[None]).norm(dim=2)
    assert sorted({round(float(gap), 5) for gap in gaps.unique()}) == [0, 1]
    assert nearest(features, features).distances.max() == 0


def test_other_columns_have_another_identity() -> None:
    other = prepare(pd.DataFrame({"number": np.arange(50.0) ** 1.5, "weight": np.random.default_rng(0).normal(size=50)}))
    assert Encoded().extractor(table()).identity != Encoded().extractor(other).identity
    assert "2 columns" in Encoded().extractor(other).about


@pytest.mark.parametrize("purpose", ["default_features", "scoring_features"])
def test_it_is_what_tables_are_compared_in(purpose: str) -> None:
    assert getattr(table().codec, purpose) == "encoded"
