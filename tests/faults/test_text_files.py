"""What people have in text files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ganwright.core.errors import DataError, UsageError
from ganwright.data.dataset import Dataset
from ganwright.data.modalities.text import TextCodec
from ganwright.data.preparation import prepare
from ganwright.data.sources.tables import TableFile
from ganwright.data.tables.asked import Asked

LINES = ["one two three", "four five", "naïve café", "six seven eight nine"] * 5
TEXT = "\n".join(LINES) + "\n"


def written(folder: Path, content: str | bytes, name: str = "lines.txt") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def lines_of(data: Dataset) -> list[str]:
    assert isinstance(data.codec, TextCodec)
    return data.codec.decode(data.codec.expand(data.batch(np.arange(len(data)))))


def refused(data: Any) -> str:
    with pytest.raises((DataError, UsageError)) as caught:
        prepare(data)
    assert len(str(caught.value).splitlines()) <= 6
    return str(caught.value)


@pytest.mark.parametrize(
    ("content", "note"),
    [
        (TEXT.encode(), ""),
        (TEXT.encode("utf-8-sig"), ""),
        (TEXT.encode("utf-16"), "UTF-16"),
        (TEXT.encode("cp1252"), "Windows-1252"),
        (TEXT.replace("\n", "\r\n").encode(), ""),
        (TEXT.replace("\n", "\r").encode(), ""),
        (TEXT.replace("four five\n", "four five\r").replace("three\n", "three\r\n").encode(), ""),
        (TEXT.rstrip("\n").encode(), ""),
        (TEXT.replace("ï", "i\u0308").encode(), ""),
        (TEXT.replace("two", "t\x07wo").encode(), ""),
    ],
    ids=["utf-8", "mark", "utf-16", "windows", "crlf", "cr", "mixed endings", "no last end", "decomposed", "bell"],
)
def test_lines_are_read_in_any_usual_encoding(tmp_path: Path, content: bytes, note: str) -> None:
    data = prepare(written(tmp_path, content))
    assert lines_of(data) == LINES
    assert note in " ".join(data.report.notes)


def test_damaged_lines_of_a_utf8_file_are_left_out_and_counted(tmp_path: Path) -> None:
    data = prepare(written(tmp_path, TEXT.encode() + b"caf\xe9 \xff\nlast line\n"))
    assert lines_of(data) == [*LINES, "last line"]
    assert [(group.reason, group.count) for group in data.report.skipped] == [("damaged text", 1)]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "nothing is in"),
        (b"\n \n\n", "nothing is in"),
        (b"only one line\n", "only 1 usable text"),
        (bytes(range(256)) * 20, "is no text"),
        (b"\x89PNG\r\n\x1a\n" + b"x" * 99, "it is a PNG picture"),
        (b"PK\x03\x04" + b"x" * 99, "zip archive"),
    ],
    ids=["empty", "blank", "one line", "binary", "picture", "archive"],
)
def test_what_is_no_text_is_told_of(tmp_path: Path, content: bytes, said: str) -> None:
    assert said in refused(written(tmp_path, content))


def test_a_huge_line_is_a_running_text(tmp_path: Path) -> None:
    data = prepare(written(tmp_path, "to be or not to be " * 20_000))
    assert not data.codec.texts(data.codec.expand(data.some(4))).whole  # type: ignore[union-attr]
    assert {len(line) for line in lines_of(data)[:100]} <= {31, 32}, "a blank at the end of a window stays"
    assert "running text" in " ".join(data.report.notes)


def test_a_text_in_paragraphs_is_cut_into_windows_unless_lines_are_asked_for(tmp_path: Path) -> None:
    path = written(tmp_path, "First Citizen:\nSpeak, speak.\n\nAll:\nResolved.\n\n" * 40)
    data = prepare(path)
    assert "windows of 32 characters" in " ".join(data.report.notes)
    assert "".join(lines_of(data)).startswith("First Citizen:\nSpeak, speak.\n\nAll:\nRes")
    assert set(lines_of(prepare(TableFile(path, Asked(cut="lines"))))) == {
        "First Citizen:",
        "Speak, speak.",
        "All:",
        "Resolved.",
    }
    assert {len(line) for line in lines_of(prepare(TableFile(path, Asked(window=8))))} == {8}


def test_a_folder_of_short_files_has_a_record_in_each(tmp_path: Path) -> None:
    folder = tmp_path / "letters"
    (folder / "more").mkdir(parents=True)
    for i in range(12):
        written(folder if i % 2 else folder / "more", f"Dear {i},\nyours", f"{i}.txt")
    written(folder, "", "empty.txt")
    written(folder, bytes(range(256)), "binary.txt")
    data = prepare(folder)
    assert sorted(lines_of(data)) == sorted(f"Dear {i},\nyours" for i in range(12))
    assert {group.reason for group in data.report.skipped} == {"empty file", "file that is no text"}


def test_a_folder_of_long_files_is_cut_into_windows(tmp_path: Path) -> None:
    folder = tmp_path / "books"
    folder.mkdir()
    for i in range(3):
        written(folder, f"This is book {i}. " * 200, f"{i}.txt")
    assert "windows" in " ".join(prepare(folder).report.notes)


def test_a_note_beside_pictures_makes_no_texts_of_them(tmp_path: Path) -> None:
    for i in range(6):
        Image.new("L", (8, 8), i).save(tmp_path / f"{i}.png")
    written(tmp_path, "about these pictures", "readme.txt")
    assert prepare(tmp_path).codec.modality == "image"


def test_lines_of_json_with_one_text_are_texts_and_with_more_a_table(tmp_path: Path) -> None:
    alone = written(tmp_path, "".join(json.dumps({"text": line}) + "\n" for line in LINES), "a.jsonl")
    assert lines_of(prepare(alone)) == LINES
    kinds = [{"kind": "ab"[i % 2], "caption": line} for i, line in enumerate(LINES)]
    table = written(tmp_path, "".join(json.dumps(each) + "\n" for each in kinds), "b.jsonl")
    assert prepare(table).codec.modality == "table"
    assert lines_of(prepare(TableFile(table, Asked(field="caption")))) == LINES
    assert "no line of" in refused(TableFile(table, Asked(field="nix")))


def test_a_table_without_anything_to_learn_from_is_told_of(tmp_path: Path) -> None:
    rows = "".join(json.dumps({"id": i, "caption": f"a picture of {i} dogs, one of them big"}) + "\n" for i in range(60))
    assert "no usable rows" in refused(written(tmp_path, rows, "ids.jsonl"))


@pytest.mark.parametrize("bad", ['{"text": \n', "[1, 2]\n", "text\n"])
def test_a_broken_line_of_json_is_told_of_by_its_number(tmp_path: Path, bad: str) -> None:
    path = written(tmp_path, '{"text": "good"}\n' * 30 + bad, "a.jsonl")
    assert "line 31" in refused(path)


def test_half_characters_of_json_are_damaged_text(tmp_path: Path) -> None:
    path = written(
        tmp_path, "".join(json.dumps({"text": line}) + "\n" for line in LINES) + '{"text": "\\ud800x"}\n', "a.jsonl"
    )
    data = prepare(path)
    assert lines_of(data) == LINES
    assert data.report.skipped[0].reason == "damaged text"


def test_strings_in_memory_are_texts() -> None:
    assert lines_of(prepare([*LINES, "", "  "])) == LINES
    assert lines_of(prepare(tuple(LINES))) == LINES


def test_texts_for_a_model_of_something_else_are_told_of() -> None:
    pictures = np.zeros((8, 8, 8), np.uint8)
    for data, codec in ((LINES, prepare(pictures).codec), (pictures, prepare(LINES).codec)):
        with pytest.raises(DataError, match="E-DATA-13"):
            prepare(data, codec=codec)


@pytest.mark.parametrize("window", [1, 10**6])
def test_a_window_out_of_bounds_is_refused(window: int) -> None:
    with pytest.raises(UsageError, match="E-TEXT-02"):
        Asked(window=window)


def test_a_file_that_is_not_read_as_texts_is_told_of(tmp_path: Path) -> None:
    path = written(tmp_path, "a,b\n1,2\n", "table.csv")
    assert "E-TEXT-03" in refused(TableFile(path, Asked(cut="lines")))


def test_nothing_is_left_behind_by_a_text_that_is_refused(tmp_path: Path, own_cache: Path) -> None:
    refused(written(tmp_path, b"only one line\n"))
    assert [path for path in own_cache.rglob("*") if path.is_file()] == []
