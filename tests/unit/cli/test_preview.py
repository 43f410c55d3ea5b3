"""`ganwright preview`: what the networks will see, before anything is trained."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganwright.cli.app import run
from ganwright.training.previewing import STRENGTHS

SIDE = 16


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Pictures of a colour that changes from left to right, each another."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(30):
        picture = np.full((SIDE, SIDE, 3), 8 * number, np.uint8)
        picture[..., 0] = np.arange(SIDE) * 16
        Image.fromarray(picture).save(folder / f"{number:02}.png")
    return folder


def previewed(words: list[str], capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    capsys.readouterr()
    assert run(["preview", *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_picture_has_a_row_for_each_strength(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = previewed([str(photos), "-n", "5", "--augment", "adaptive", "-o", "out/see.png"], capsys)
    assert told["strengths"] == list(STRENGTHS)
    assert told["used"] is True
    with Image.open("out/see.png") as picture:
        width, height = picture.size
    assert width >= 5 * SIDE
    assert height >= len(STRENGTHS) * SIDE


def test_a_folder_gets_the_picture_within(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = previewed([str(photos), "-o", "seen"], capsys)
    assert told["picture"] == str(Path("seen") / "preview.png")
    with Image.open("seen/preview.png") as picture:
        assert picture.format == "PNG"


def test_the_seed_says_which_changes(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made: list[bytes] = []
    for seed in ("1", "1", "2"):
        previewed([str(photos), "--augment", "diffaugment", "--seed", seed], capsys)
        made.append(Path("preview.png").read_bytes())
    assert made[0] == made[1] != made[2]


def test_without_augmentation_only_records_are_drawn(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = previewed([str(photos), "--augment", "none"], capsys)
    assert told["strengths"] == []


def test_a_recipe_that_changes_nothing_is_said_to(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["preview", str(photos), "--recipe", "dcgan"]) == 0
    assert "dcgan changes nothing" in "".join(capsys.readouterr())


def test_rows_of_a_table_are_drawn_as_they_are_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    table = tmp_path / "people.csv"
    table.write_text(
        "age,city\n" + "".join(f"{20 + i},{'Rome' if i % 3 else 'Lima'}\n" for i in range(60)), encoding="utf-8"
    )
    assert previewed([str(table)], capsys)["strengths"] == []
    assert run(["preview", str(table), "--augment", "adaptive"]) == 2
    assert "E-AUGMENT-01" in "".join(capsys.readouterr())


def test_a_file_of_others_is_not_written_over(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine = photos.parent / "mine.png"
    Image.new("RGB", (4, 4)).save(mine)
    before = mine.read_bytes()
    assert run(["preview", str(photos), "-o", str(mine)]) != 0
    assert mine.read_bytes() == before
