"""Class labels from folders, and names of files."""

from __future__ import annotations

import pytest

from ganwright.data.labels import labels_from_folders
from ganwright.data.picture_names import extension_of, natural_key, printable, why_no_picture


@pytest.mark.parametrize(
    ("paths", "labels"),
    [
        (["a/1.png", "b/2.png"], ["a", "b"]),
        (["set/x/a/1.png", "set/x/b/2.png"], ["a", "b"]),
        (["train/a/1.png", "train/b/deep/2.png"], ["a", "b"]),
        (["train/a/1.png", "test/b/2.png", "train/b/3.png"], ["a", "b", "b"]),
        (["train/1.png", "test/2.png"], None),
        (["1.png", "b/2.png"], None),
        (["1.png", *["a/2.png"] * 5, *["b/3.png"] * 4], ["", *"aaaaabbbb"]),
        (["1.png", "2.png", *["a/3.png"] * 5, *["b/4.png"] * 4], None),
        (["1.png", *["a/2.png"] * 20], None),
        (["a/1.png", "a/2.png"], None),
        (["1.png"], None),
        ([], None),
    ],
)
def test_labels_come_from_the_first_folder_that_differs(paths: list[str], labels: list[str] | None) -> None:
    assert labels_from_folders([tuple(path.split("/")) for path in paths]) == labels


def test_natural_order() -> None:
    names = ["a10.png", "a2.png", "A1.png", "b/1.png", "a b/1.png", "a/12.png", "a/3.png", "a²1.png", "9" * 40 + ".png"]
    ordered = sorted(names, key=natural_key)
    assert [name for name in ordered if name.lower().startswith("a") and "/" not in name][:3] == [
        "A1.png",
        "a2.png",
        "a10.png",
    ]
    assert ordered.index("a/3.png") < ordered.index("a/12.png") < ordered.index("a b/1.png")


def test_names_are_shown_without_control_characters() -> None:
    assert printable("a\nb\x1b[31m.png") == r"a\nb\x1b[31m.png"
    assert printable("ü 中.png") == "ü 中.png"
    assert printable("bad\udce9.png") == r"bad\xe9.png"


def test_extensions() -> None:
    assert extension_of("a/b.c/IMG.JPG") == ".jpg"
    assert extension_of("a/.jpg") == ""
    assert why_no_picture("x.JPeG") == ""
    assert why_no_picture("x.txt") == "not a picture (.txt)"
    assert why_no_picture("x.HEIC") == "unsupported picture (.heic)"
    assert why_no_picture("x") == "not a picture (no extension)"
