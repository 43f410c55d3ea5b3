"""What people have in tables. The names are the rows of the table of faults."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from ganwright.core.errors import DataError, UsageError
from ganwright.data.dataset import Dataset
from ganwright.data.modalities.table import Table, TableCodec
from ganwright.data.preparation import prepare
from ganwright.data.sources.tables import TableFile
from ganwright.data.tables.asked import Asked
from ganwright.data.tables.columns import Column, WordColumn

RANDOM = np.random.default_rng(0)
CITIES = ("Köln", "Łódź", "Rome")


def written(folder: Path, content: str | bytes, name: str = "table.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def rows_of(names: Sequence[str], *columns: Sequence[Any], delimiter: str = ",") -> str:
    lines = [delimiter.join(names), *(delimiter.join(map(str, row)) for row in zip(*columns, strict=True))]
    return "\n".join(lines) + "\n"


def prepared(path: Any, **settings: Any) -> Dataset:
    return prepare(path, Table(**settings) if settings else None)


def columns_of(data: Dataset) -> dict[str, Column]:
    assert isinstance(data.codec, TableCodec)
    return {column.name: column for column in data.codec.columns}


def kinds_of(data: Dataset) -> dict[str, str]:
    return {name: column.kind for name, column in columns_of(data).items()}


def left_out(data: Dataset) -> dict[str, str]:
    assert isinstance(data.codec, TableCodec)
    return dict(data.codec.left_out)


def notes_of(data: Dataset) -> str:
    return "\n".join(data.report.notes)


def refused(path: Any, **settings: Any) -> str:
    with pytest.raises(DataError) as caught:
        prepared(path, **settings)
    lines = str(caught.value).splitlines()
    assert len(lines) <= 6
    return str(caught.value)


AGES = [20 + i % 40 for i in range(60)]
TOWNS = [CITIES[i % 3] for i in range(60)]
TEXT = rows_of(["age", "town"], AGES, TOWNS)
POLISH = TEXT.replace("Łódź", "Lodz")


@pytest.mark.parametrize(
    ("content", "note"),
    [
        (TEXT.encode(), ""),
        (TEXT.encode("utf-8-sig"), ""),
        (TEXT.encode("utf-16"), "UTF-16"),
        (TEXT.encode("utf-16-be"), "UTF-16"),
        (TEXT.encode("utf-16-le"), "UTF-16"),
        (POLISH.encode("windows-1252"), "read as Windows-1252"),
    ],
    ids=["utf-8", "bom", "utf-16", "utf-16-be without bom", "utf-16-le without bom", "windows-1252"],
)
def test_C1_encodings_are_detected_and_named(content: bytes, note: str, tmp_path: Path) -> None:
    data = prepared(written(tmp_path, content))
    assert kinds_of(data) == {"age": "whole", "town": "category"}
    town = columns_of(data)["town"]
    assert isinstance(town, WordColumn)
    assert "Köln" in town.levels
    assert note in notes_of(data)


def test_C1_pictures_spreadsheets_and_archives_are_refused_by_what_they_are(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "picture.png")
    assert "PNG" in refused((tmp_path / "picture.png").rename(tmp_path / "a.csv"))
    with zipfile.ZipFile(tmp_path / "b.csv", "w") as archive:
        archive.writestr("xl/workbook.xml", "<xml/>")
    assert "spreadsheet" in refused(tmp_path / "b.csv")


@pytest.mark.parametrize(("delimiter", "name"), [(";", "semicolons"), ("\t", "tabs"), ("|", "bars")])
def test_C2_delimiter_and_decimal_comma_are_found_and_said(delimiter: str, name: str, tmp_path: Path) -> None:
    prices = [f"1.{i:03d},5" for i in range(40)]
    data = prepared(written(tmp_path, rows_of(["price", "kind"], prices, ["a", "b"] * 20, delimiter=delimiter)))
    assert f"{name} between cells, decimal comma" in notes_of(data)
    assert kinds_of(data) == {"price": "decimal", "kind": "category"}
    price = columns_of(data)["price"]
    values = price.decode(*_as_two(price.encode(_cells(["1.039,5", "1000,5"]))))
    np.testing.assert_allclose(values, [1039.5, 1000.5], rtol=1e-6)


def test_C2_a_decimal_comma_without_a_line_of_names(tmp_path: Path) -> None:
    data = prepared(written(tmp_path, "".join(f"{i},5;{i % 7},25\n" for i in range(40))))
    assert "semicolons between cells, decimal comma, no line of names" in notes_of(data)
    assert kinds_of(data) == {"column 1": "decimal", "column 2": "decimal"}


def test_C3_lines_too_long_or_short_are_listed_and_left_out_on_request(tmp_path: Path) -> None:
    lines = TEXT.splitlines()
    lines[3] += ",more"
    lines[7] = "20"
    path = written(tmp_path, "\n".join(lines))
    said = refused(path)
    assert "line 4 (3), line 8 (1)" in said
    assert "the first line has 2 cells; 2 of 60 rows" in said
    assert "--bad-rows skip" in said
    data = prepared(TableFile(path, Asked(skip_bad_rows=True)))
    assert len(data) == 58
    assert "2 lines without 2 cells left out: line 4 (3), line 8 (1)" in notes_of(data)


def test_C3_names_for_all_columns_but_the_first_as_R_writes(tmp_path: Path) -> None:
    rows = "".join(f'"{i + 1}",{age},"{town}"\n' for i, (age, town) in enumerate(zip(AGES, TOWNS, strict=True)))
    data = prepared(written(tmp_path, f'"age","town"\n{rows}'))
    assert kinds_of(data) == {"age": "whole", "town": "category"}
    assert "only names the rows" in notes_of(data)


@pytest.mark.parametrize(
    ("content", "said"), [("age,town\n", "no rows below the names"), ("", "nothing"), ("\n \n", "nothing")]
)
def test_C4_no_rows(content: str, said: str, tmp_path: Path) -> None:
    assert said in refused(written(tmp_path, content))


def test_C4_names_that_come_twice_or_are_missing_are_told_apart(tmp_path: Path) -> None:
    data = prepared(written(tmp_path, rows_of(["a", "a", "", "a"], AGES, TOWNS, AGES[::-1], AGES)))
    assert list(kinds_of(data)) == ["a", "a (2)", "column 3", "a (3)"]
    assert "'a' is now 'a (2)', the one at place 3 is now 'column 3', 'a' is now 'a (3)'" in notes_of(data)


def test_C5_one_text_among_numbers_is_told_with_its_line(tmp_path: Path) -> None:
    ages = [*range(20, 30), "oops"]
    data = prepared(written(tmp_path, rows_of(["age", "kind"], ages, list("abababababa"))))
    assert kinds_of(data)["age"] == "whole"
    assert "age: 1 of 11 are no numbers (line 12: 'oops'), taken as missing" in notes_of(data)


def test_C6_NA_is_a_country_among_words_and_missing_among_numbers(tmp_path: Path) -> None:
    countries = [("NA", "DE", "FR")[i % 3] for i in range(60)]
    numbers = ["NA" if i % 4 == 0 else i % 9 for i in range(60)]
    data = prepared(written(tmp_path, rows_of(["country", "count"], countries, numbers)))
    country, count = columns_of(data)["country"], columns_of(data)["count"]
    assert isinstance(country, WordColumn)
    assert "NA" in country.levels
    assert not country.missing
    assert count.kind == "whole"
    assert count.written(np.array([np.nan, 3.0])) == ["NA", "3"]


def test_C6_N3_infinite_numbers_are_missing_and_told(tmp_path: Path) -> None:
    data = prepared(written(tmp_path, rows_of(["x", "k"], [*np.arange(30) / 4, "inf"], list("ab" * 15 + "a"))))
    assert kinds_of(data)["x"] == "decimal"
    assert "x: 1 of 31 are no numbers (line 32: 'inf')" in notes_of(data)


def test_C6_long_numbers_and_leading_zeros_stay_text(tmp_path: Path) -> None:
    long = [12345678901234567890 + i % 5 for i in range(60)]
    # The only leading zero comes late.
    zips = [f"{12345 + i % 7}" for i in range(59)] + ["01234"]
    data = prepared(written(tmp_path, rows_of(["account", "zip", "k"], long, zips, TOWNS)))
    assert kinds_of(data) == {"account": "category", "zip": "category", "k": "category"}
    zip_ = columns_of(data)["zip"]
    assert zip_.encode(_cells(["01234"])).modes >= 0


def test_C7_all_missing_and_constant_columns_come_back_as_they_were(tmp_path: Path) -> None:
    data = prepared(written(tmp_path, rows_of(["age", "gone", "same", "one"], AGES, [""] * 60, ["x"] * 60, ["7.0"] * 60)))
    assert kinds_of(data) == {"age": "whole", "gone": "empty", "same": "constant", "one": "constant"}
    found = columns_of(data)
    nothing = np.zeros(2, np.int64), np.zeros(2, np.float32)
    assert found["gone"].decode(*nothing).tolist() == [None, None]
    assert found["same"].decode(*nothing).tolist() == ["x", "x"]
    assert found["one"].decode(*nothing).tolist() == [7.0, 7.0]
    assert found["one"].written(found["one"].decode(*nothing)) == ["7.0", "7.0"]


def test_C8_hundred_thousands_of_words_do_not_widen_what_networks_see(tmp_path: Path) -> None:
    words = [f"w{i // 2}" for i in range(600_000)]
    data = prepared(written(tmp_path, "word,age\n" + "".join(f"{word},{i % 60}\n" for i, word in enumerate(words))))
    word = columns_of(data)["word"]
    assert isinstance(word, WordColumn)
    assert word.modes <= 257
    assert len(word.levels) + len(word.rare) == 300_000
    cells = _cells(["w17", "w299999"])
    assert word.decode(*_as_two(word.encode(cells))).tolist() == cells.tolist()


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ([f"{i:08x}-{i * 7919 % 65536:04x}" for i in range(60)], "different in every row"),
        ([str(i + 1) for i in range(60)], "different in every row, counting the rows"),
    ],
)
def test_C8_ids_are_left_out_with_the_reason_unless_told_otherwise(cells: list[str], reason: str, tmp_path: Path) -> None:
    path = written(tmp_path, rows_of(["customer", "age"], cells, AGES))
    data = prepared(path)
    assert left_out(data) == {"customer": reason}
    assert f"left out: customer ({reason})" in notes_of(data)
    assert "customer" in kinds_of(prepared(path, columns=("customer=category",)))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('30,"Rome', ("line 31", "never closed")),
        ("30,Ro\0me", ("line 31", "zero bytes")),
        ("30," + "x" * 10_000_000, ("line 31", "longer than 131,072")),
        ('30,"Ro"me', ("line 31", "must be doubled")),
    ],
    ids=["unclosed quote", "zero byte", "endless cell", "quote within"],
)
def test_C9_what_cannot_be_read_is_refused_with_its_line(line: str, said: tuple[str, ...], tmp_path: Path) -> None:
    lines = TEXT.splitlines()
    lines[30] = line
    message = refused(written(tmp_path, "\n".join(lines) + "\n"))
    assert all(part in message for part in said), message


def test_C9_zero_bytes_far_behind_the_start_are_refused_with_their_line(tmp_path: Path) -> None:
    content = "age,town\n" + "30,Rome\n" * 20_000 + "30,R\0me\n" + "30,Rome\n" * 10
    assert "line 20,002" in refused(written(tmp_path, content))


def test_C9_formulas_are_harmless_on_export(tmp_path: Path) -> None:
    words = ["=cmd()", "@sum", "-1+2", "plain"] * 15
    data = prepared(written(tmp_path, rows_of(["word", "age"], words, AGES)))
    assert isinstance(data.codec, TableCodec)
    frame = pd.DataFrame({"word": ["=cmd()", "plain", "@sum"], "age": [-20, 21, 22]})
    (path,) = data.codec.write(frame, tmp_path / "out", 0)
    assert path.read_text().splitlines() == ["word,age", "'=cmd(),-20", "plain,21", "'@sum,22"]
    # And they are known again: what was made can be evaluated.
    path.write_text("word,age\n" + "'=cmd(),20\n'@sum,22\n'-1+2,21\n" * 10)
    again = prepare(path, codec=data.codec)
    assert len(again) == 30
    assert data.codec.decode(data.codec.expand(again.batch(np.arange(3)))).word.tolist() == ["=cmd()", "@sum", "-1+2"]


def test_C10_dates_in_several_formats_are_words_and_told(tmp_path: Path) -> None:
    dates = [("2020-01-07", "07.02.2020", "March 3, 2020")[i % 3] for i in range(60)]
    quoted = [f'"{date}"' for date in dates]
    data = prepared(written(tmp_path, rows_of(["day", "age"], quoted, AGES)))
    assert kinds_of(data)["day"] == "category"
    assert "day: dates in several formats, taken as categories" in notes_of(data)


def test_C10_a_format_that_changes_late_is_told(tmp_path: Path) -> None:
    days = [f"2020-01-{1 + i % 28:02d}" for i in range(20_000)] + [f"{1 + i % 28:02d}.02.2020" for i in range(20_000)]
    data = prepared(written(tmp_path, rows_of(["day", "age"], days, list(range(20)) * 2000)))
    assert kinds_of(data)["day"] == "category"
    assert "dates in several formats" in notes_of(data)


def test_C10_one_cell_that_is_no_date_is_told_with_its_line(tmp_path: Path) -> None:
    days = [f"{1 + i % 28:02d}.02.20{i % 20:02d}" for i in range(300)]
    days[250] = "soon"
    data = prepared(written(tmp_path, rows_of(["day", "age"], days, AGES * 5)))
    assert kinds_of(data)["day"] == "date"
    assert "day: 1 of 300 are no dates (line 252: 'soon'), taken as missing" in notes_of(data)


def test_C10_american_dates_after_ambiguous_ones_are_read_the_same_way(tmp_path: Path) -> None:
    days = ["01/02/2020"] * 20_000 + [f"01/{13 + i % 15}/2020" for i in range(20_000)]
    data = prepared(written(tmp_path, rows_of(["day", "age"], days, list(range(20)) * 2000)))
    day = columns_of(data)["day"]
    assert day.kind == "date"
    assert day.decode(*_as_two(day.encode(_cells(["01/02/2020"])))).astype("datetime64[D]") == np.datetime64("2020-01-02")


def test_a_kind_that_is_impossible_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, TEXT)
    for wanted in ("town=integer", "town=date", "town=yes/no", "twon=text", "town=nonsense"):
        with pytest.raises(UsageError):
            prepared(path, columns=(wanted,))


def _cells(cells: Sequence[str]) -> np.ndarray:
    found = np.empty(len(cells), object)
    found[:] = cells
    return found


def _as_two(encoded: Any) -> tuple[np.ndarray, np.ndarray]:
    return encoded.modes, encoded.values
