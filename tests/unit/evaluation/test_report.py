"""report.html: one file that stands alone, harmless whatever names are in it, and made from whatever is there."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest
from evaluations import HOSTILE, MEASUREMENTS, a_measurement, a_picture, a_run_folder, an_evaluation

from ganwright.evaluation.report import write_report
from ganwright.evaluation.report_pieces import read_pieces
from ganwright.evaluation.report_sections import commands
from ganwright.evaluation.svg import curve, interval_bar

VOID = {"meta", "img", "br", "line", "rect", "circle", "polyline"}
PIECES = (
    "evaluation.json",
    "nearest.png",
    "grid.png",
    "samples/001200.png",
    "curves.png",
    "config.toml",
    "data_report.json",
    "status.json",
    "scores.jsonl",
    "MODEL_CARD.md",
)


class Elements(HTMLParser):
    """Finds elements that are not closed as they were opened, and collects what a browser would act on."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.names: set[str] = set()
        self.sources: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.sources += [value or "" for name, value in attrs if name in ("src", "href", "style") or name.startswith("on")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in VOID

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def read(folder: Path) -> Elements:
    elements = Elements(write_report(folder).read_text(encoding="utf-8"))
    assert elements.open == []
    return elements


def test_a_whole_run_is_told_in_order(tmp_path: Path) -> None:
    found = read(a_run_folder(tmp_path / "run"))
    sections = (
        "Samples",
        "Scores",
        "By class",
        "Does it copy?",
        "Course of training",
        "Data",
        "Settings",
        "How to reproduce",
    )
    places = [found.text.index(f"\n{section}\n") for section in sections]
    assert places == sorted(places)
    assert "The samples are far from the data" in found.text[: places[0]]
    assert "The model of step 900 was kept" in found.text
    assert found.text.count(MEASUREMENTS["frechet"].protocol) == len(MEASUREMENTS)


def test_the_page_stands_alone(tmp_path: Path) -> None:
    found = read(a_run_folder(tmp_path / "run"))
    assert "script" not in found.names
    assert "link" not in found.names
    assert len(found.sources) == 4
    assert all(source.startswith("data:image/png;base64,") for source in found.sources)


def test_names_of_strangers_stay_names(tmp_path: Path) -> None:
    measurements = {HOSTILE: a_measurement(1.0, protocol=HOSTILE, error=0.1, floor=0.5)}
    changes = {"subject": HOSTILE, "notes": (HOSTILE,), "failed": {HOSTILE: HOSTILE}, "versions": {HOSTILE: HOSTILE}}
    by_class = {HOSTILE: {HOSTILE: 0.5}}
    folder = a_run_folder(
        tmp_path / "run", HOSTILE, measurements=measurements, by_class=by_class, features=HOSTILE, **changes
    )
    (folder / "status.json").write_text(json.dumps({"state": HOSTILE, "why": HOSTILE}))
    (folder / "MODEL_CARD.md").write_text(HOSTILE)
    found = read(folder)
    assert "script" not in found.names
    assert "<script>alert('x')</script>&?[31m" in found.text
    assert all(source.startswith("data:image/png;base64,") for source in found.sources)


@pytest.mark.parametrize("missing", PIECES)
def test_a_missing_piece_is_left_out(tmp_path: Path, missing: str) -> None:
    folder = a_run_folder(tmp_path / "run")
    (folder / missing).unlink()
    assert "cannot be read" not in read(folder).text


@pytest.mark.parametrize("damaged", [name for name in PIECES if name != "MODEL_CARD.md"])
@pytest.mark.parametrize("content", [b"", b"\xff\xfe{", b"[" * 100_000, b'{"a": 1e999}'])
def test_a_damaged_piece_is_named(tmp_path: Path, damaged: str, content: bytes) -> None:
    folder = a_run_folder(tmp_path / "run")
    (folder / damaged).write_bytes(content)
    told = read(folder).text
    silent = (damaged, content) in {("config.toml", b""), ("status.json", b'{"a": 1e999}')}
    assert (f"{damaged} is left out, it cannot be read" in told) != silent


def test_a_picture_that_ends_too_early_is_left_out(tmp_path: Path) -> None:
    folder = a_run_folder(tmp_path / "run")
    whole = (folder / "grid.png").read_bytes()
    (folder / "grid.png").write_bytes(whole[: len(whole) // 2])
    assert "grid.png is left out, it cannot be read: it is no whole PNG picture" in read(folder).text


def test_numbers_that_are_none_do_not_stop_the_page(tmp_path: Path) -> None:
    folder = a_run_folder(tmp_path / "run")
    text = (folder / "evaluation.json").read_text().replace("48.31", "NaN").replace("0.7123", "1e999")
    (folder / "evaluation.json").write_text(text)
    assert "no number" in read(folder).text


def test_an_empty_folder_makes_a_page_that_says_so(tmp_path: Path) -> None:
    found = read(tmp_path)
    assert "Not evaluated" in found.text
    assert found.sources == []


def test_the_last_samples_are_shown(tmp_path: Path) -> None:
    folder = a_run_folder(tmp_path / "run")
    a_picture(folder / "samples" / "123456.png", (16, 16))
    pieces = read_pieces(folder)
    assert pieces.samples is not None
    assert (pieces.samples.name, pieces.samples.width) == ("123456.png", 16)


def test_scores_of_a_run_that_was_killed_are_read_up_to_the_cut(tmp_path: Path) -> None:
    folder = a_run_folder(tmp_path / "run")
    path = folder / "scores.jsonl"
    path.write_text(path.read_text()[:-30])
    assert len(read_pieces(folder).scores) == 11


def test_the_commands_that_made_it(tmp_path: Path) -> None:
    folder = a_run_folder(tmp_path / "a run", "my cats")
    train, evaluate = commands(read_pieces(folder))
    assert train == "ganwright train 'photos/my cats.zip' --recipe dcgan --steps 1200 --batch 32 --seed 7"
    assert evaluate == f"ganwright evaluate '{folder}' -n 2000 --features random --seed 0"


def test_the_command_that_evaluated_samples_of_another_maker(tmp_path: Path) -> None:
    an_evaluation(subject="made/").write(tmp_path)
    assert commands(read_pieces(tmp_path))[0].startswith(f"ganwright evaluate --real REAL --fake made/ -o {tmp_path}")


def test_a_bar_shows_interval_floor_and_the_comparable_value() -> None:
    drawing = interval_bar(MEASUREMENTS["frechet"], 52.7, "<b>")
    for name in ("range", "dot", "fair", "real", "real-range"):
        assert f'class="{name}"' in drawing
    assert "&lt;b&gt;" in drawing
    assert interval_bar(a_measurement(float("nan")), None, "") == ""


def test_a_curve_marks_what_was_kept_and_needs_two_points() -> None:
    assert 'class="kept"' in curve([(0, 1), (1, 2)], 1, "title", "x")
    assert 'class="kept"' not in curve([(0, 1), (1, 2)], None, "title", "x")
    assert curve([(0, 1), (1, float("inf"))], 1, "title", "x") == ""
    assert curve([(0, 1), (0, 1)], 0, "title", "x") != ""
