"""From lines to new lines, as a user goes: captions with a blank line, an accent and a damaged byte among them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support import tiny_lines

from ganwright import GAN, load
from ganwright.cli.app import run

pytestmark = pytest.mark.costly

SMALL = ["--set", "network.width=16", "--set", "network.symbol_width=8", "--set", "network.discriminator_width=8"]


@pytest.fixture(scope="module")
def captions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the lines, and a run that was trained on them for a few steps, scored once."""
    folder = tmp_path_factory.mktemp("captions")
    lines = [*tiny_lines(400), "", "café au lait"]
    (folder / "captions.txt").write_bytes("\n".join(lines).encode() + b"\nbad \xff byte\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("GANWRIGHT_CACHE", str(folder / "cache"))
        flags = ["--steps", "12", "--batch", "32", "--run", "runs/captions", "--set", "scoring.every_samples=192"]
        assert run(["train", "captions.txt", *flags, *SMALL, "--set", "scoring.samples=64"]) == 0
    return folder


@pytest.fixture(autouse=True)
def there(captions: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(captions)


def test_what_was_found_is_said(captions: Path) -> None:
    report = json.loads((captions / "runs/captions/data_report.json").read_text(encoding="utf-8"))
    assert report["noun"] == "texts"
    assert report["used"] == 401
    assert report["skipped"][0]["reason"] == "damaged text"
    assert "a line a record" in report["notes"]


def test_looks_on_the_way_are_lines(captions: Path) -> None:
    looks = sorted((captions / "runs/captions/samples").glob("*.txt"))
    assert len(looks) >= 2
    assert len(looks[-1].read_text(encoding="utf-8").splitlines()) == 32


def test_the_run_was_scored_by_divergence(captions: Path) -> None:
    lines = (captions / "runs/captions/scores.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(lines[0])["measure"] == "n-gram divergence"
    assert "n-gram divergence" in (captions / "runs/captions/MODEL_CARD.md").read_text(encoding="utf-8")


def test_new_lines_are_written_one_a_line(captions: Path) -> None:
    assert run(["sample", "runs/captions", "-n", "100", "-o", "new/lines.txt"]) == 0
    lines = (captions / "new/lines.txt").read_text(encoding="utf-8").split("\n")
    assert len(lines) == 101
    assert run(["sample", "runs/captions", "-n", "7", "-o", "new/lines.jsonl"]) == 0
    objects = [json.loads(line) for line in (captions / "new/lines.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [each["text"] for each in objects] == lines[:7], "sample i does not depend on how many are asked for"


def test_lines_at_a_lower_temperature_are_others(captions: Path) -> None:
    assert run(["sample", "runs/captions", "-n", "50", "--truncation", "0.3", "-o", "new/typical.txt"]) == 0
    model = load("runs/captions")
    assert model.sample(50, truncation=0.3) == (captions / "new/typical.txt").read_text(encoding="utf-8").split("\n")[:-1]
    typical, usual = ("".join(model.sample(50, truncation=share)) for share in (0.05, 1.0))
    assert len(set(typical)) < len(set(usual))


def test_somebody_elses_lines_are_not_written_over(captions: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["sample", "runs/captions", "-n", "5", "-o", "captions.txt"]) == 3
    assert "was not made by Ganwright" in capsys.readouterr().err


def test_texts_can_be_evaluated(captions: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["evaluate", "runs/captions", "-n", "200"]) == 0
    said = capsys.readouterr().out
    for words in ("4-gram divergence", "self-BLEU", "copied texts", "Reads alike?", "Varied?"):
        assert words in said
    report = (captions / "runs/captions/report.html").read_text(encoding="utf-8")
    assert "Nearest training texts" in report
    made = json.loads((captions / "runs/captions/evaluation.json").read_text(encoding="utf-8"))
    assert len(made["lines"]) == 40
    assert made["lines"][0].strip() in report


def test_lines_of_another_tool_can_be_evaluated(captions: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (captions / "theirs.txt").write_text("\n".join(tiny_lines(120, seed=5)), encoding="utf-8")
    assert run(["evaluate", "--real", "captions.txt", "--fake", "theirs.txt"]) == 0
    assert "self-BLEU" in capsys.readouterr().out


def test_a_run_of_windows_goes_on_and_is_evaluated_as_it_was_read(captions: Path) -> None:
    (captions / "play.txt").write_text("All:\nSpeak, speak.\n\nFirst:\nYou are resolved?\n\n" * 60, encoding="utf-8")
    flags = ["--window", "16", "--steps", "3", "--run", "runs/play", *SMALL]
    assert run(["train", "play.txt", *flags]) == 0
    assert run(["resume", "runs/play", "--steps", "2"]) == 0
    assert run(["evaluate", "runs/play", "-n", "60"]) == 0
    assert load("runs/play").codec.describe() == "16 characters"


def test_the_python_door_takes_strings() -> None:
    gan = GAN(settings={"network": {"width": 16, "discriminator_width": 8}}).fit(tiny_lines(60), steps=2)
    assert [type(line) for line in gan.sample(3)] == [str, str, str]


def test_texts_have_no_mirror_image_and_no_film(captions: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["train", "captions.txt", "--mirror", "--steps", "1"]) == 2
    assert "no mirror image" in capsys.readouterr().err
    assert run(["interpolate", "runs/captions", "-o", "film.gif"]) == 2
    assert "nothing in between" in capsys.readouterr().err
