"""Which columns a generator of rows is told, and which it draws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganwright.data.sampler import KnownColumns
from ganwright.runtime.keys import Key

PASSES = [[0, 2], [1], [3], [4]]


def passes() -> st.SearchStrategy[list[list[int]]]:
    def of(sizes: tuple[int, int]) -> list[list[int]]:
        numbers, words = sizes
        first = [list(range(numbers))] if numbers else []
        return first + [[numbers + i] for i in range(words)]

    return st.tuples(st.integers(0, 4), st.integers(0, 5)).filter(lambda sizes: sum(sizes) > 0).map(of)


@given(passes(), st.floats(0, 1), st.floats(0, 1))
def test_each_row_draws_columns_of_one_pass_that_are_not_known(order: list[list[int]], numbers: float, usual: float) -> None:
    width = sum(map(len, order))
    known, drawn = KnownColumns(numbers, usual).draw(Key(0), 200, order)
    assert known.shape == drawn.shape == (200, width)
    assert set(np.unique(known)) | set(np.unique(drawn)) <= {0.0, 1.0}
    assert not (known * drawn).any()
    assert drawn.any(1).all(), "every row has something to draw"
    for row in drawn:
        assert any(set(np.flatnonzero(row)) <= set(columns) for columns in order)


def test_the_usual_rows_are_told_what_sampling_knows() -> None:
    known, drawn = KnownColumns(usual=1.0).draw(Key(0), 2000, PASSES)
    seen = {(tuple(np.flatnonzero(k)), tuple(np.flatnonzero(d))) for k, d in zip(known, drawn, strict=True)}
    assert seen == {((), (0, 2)), ((0, 2), (1,)), ((0, 1, 2), (3,)), ((0, 1, 2, 3), (4,))}


def test_any_set_of_columns_is_told_in_the_others() -> None:
    known, drawn = KnownColumns(usual=0.0).draw(Key(0), 5000, PASSES)
    words = {tuple(np.flatnonzero(k)) for k, d in zip(known, drawn, strict=True) if d[4]}
    assert len(words) == 16, "every set of the other four"
    numbers = {tuple(np.flatnonzero(d)) for d in drawn if d[0] or d[2]}
    assert numbers == {(0, 2), (0,), (2,)}


@pytest.mark.parametrize("numbers", [0.2, 0.8])
def test_numbers_get_their_share_of_the_rows(numbers: float) -> None:
    _, drawn = KnownColumns(numbers=numbers).draw(Key(3), 4000, PASSES)
    assert (drawn[:, [0, 2]].any(1)).mean() == pytest.approx(numbers, abs=0.04)


def test_draws_follow_from_the_key() -> None:
    again = [KnownColumns().draw(Key(1, step=step), 50, PASSES)[0] for step in (5, 5, 6)]
    assert (again[0] == again[1]).all()
    assert (again[0] != again[2]).any()


@pytest.mark.parametrize("setting", ["numbers", "usual"])
@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_shares_lie_between_nothing_and_all(setting: str, value: float) -> None:
    with pytest.raises(ValueError, match=setting):
        KnownColumns(**{setting: value})
