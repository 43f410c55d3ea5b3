"""Words for people."""

from __future__ import annotations

import pytest

from ganwright.core.text import counted


@pytest.mark.parametrize(
    ("count", "plural", "words"),
    [
        (0, "pictures", "0 pictures"),
        (1, "pictures", "1 picture"),
        (2000, "pictures", "2,000 pictures"),
        (1, "new series", "1 new series"),
        (1, "rows", "1 row"),
    ],
)
def test_one_of_them_and_many(count: int, plural: str, words: str) -> None:
    assert counted(count, plural) == words
