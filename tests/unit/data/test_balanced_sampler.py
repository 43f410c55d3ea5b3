"""Records drawn so that every class comes equally often."""

from __future__ import annotations

import numpy as np
import pytest

from ganwright.data.sampler import Balanced
from ganwright.runtime.keys import Key

CLASSES = np.array([0] * 50 + [2] * 7 + [-1] * 5 + [1] * 3)


def test_every_class_comes_once_a_round_and_each_record_once_a_pass_of_its_class() -> None:
    drawn = Balanced(CLASSES).draw(Key(0), range(3 * 70))
    classes = CLASSES[drawn]
    assert (np.sort(classes.reshape(-1, 3), axis=1) == [0, 1, 2]).all()
    assert len({tuple(row) for row in classes.reshape(-1, 3).tolist()}) == 6, "in every order"
    for place, count in ((0, 50), (1, 3), (2, 7)):
        of_class = drawn[classes == place]
        assert all(len(set(of_class[i : i + count])) == count for i in range(0, 70 - count, count))


def test_a_place_holds_the_same_record_however_it_is_asked_for() -> None:
    whole = Balanced(CLASSES).draw(Key(3), range(2000))
    for start in range(0, 1900, 97):
        for length in (0, 1, 64):
            key = Key(3, step=9, turn="generator", repeat=2)
            assert np.array_equal(Balanced(CLASSES).draw(key, range(start, start + length)), whole[start : start + length])
    assert not np.array_equal(Balanced(CLASSES).draw(Key(4), range(2000)), whole)
    assert not np.array_equal(Balanced(CLASSES).draw(Key(3, attempt=1), range(2000)), whole)


def test_without_a_class_there_is_nothing_to_draw() -> None:
    with pytest.raises(ValueError, match="known class"):
        Balanced(np.array([-1, -1]))
