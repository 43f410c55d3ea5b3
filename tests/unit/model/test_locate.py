"""From what a user calls a model to its file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ganwright.core.errors import ModelFileError
from ganwright.model.locate import MODEL_NAME, find_model


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Three runs with a model, the second one the newest, and one without."""
    for i, name in enumerate(("2026-11-20-cats", "2026-11-22-cats", "2026-11-21-digits")):
        folder = tmp_path / "runs" / name
        folder.mkdir(parents=True)
        (folder / MODEL_NAME).write_bytes(b"model")
        os.utime(folder / MODEL_NAME, (1000 + (i == 1), 1000 + (i == 1)))
    (tmp_path / "runs" / "2026-11-23-killed").mkdir()
    (tmp_path / "runs" / "notes.txt").write_text("no run")
    return tmp_path / "runs"


def test_a_file_is_itself_whatever_its_name(tmp_path: Path, runs: Path) -> None:
    file = tmp_path / "mine.bin"
    file.write_bytes(b"")
    assert find_model(str(file), runs) == file


def test_a_run_folder_stands_for_its_model(runs: Path) -> None:
    assert find_model(str(runs / "2026-11-20-cats"), runs) == runs / "2026-11-20-cats" / MODEL_NAME


def test_a_name_or_the_beginning_of_one_is_enough(runs: Path) -> None:
    assert find_model("2026-11-21-digits", runs).parent.name == "2026-11-21-digits"
    assert find_model("2026-11-21", runs).parent.name == "2026-11-21-digits"


def test_a_whole_name_is_meant_even_where_another_begins_with_it(runs: Path) -> None:
    longer = runs / "2026-11-20-cats-2"
    longer.mkdir()
    (longer / MODEL_NAME).write_bytes(b"model")
    assert find_model("2026-11-20-cats", runs).parent.name == "2026-11-20-cats"


def test_a_beginning_of_several_names_is_told_of(runs: Path) -> None:
    with pytest.raises(ModelFileError, match="4 runs begin with '2026-11'") as caught:
        find_model("2026-11", runs)
    assert caught.value.code == "E-MODEL-05"
    assert "2026-11-20-cats" in caught.value.what


def test_last_is_the_newest_model_not_the_newest_folder(runs: Path) -> None:
    assert find_model("last", runs).parent.name == "2026-11-22-cats"


def test_last_may_lie_beside_the_other_runs(runs: Path, tmp_path: Path) -> None:
    """As those of `--run NAME` do; a folder is one by what is in it."""
    for name, time, holds in (("cats", 2000, "request.json"), ("no run", 3000, "notes.txt")):
        (tmp_path / name).mkdir()
        for file in (MODEL_NAME, holds):
            (tmp_path / name / file).write_bytes(b"model")
            os.utime(tmp_path / name / file, (time, time))
    assert find_model("last", runs).parent == tmp_path / "cats"


def test_without_a_run_last_says_how_to_make_one(tmp_path: Path) -> None:
    for folder in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(ModelFileError) as caught:
            find_model("last", folder)
        assert "ganwright train PATH" in caught.value.hints


def test_a_run_without_a_model_is_told_of(runs: Path) -> None:
    for reference in ("2026-11-23", str(runs / "2026-11-23-killed")):
        with pytest.raises(ModelFileError, match=f"holds no {MODEL_NAME}"):
            find_model(reference, runs)


def test_the_nearest_run_is_suggested(runs: Path) -> None:
    with pytest.raises(ModelFileError) as caught:
        find_model("2026-11-21-digist", runs)
    assert caught.value.hints == ("did you mean 2026-11-21-digits?",)
