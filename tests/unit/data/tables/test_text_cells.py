"""Cells as text: numbers read all at once, and which cells are alike."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganwright.data.tables.text_cells import CutText, as_text, is_nothing, text_of

WORDS = st.lists(st.text(st.sampled_from("aé7\0 \U0001f600"), max_size=20), min_size=1, max_size=30)


@settings(deadline=None, max_examples=200, derandomize=True)
@given(cells=WORDS)
def test_text_comes_back(cells: list[str]) -> None:
    text = CutText.of(cells)
    assert text.tolist() == cells
    assert [text[place] for place in range(len(cells))] == cells
    assert text[::2].tolist() == cells[::2]
    assert text[np.array([0, -1])].tolist() == [cells[0], cells[-1]]
    assert CutText.joined([text[1:], text[:1]]).tolist() == cells[1:] + cells[:1]
    assert np.asarray(text).tolist() == cells
    assert text.filled.tolist() == [bool(cell) for cell in cells]


@settings(deadline=None, max_examples=200, derandomize=True)
@given(cells=WORDS, long=st.booleans())
def test_alike_cells_are_found(cells: list[str], long: bool) -> None:
    cells = [cell + "x" * 300 for cell in cells] if long else cells
    grouped = CutText.of(cells).grouped
    assert grouped.words == list(dict.fromkeys(cells))
    assert [grouped.words[code] for code in grouped.codes] == cells
    assert grouped.counts == [cells.count(word) for word in grouped.words]


@settings(deadline=None, max_examples=300, derandomize=True)
@given(
    numbers=st.lists(st.floats(-1e300, 1e300) | st.integers(-(10**20), 10**20), min_size=1),
    form=st.sampled_from(["{!r}", "{:.4f}", "{:+.2e}", "{:>12.3f}", "{:,.2f}", "{:.0f}"]),
)
def test_numbers_are_read_as_Python_reads_them(numbers: list[float], form: str) -> None:
    cells = [form.format(number) for number in numbers]
    expected = [float(cell.replace(",", "")) for cell in cells]
    np.testing.assert_array_equal(CutText.of(cells).numerals(".").values, expected)


@pytest.mark.parametrize(
    ("cell", "decimal", "value", "decimals"),
    [
        ("7", ".", 7.0, 0),
        ("-7.50", ".", -7.5, 2),
        ("5.", ".", 5.0, 0),
        (".5", ".", 0.5, 1),
        ("  12.5\t", ".", 12.5, 1),
        (" " * 40 + "3", ".", 3.0, 0),
        ("1,234,567.8", ".", 1234567.8, 1),
        ("1.234,5", ",", 1234.5, 1),
        ("1234,50", ",", 1234.5, 2),
        ("1.5", ",", np.nan, 0),
        ("1,23", ".", np.nan, 0),
        ("1e3", ".", 1000.0, 0),
        ("1_000", ".", np.nan, 0),
        ("0x10", ".", np.nan, 0),
        ("1.2.3", ".", np.nan, 0),
        ("--1", ".", np.nan, 0),
        ("1-", ".", np.nan, 0),
        ("-", ".", np.nan, 0),
        ("", ".", np.nan, 0),
        ("inf", ".", np.nan, 0),
        ("nan", ".", np.nan, 0),
        ("1e999", ".", np.nan, 0),
        ("٣", ".", np.nan, 0),
        ("12345678901234567890", ".", 12345678901234567890.0, 0),
    ],
)
def test_what_is_a_number(cell: str, decimal: Literal[".", ","], value: float, decimals: int) -> None:
    found = CutText.of([cell, "x"]).numerals(decimal)
    np.testing.assert_array_equal(found.values, [value, np.nan])
    assert found.decimals[0] == decimals


@pytest.mark.parametrize(("cell", "zero"), [("007", True), ("-01", True), (" 01 ", True), ("0", False), ("0.5", False)])
def test_leading_zeros(cell: str, zero: bool) -> None:
    assert CutText.of([cell]).numerals(".").leading_zeros.tolist() == [zero]


def test_no_cells_at_all() -> None:
    text = CutText.of([])
    assert (len(text), text.tolist(), text.grouped.words, len(text.numerals(".").values)) == (0, [], [], 0)


def test_objects_as_text() -> None:
    cells = np.empty(6, object)
    cells[:] = ["a", None, 1.5, float("nan"), np.datetime64("NaT"), np.array([1, 2])]
    assert as_text(cells).tolist() == ["a", "", "1.5", "", "", "[1 2]"]
    assert text_of(cells).filled.tolist() == [True, False, True, False, False, True]
    assert not is_nothing("")
