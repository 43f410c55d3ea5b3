"""Blocks of a file cut all at once are what Python's csv module reads."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ganwright.data.tables.cutting import CutRows, cut


def read(text: str, delimiter: str, spaced: bool) -> list[list[str]] | None:
    lines = io.StringIO(text, newline="\n")
    try:
        rows = [row for row in csv.reader(lines, delimiter=delimiter, skipinitialspace=spaced, strict=True) if row]
    except csv.Error:
        return None
    return [[cell.rstrip(" ") for cell in row] if spaced else row for row in rows]


def cells(rows: CutRows) -> list[list[str]]:
    return [rows.row(place) for place in range(len(rows.counts))]


@settings(deadline=None, max_examples=600, derandomize=True)
@example(text='a,b\r\n"1\r\n2",3\r\n\r\n,', spaced=False)
@example(text='"",""\n""\n', spaced=False)
@example(text="a,\r", spaced=False)
@given(text=st.text(st.sampled_from('ab1é", \r\n\t;'), max_size=30), spaced=st.booleans())
def test_rows_are_the_csv_modules_or_left_to_it(text: str, spaced: bool) -> None:
    block = text.encode()
    rows = cut(block, ",", spaced, last=True) if block else None
    if rows is None:
        return
    expected = read(text, ",", spaced)
    assert expected is not None
    assert cells(rows) == expected
    assert rows.used == len(block)


@settings(deadline=None, max_examples=300, derandomize=True)
@given(
    rows=st.lists(st.lists(st.text(st.sampled_from("ab1é, \n;"), max_size=6), min_size=2, max_size=2), min_size=1),
    cut_at=st.integers(1, 200),
)
def test_a_block_ends_with_its_last_whole_row(rows: list[list[str]], cut_at: int) -> None:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(rows)
    block = stream.getvalue().encode()
    part = block[:cut_at]
    found = cut(part, ",", False, last=False)
    if found is not None:
        assert cells(found) == rows[: len(found.counts)]
        rest = cut(block[found.used :], ",", False, last=True)
        if rest is not None and found.used < len(block):
            assert cells(found) + cells(rest) == rows
            assert part[: found.used].count(b"\n") == found.used_lines


def test_lines_and_bytes_are_where_rows_begin() -> None:
    rows = cut(b'a,b\n\n"1\n2",3\nx,y\n', ",", False, last=True)
    assert rows is not None
    assert rows.lines.tolist() == [0, 2, 4]
    assert rows.begins.tolist() == [0, 5, 13]
    assert [column.tolist() for column in rows.columns(np.array([1, 2]), 1, 2)] == [["3", "y"]]


@pytest.mark.parametrize("block", [b"a,b\n1,\0\n", b'a,b\n1,"2', b'a,b\n1,2"3\n', b"a,b\r1,2\n", b"x" * 200_000])
def test_what_is_doubtful_is_left_to_a_careful_reader(block: bytes) -> None:
    assert cut(block, ",", False, last=True) is None
