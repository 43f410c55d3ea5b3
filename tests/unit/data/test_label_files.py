"""What files say of pictures: every layout, in a folder and in a zip, and what is wrong with some."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image as PillowImage

from ganwright.core.errors import DataError
from ganwright.data.label_file import LabelTable, matched
from ganwright.data.modalities.image import Image
from ganwright.data.opening import open_source
from ganwright.data.preparation import prepare

NAMES = [f"p{i}.png" for i in range(6)]
AGES = [18.5, 30.0, 44.25, 61.0, 75.5, 90.0]
HATS = [True, False, True, True, False, False]
BREEDS = ["tabby", "tabby", "manx", "manx", "tabby", "manx"]

ROWS = [{"file": n, "age": a, "hat": h, "breed": b} for n, a, h, b in zip(NAMES, AGES, HATS, BREEDS, strict=True)]


def delimited(mark: str) -> str:
    return "\n".join(mark.join(map(str, row)) for row in [ROWS[0], *(row.values() for row in ROWS)])


LAYOUTS: dict[str, str] = {
    "labels.csv": delimited(","),
    "metadata.csv": delimited(";"),
    "labels.tsv": delimited("\t"),
    "metadata.jsonl": "\n".join(map(json.dumps, ROWS)),
    "labels.json": json.dumps(ROWS),
    "dataset.json": json.dumps({row["file"]: {name: row[name] for name in ("age", "hat", "breed")} for row in ROWS}),
}
every_layout = pytest.mark.parametrize("name", LAYOUTS)


def picture(path: Path, grey: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    PillowImage.fromarray(np.full((8, 8), grey, np.uint8)).save(path)
    return path


def folder(root: Path, names: list[str] = NAMES) -> Path:
    for i, name in enumerate(names):
        picture(root / name, 20 * i)
    return root


def zipped(root: Path) -> Path:
    path = root.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for each in sorted(root.rglob("*")):
            archive.write(each, each.relative_to(root.parent))
    return path


def ready(data: Any, tmp_path: Path, **settings: Any) -> Any:
    return prepare(data, Image(**settings), cache=tmp_path / "cache")


@every_layout
@pytest.mark.parametrize("place", ["folder", "zip"])
def test_every_layout_says_the_same(tmp_path: Path, name: str, place: str) -> None:
    root = folder(tmp_path / "photos")
    (root / name).write_text(LAYOUTS[name], encoding="utf-8")
    data = ready(root if place == "folder" else zipped(root), tmp_path)
    found = {condition.name: condition for condition in data.codec.conditions}
    assert list(found) == ["breed", "hat", "age"]
    assert found["breed"].classes == ("manx", "tabby")
    assert (found["age"].low, found["age"].high) == (18.5, 90)
    assert found["hat"].kind == "class"
    places = np.asarray(data.columns["breed"])
    assert [found["breed"].classes[i] for i in places] == BREEDS
    np.testing.assert_allclose(found["age"].natural(data.columns["age"]), AGES, atol=1e-4)
    assert data.report.used == 6
    assert not data.report.skipped, "the file of labels is no failed picture"
    assert any(name in note and "of 6 pictures" in note for note in data.report.notes)


def test_stylegans_dataset_json_has_classes_and_no_classes_in_its_folders(tmp_path: Path) -> None:
    names = [f"{i // 3:05d}/img{i:08d}.png" for i in range(6)]
    root = folder(tmp_path / "photos", names)
    (root / "dataset.json").write_text(json.dumps({"labels": [[name, i % 2] for i, name in enumerate(names)]}))
    data = ready(root, tmp_path)
    assert [each.name for each in data.codec.conditions] == ["label"]
    assert np.asarray(data.labels).tolist() == [0, 1] * 3
    (root / "dataset.json").write_text('{"labels": null}')
    assert ready(root, tmp_path).codec.conditions == ()


def test_folders_stay_classes_beside_a_file_that_does_not_name_any(tmp_path: Path) -> None:
    names = [f"{'cat' if i % 2 else 'dog'}/p{i}.png" for i in range(6)]
    root = folder(tmp_path / "photos", names)
    (root / "labels.csv").write_text("path,age\n" + "\n".join(f"{n},{a}" for n, a in zip(names, AGES, strict=True)))
    data = ready(root, tmp_path)
    assert [each.name for each in data.codec.conditions] == ["label", "age"]
    assert data.codec.conditions[0].classes == ("cat", "dog")


def test_a_file_in_a_folder_speaks_of_what_lies_there(tmp_path: Path) -> None:
    root = folder(tmp_path / "photos", [f"{part}/p{i}.png" for part in ("train", "test") for i in range(3)])
    for part, first in (("train", 0), ("test", 10)):
        rows = [f"p{i}.png,{first + i}.5" for i in range(3)]
        (root / part / "metadata.csv").write_text("\n".join(["file_name,age", *rows]))
    data = ready(root, tmp_path)
    natural = data.codec.conditions[0].natural(np.asarray(data.columns["age"]))
    np.testing.assert_allclose(natural, [10.5, 11.5, 12.5, 0.5, 1.5, 2.5], atol=1e-4)


@pytest.mark.parametrize("written", ["P1.PNG", "p1", "./p1.png", "deep\\p1.png", "/home/me/deep/p1.jpg", "../../etc/p1.png"])
def test_names_are_matched_by_what_they_can_only_mean(written: str) -> None:
    table = LabelTable("labels.csv", [written, "nobody.png", written], {"age": ["1", "2", "3"]})
    found = matched(table, ["deep/p0.png", "deep/p1.png", "p2.png"])
    assert found.rows == {1: 0}
    assert (found.without_picture, found.twice) == (1, 1)


def test_a_name_that_could_be_two_pictures_is_neither() -> None:
    table = LabelTable("labels.csv", ["p1.png"], {"age": ["1"]})
    assert matched(table, ["a/p1.png", "b/p1.png"]).rows == {}
    assert matched(table, ["a/p1.png", "b/p1.png"], "b").rows == {1: 0}


def test_what_has_no_row_is_counted_and_can_be_left_out(tmp_path: Path) -> None:
    root = folder(tmp_path / "photos")
    rows = [f"{name},{age}" for name, age in zip(NAMES[:4], AGES, strict=False)]
    (root / "labels.csv").write_text("\n".join(["file,age", *rows, "gone.png,3.5", "p0.png,7.5"]))
    data = ready(root, tmp_path)
    (note,) = (note for note in data.report.notes if "labels.csv" in note)
    assert "of 4 pictures" in note
    assert "2 pictures without a row; 1 row without a picture; 1 more row for" in note
    assert np.isnan(data.columns["age"]).tolist() == [False] * 4 + [True] * 2
    skipped = ready(root, tmp_path, unlabelled="skip")
    assert len(skipped) == 4
    assert [(group.reason, group.count) for group in skipped.report.skipped] == [("age not known", 2)]


def test_a_change_of_the_labels_alone_is_seen(tmp_path: Path) -> None:
    root = folder(tmp_path / "photos")
    (root / "labels.csv").write_text(delimited(","))
    before = ready(root, tmp_path)
    assert ready(root, tmp_path).report.cached
    (root / "labels.csv").write_text(delimited(",").replace("tabby", "siamese"))
    after = ready(root, tmp_path)
    assert not after.report.cached
    assert after.fingerprint != before.fingerprint


def test_a_file_elsewhere_or_a_table_in_memory_does_as_well(tmp_path: Path) -> None:
    root = folder(tmp_path / "photos")
    elsewhere = tmp_path / "said.csv"
    elsewhere.write_text(delimited(","))
    data = ready((root, elsewhere), tmp_path)
    assert data.report.labels == str(elsewhere)
    frame = ready((str(root), pd.DataFrame(ROWS)), tmp_path)
    for name, column in data.columns.items():
        assert np.array_equal(column, frame.columns[name])
    assert len(ready((zipped(root), elsewhere), tmp_path).codec.conditions) == 3
    with pytest.raises(DataError, match="names none of the pictures"):
        open_source((root, pd.DataFrame({"file": ["a.png", "b.png"], "age": [1, 2]})))
    np.save(tmp_path / "x.npy", np.zeros((4, 8, 8), np.uint8))
    with pytest.raises(DataError, match="pictures that are files"):
        open_source((tmp_path / "x.npy", elsewhere))


BROKEN: dict[str, tuple[str, bytes, str]] = {
    "no names": ("labels.csv", b"age,breed\n3,x\n4,y\n", "no column of file names"),
    "zeros": ("labels.csv", b"file,age\n\0\0\0\0a\0\n", "no text"),
    "no json": ("dataset.json", b'{"a": ', "no JSON"),
    "deep json": ("dataset.json", b"[" * 100_000, "no JSON"),
    "another layout": ("dataset.json", b'{"version": 3}', "has no column|nothing|laid out"),
    "no lines of json": ("labels.jsonl", b"{}\nnot json\n", "no JSON"),
    "empty": ("labels.csv", b"", "empty"),
}


@pytest.mark.parametrize("what", [name for name in BROKEN if name != "another layout"])
def test_a_broken_file_beside_pictures_is_noted_and_given_by_name_refused(tmp_path: Path, what: str) -> None:
    name, content, message = BROKEN[what]
    root = folder(tmp_path / "photos")
    (root / name).write_bytes(content)
    data = ready(root, tmp_path)
    assert data.codec.conditions == ()
    assert any("not read for labels" in note for note in data.report.notes)
    assert len(data.report.skipped) == 1
    assert str(tmp_path) not in " ".join(data.report.notes)
    if content:
        with pytest.raises(DataError, match=message):
            open_source((root, root / name))


def test_files_too_large_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganwright.data.label_file.LARGEST_BYTES", 100)
    root = folder(tmp_path / "photos")
    (root / "labels.csv").write_text(delimited(","))
    assert ready(root, tmp_path).codec.conditions == ()


def test_names_in_a_file_are_no_paths_and_no_orders_to_a_terminal(tmp_path: Path) -> None:
    """A column named after a path makes no file there, and control characters are shown as what they are."""
    root = folder(tmp_path / "photos")
    name = "../../../evil\x1b[2J"
    (root / "labels.json").write_text(json.dumps([{"file": n, name: a, "x": a} for n, a in zip(NAMES, AGES, strict=True)]))
    data = ready(root, tmp_path)
    (condition,) = data.codec.conditions
    assert condition.name == "../../../evil\\x1b[2J"
    assert not list(tmp_path.rglob("*evil*"))
    assert any("x (call it something else)" in note for note in data.report.notes)
    again = ready(root, tmp_path)
    assert again.report.cached
    assert np.array_equal(again.columns[condition.name], data.columns[condition.name])


def test_another_encoding_is_read_as_for_tables(tmp_path: Path) -> None:
    root = folder(tmp_path / "photos")
    (root / "labels.csv").write_bytes(delimited(",").replace("tabby", "grün").encode("utf-16"))
    assert "grün" in ready(root, tmp_path).codec.conditions[0].classes


def test_lists_are_labels(tmp_path: Path) -> None:
    root = folder(tmp_path / "photos")
    tags = [["hat"], [], ["hat", "tie"], ["tie"], [], ["hat"]]
    (root / "metadata.jsonl").write_text(
        "\n".join(json.dumps({"file_name": n, "tags": t}) for n, t in zip(NAMES, tags, strict=True))
    )
    data = ready(root, tmp_path)
    (condition,) = data.codec.conditions
    assert (condition.kind, condition.classes, condition.counts) == ("labels", ("hat", "tie"), (3, 2))
    assert np.asarray(data.columns["tags"]).tolist() == [[1, 0], [0, 0], [1, 1], [0, 1], [0, 0], [1, 0]]
