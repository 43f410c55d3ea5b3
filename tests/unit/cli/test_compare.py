"""`ganwright compare`: names become folders, and no file of anyone else's is written over."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cyclopts import App
from evaluations import a_run_folder, an_evaluated_folder
from PIL import Image

from ganwright.cli.compare import compare
from ganwright.core.errors import DataError, ModelFileError, UsageError
from ganwright.data.ownership import is_ours


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with two evaluated runs."""
    monkeypatch.chdir(tmp_path)
    for name in ("2026-cats-1a2b", "2026-dogs-3c4d"):
        folder = a_run_folder(tmp_path / "runs" / name)
        (folder / "model.safetensors").write_bytes(b"not looked at")
    return tmp_path


def told(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    app = App(result_action="return_value", exit_on_error=False, print_error=False)
    app.command(compare)
    app(["compare", *words])
    return capsys.readouterr().out


def test_runs_by_prefix_and_samples_of_another_maker_by_folder(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    an_evaluated_folder(runs / "other")
    text = told(capsys, "2026-cats", "runs/2026-dogs-3c4d", "other")
    assert [line[3:] for line in text.splitlines()[:3]] == ["2026-cats-1a2b", "2026-dogs-3c4d", "other"]
    assert "picture   compare.png" in text
    assert is_ours(runs / "compare.png")


def test_json_is_the_same_as_a_document(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document: dict[str, Any] = json.loads(told(capsys, "2026-cats", "2026-dogs", "--json", "-o", "pictures"))
    (group,) = document["groups"]
    assert [run["letter"] for run in group["runs"]] == ["A", "B"]
    assert group["rows"][0]["measurement"] == "frechet"
    assert group["rows"][0]["values"]["A"] == {"value": 48.31, "error": 0.62}
    assert group["rows"][0]["verdict"] == "no clear difference"
    assert document["picture"] == "pictures/compare.png"


def test_its_own_picture_is_written_again_but_no_other(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told(capsys, "2026-cats", "2026-dogs", "-o", "a.jpg")
    told(capsys, "2026-cats", "2026-dogs", "-o", "a.jpg")
    Image.new("RGB", (4, 4)).save(runs / "b.png")
    before = (runs / "b.png").read_bytes()
    with pytest.raises(DataError, match="not made by Ganwright"):
        told(capsys, "2026-cats", "2026-dogs", "-o", "b.png")
    assert (runs / "b.png").read_bytes() == before


def test_a_picture_that_cannot_be_written_is_an_error(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (runs / "file").write_text("")
    with pytest.raises(DataError, match="cannot write to"):
        told(capsys, "2026-cats", "2026-dogs", "-o", "file/inside/a.png")


def test_what_is_not_there_or_not_evaluated(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ModelFileError, match="there is no model"):
        told(capsys, "2026-cats", "birds")
    (runs / "runs" / "2026-dogs-3c4d" / "evaluation.json").unlink()
    with pytest.raises(DataError, match="has not been evaluated"):
        told(capsys, "2026-cats", "2026-dogs")
    with pytest.raises(UsageError, match="two different runs"):
        told(capsys, "2026-cats", "2026-cats-1a2b")
