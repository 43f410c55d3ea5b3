from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganwright.data.texts.vocabulary import CHUNK, RARE, Vocabulary, learn_characters, learn_pieces

LINES = ["a cat sat on the mat", "the cat and the other cat", "a mat, a hat; don't!", "  two  blanks\tand_more"] * 3


def learned(most: int = 40) -> Vocabulary:
    characters, _ = learn_characters(Counter("".join(LINES)), 1024)
    return learn_pieces(Counter(chunk for line in LINES for chunk in CHUNK.findall(line)), characters, most)


def test_pieces_are_what_comes_often_and_never_reach_over_a_word() -> None:
    vocabulary = learned()
    assert " cat" in vocabulary.symbols
    assert " the" in vocabulary.symbols
    assert len(vocabulary) <= 41
    assert all(" " not in symbol[1:] for symbol in vocabulary.symbols)


@given(st.text(alphabet=sorted(set("".join(LINES)))))
def test_every_text_of_known_characters_comes_back(text: str) -> None:
    vocabulary = learned()
    assert vocabulary.decode(vocabulary.encode(text)) == text


@given(st.text(alphabet="ab", max_size=30))
def test_what_was_decoded_is_read_in_the_same_symbols_however_it_was_spelled(text: str) -> None:
    vocabulary = Vocabulary(["a", "b", "ab", "aab"])
    letters = [vocabulary.symbols.index(letter) for letter in text]
    assert vocabulary.encode(vocabulary.decode(letters)) == vocabulary.encode(text)


def test_the_longest_piece_is_taken() -> None:
    vocabulary = Vocabulary(["a", "b", "ab", "aab"])
    assert [vocabulary.symbols[number] for number in vocabulary.encode("aabab")] == ["aab", "ab"]


def test_the_end_ends() -> None:
    vocabulary = Vocabulary(["a", "b"])
    assert vocabulary.decode([1, 2, 0, 1]) == "ab"
    assert vocabulary.encode("") == []


def test_rare_characters_become_one_symbol_and_are_counted() -> None:
    vocabulary, replaced = learn_characters(Counter({"a": 5, "b": 4, "x": 2, "y": 1}), 3)
    assert set(vocabulary.symbols) == {"", RARE, "a", "b"}
    assert replaced == 3
    assert vocabulary.decode(vocabulary.encode("axbq")) == f"a{RARE}b{RARE}"


@pytest.mark.parametrize("symbols", [["a", "ab"], ["a"]])
def test_a_character_that_was_never_seen_is_told_of(symbols: list[str]) -> None:
    with pytest.raises(ValueError, match="'q' was not seen before"):
        Vocabulary(symbols).encode("aq")


@pytest.mark.parametrize("symbols", [[], ["a", "a"], ["", "a"], ["a" * 65]])
def test_what_is_no_vocabulary_is_refused(symbols: list[str]) -> None:
    with pytest.raises(ValueError, match="symbol"):
        Vocabulary(symbols)
