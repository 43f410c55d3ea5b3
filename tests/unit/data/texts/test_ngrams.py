from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from support import tiny_lines

from ganwright.data.texts.lines import Texts
from ganwright.data.texts.ngrams import coded, covered, divergence, divergences


def words(*lines: str) -> Texts:
    return Texts(lines, "words")


def by_hand(one: Counter[str], other: Counter[str]) -> float:
    total = 0.0
    for mine, theirs in ((one, other), (other, one)):
        for gram, count in mine.items():
            p, q = count / mine.total(), theirs[gram] / theirs.total()
            total += 0.5 * p * np.log2(p / ((p + q) / 2))
    return total


def test_divergence_is_that_of_the_formula() -> None:
    one, other = coded(Texts(("abab", "ba"), "characters"), Texts(("aab",), "characters"))
    # A line's end counts as one more unit.
    assert divergence(one.counts(1), other.counts(1)) == pytest.approx(by_hand(Counter("abab.ba."), Counter("aab.")))
    pairs = Counter(["ab", "ba", "ab", "b.", "ba", "a."]), Counter(["aa", "ab", "b."])
    assert divergence(one.counts(2), other.counts(2)) == pytest.approx(by_hand(*pairs))


def test_equal_texts_do_not_diverge_and_others_wholly() -> None:
    one, same, other = coded(words("a b c", "d e"), words("d e", "a b c"), words("x y z"))
    assert all(value == pytest.approx(0, abs=1e-12) for value in divergences(one, same, (1, 2, 3)).values())
    assert divergences(one, other, (2,))[2] == pytest.approx(1)


def test_ngrams_never_reach_over_a_line() -> None:
    (texts,) = coded(words("a b", "c d"))
    assert texts.counts(2).total == 4  # "a b", "b <end>", "c d", "d <end>"
    assert texts.counts(4).total == 0


def test_lines_that_are_taken_are_counted_as_if_they_were_alone() -> None:
    lines = tiny_lines(50)
    everything, some = coded(Texts(tuple(lines), "words"), Texts(tuple(lines[i] for i in (3, 7, 7, 40)), "words"))
    taken = everything.take(np.array([3, 7, 7, 40]))
    for n in (1, 2, 3):
        assert np.array_equal(taken.counts(n).digests, some.counts(n).digests)
        assert np.array_equal(taken.counts(n).counts, some.counts(n).counts)


def test_a_generator_that_collapsed_covers_little() -> None:
    real, varied, collapsed = coded(
        *(Texts(tuple(lines), "words") for lines in (tiny_lines(200), tiny_lines(200, 1), ["a cat"] * 200))
    )
    assert covered(real.counts(2), varied.counts(2)) > 0.9
    assert covered(real.counts(2), collapsed.counts(2)) < 0.2


def test_words_are_told_from_signs_in_any_script() -> None:
    (units,) = words("Don't, l’eau — да; 天地!").units
    assert units == ["Don't", ",", "l’eau", "—", "да", ";", "天地", "!"]


def test_of_a_window_only_words_that_are_surely_whole_count() -> None:
    assert Texts(("ight true words nigh",), "characters", whole=False).words == [["true", "words"]]
