"""Files of delimited cells."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import pytest

from ganwright.core.errors import DataError
from ganwright.data.tables import delimited
from ganwright.data.tables.asked import Asked
from ganwright.data.tables.delimited import DelimitedFile
from ganwright.data.tables.dialect import Dialect, names_first, sniff


def loaded(folder: Path, content: str | bytes, asked: Asked | None = None) -> DelimitedFile:
    path = folder / "table.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    table = DelimitedFile(path, asked or Asked())
    table.load(folder / "scratch")
    return table


def rows(table: DelimitedFile, start: int = 0, stop: int | None = None) -> list[tuple[str, ...]]:
    cells = table.read(start, len(table) if stop is None else stop)
    return list(zip(*(column.tolist() for column in cells.columns), strict=True))


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "windows-1252"])
def test_line_ends_and_encodings(ends: str, encoding: str, tmp_path: Path) -> None:
    content = ends.join(["name,age", "Zoë,3", "", "Ann,4", "Bob,"]) + ends
    table = loaded(tmp_path, content.encode(encoding))
    assert table.names == ("name", "age")
    assert rows(table) == [("Zoë", "3"), ("Ann", "4"), ("Bob", "")]
    table.close()
    assert not list((tmp_path / "scratch").glob("*")) if (tmp_path / "scratch").exists() else True


def test_quotes_delimiters_and_line_breaks_within_cells(tmp_path: Path) -> None:
    table = loaded(tmp_path, 'name,says\n"Smith, Ann","two\nlines"\nBob,"a ""word"""\n\nCy,plain\n')
    assert rows(table) == [("Smith, Ann", "two\nlines"), ("Bob", 'a "word"'), ("Cy", "plain")]
    assert [table.read(0, 3).name_of(place) for place in range(3)] == ["line 2", "line 4", "line 6"]


@pytest.mark.parametrize("quoted", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
@pytest.mark.parametrize("doubled", [False, True])
def test_any_rows_of_a_long_file_are_read(
    quoted: int, doubled: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delimited, "BLOCK_BYTES", 5000)
    monkeypatch.setattr(delimited, "CAREFUL_ROWS", 100)
    cells = [(str(i), 'a "word"' if doubled and i % 1500 == 7 else f"x{i},{i}") for i in range(5000)]
    with (tmp_path / "table.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, quoting=quoted).writerows([("number", "word"), *cells])  # type: ignore[arg-type]
    table = loaded(tmp_path, (tmp_path / "table.csv").read_bytes())
    assert len(table) == 5000
    for start, stop in ((0, 5000), (0, 1), (1023, 1025), (2048, 3072), (4999, 9999), (1500, 1500)):
        assert rows(table, start, stop) == cells[start:stop]
        assert table.read(start, stop).lines.tolist() == list(range(start + 2, min(stop, 5000) + 2))  # type: ignore[union-attr]


def test_spaces_after_delimiters_belong_to_no_cell(tmp_path: Path) -> None:
    table = loaded(tmp_path, "39, State-gov , 77516\n50, Self-emp, 83311\n38, ?, 215646\n" * 3)
    assert rows(table)[:3] == [("39", "State-gov", "77516"), ("50", "Self-emp", "83311"), ("38", "?", "215646")]
    assert "spaces after the delimiters left out" in table.notes


def test_a_first_column_that_counts_the_rows_is_left_out(tmp_path: Path) -> None:
    table = loaded(tmp_path, ",a,b\n0,1,x\n1,2,y\n2,3,z\n")
    assert table.names == ("a", "b")
    assert rows(table) == [("1", "x"), ("2", "y"), ("3", "z")]


def test_a_file_of_one_column(tmp_path: Path) -> None:
    assert rows(loaded(tmp_path, "word\none\n\ntwo\n")) == [("one",), ("two",)]


def test_what_is_asked_for_wins(tmp_path: Path) -> None:
    table = loaded(tmp_path, "a;b,c\n1,5;2\n", Asked(delimiter=",", decimal=",", header=False))
    assert table.dialect == Dialect(",", ",", header=False)
    assert rows(table) == [("a;b", "c"), ("1", "5;2")]


def test_a_file_that_changes_is_an_error(tmp_path: Path) -> None:
    table = loaded(tmp_path, "a,b\n" + "1,2\n" * 3000)
    (tmp_path / "table.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match="changed"):
        table.read(2000, 2100)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["a,b\n", "1,2\n"], Dialect(",")),
        (["a;b\n", "1,5;2,5\n"], Dialect(";", ",")),
        (["1,5;2,5\n", "3,5;4,5\n"], Dialect(";", ",", header=False)),
        (["a\tb\n", "1.5\t2\n"], Dialect("\t")),
        (["a|b\n", "1|2\n"], Dialect("|")),
        (["name;note\n", "Smith, Ann;x\n", "Bo;y, z, w\n"], Dialect(";")),
        (["price;k\n", "1.234,5;a\n"], Dialect(";", ",")),
        (["price;k\n", "1,234.5;a\n"], Dialect(";", ".")),
        (["word\n", "one\n"], Dialect(",")),
    ],
)
def test_sniffing(lines: Sequence[str], expected: Dialect) -> None:
    assert sniff(lines) == expected


@pytest.mark.parametrize(
    ("table", "named"),
    [
        ([["a", "b"], ["1", "x"]], True),
        ([["1", "x"], ["2", "y"]], False),
        ([["0", "1"], ["5.5", "7"]], True),
        ([["", "0", "1"], ["0", "5.5", "7"]], True),
        ([["x", "y"], ["y", "x"], ["x", "x"]], False),
        ([["name", "town"], ["Ann", "Rome"]], True),
        ([["?", "x"], ["1", "y"]], False),
        ([["RI", "Na", "None"], ["1.5", "13", "0.2"], ["1.6", "12", "0.1"]], True),
        ([["Ann", "NA"], ["Bob", "12"], ["Eve", "11"]], False),
        ([["country", "1990", "1991", "1992"], ["Chad", "0.1", "0.2", "0.3"]], True),
        ([["Chad", "1990", "1991", "1992"], ["Chad", "0.1", "0.2", "0.3"]], False),
        ([["Chad", "1990", "1995", "1992"], ["Mali", "0.1", "0.2", "0.3"]], False),
        ([["Chad", "1", "2", "3"], ["Mali", "0.1", "0.2", "0.3"]], False),
        ([], False),
    ],
)
def test_whether_names_come_first(table: list[list[str]], named: bool) -> None:
    assert names_first(table) is named
