"""Comparisons: only what is on one scale, and a winner only where chance does not explain it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from evaluations import HOSTILE, a_measurement, a_picture, an_evaluated_folder

from ganwright.core.errors import DataError, UsageError
from ganwright.evaluation.comparison import Comparison, Row, comparison_lines, read_comparison
from ganwright.evaluation.comparison_picture import draw_comparison, samples_of
from ganwright.metrics.parts.measurement import Better


def compared(folder: Path, *changes: dict[str, Any]) -> Comparison:
    return read_comparison([an_evaluated_folder(folder / f"run-{i}", **each) for i, each in enumerate(changes)])


def a_row(better: Better, *values: float | None, error: float | None = 1.0) -> Row:
    return Row("x", tuple(None if value is None else a_measurement(value, better, error) for value in values))


@pytest.mark.parametrize(
    ("row", "verdict", "best"),
    [
        (a_row("lower", 10, 12.7), "no clear difference", None),  # 1.96 * sqrt(2) is 2.77
        (a_row("lower", 10, 12.8), "clear", 0),
        (a_row("higher", 10, 12.8), "clear", 1),
        (a_row("near one", 5, -2), "no clear difference", None),
        (a_row("near one", 9, -2), "clear", 1),
        (a_row("lower", 10, 11, 30), "no clear difference", None),
        (a_row("lower", 30, None, 10), "clear", 2),
        (a_row("lower", 10, None), "", None),
        (a_row("lower", 10, 30, error=None), "not known", None),
        (a_row("lower", float("nan"), 30), "clear", 1),
        (a_row("lower", float("nan"), float("nan")), "no clear difference", None),
        (Row("x", (a_measurement(1, error=0.1), a_measurement(9, error=0.1, protocol="Other."))), "not known", None),
        (Row("x", (a_measurement(1, error=0.1), a_measurement(9, error=0.1, count=5))), "not known", None),
    ],
)
def test_a_best_is_named_only_where_intervals_allow(row: Row, verdict: str, best: int | None) -> None:
    assert (row.verdict, row.best) == (verdict, best)


@pytest.mark.parametrize(
    ("better", "values", "floor", "best"),
    [
        ("lower", (0.50, 0.20), 0.5, None),  # less copying than by held-out records is no merit
        ("lower", (0.90, 0.20), 0.5, 1),
        ("higher", (0.85, 0.99), 0.8, None),  # more precise than real records are
        ("higher", (0.50, 0.99), 0.8, 1),
    ],
)
def test_nothing_is_better_than_the_floor(
    better: Better, values: tuple[float, float], floor: float, best: int | None
) -> None:
    measured = [a_measurement(value, better, 0.01, floor=floor, at_floor_count=value) for value in values]
    assert Row("x", tuple(measured)).best == best


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"features": "self-v1-aa"}, "other features (self-v1-aa, not random-v1-4x72x72)"),
        ({"data_fingerprint": "b" * 64, "data": "cats"}, "other data (cats bbbbbbbb, not emoji72 a737f55d)"),
        ({"counts": {"samples": 10}}, "other counts (10 samples, not 3,083 train, 500 held out, 2,000 samples)"),
    ],
)
def test_other_scales_are_never_put_side_by_side(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    comparison = compared(tmp_path, {}, change, {})
    assert [group.letters for group in comparison.groups] == ["A and B", "C"]
    assert comparison.differences == [f"C cannot be compared with A and B: {said}"]
    assert [candidate.name for candidate in comparison.candidates] == ["run-0", "run-2", "run-1"]
    assert said.split(" (")[0] in " ".join(comparison_lines(comparison, 300))


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_is_wider_than_the_terminal(tmp_path: Path, width: int) -> None:
    for count in (2, 3, 5):
        told = comparison_lines(compared(tmp_path / str(count), *[{} for _ in range(count)]), width)
        assert max(map(len, told)) <= width
        assert told == [line.rstrip() for line in told]


def test_a_table_has_a_column_a_run_and_stars_the_best(tmp_path: Path) -> None:
    changes = [{"measurements": {"recall": a_measurement(value, "higher", 0.01)}} for value in (0.5, 0.6)]
    told = comparison_lines(compared(tmp_path, *changes))
    assert told[:2] == ["A  run-0", "B  run-1"]
    assert told[4].split() == ["measure", "A", "B", "better", "difference"]
    assert told[5].split() == ["recall", "0.500", "±", "0.020", "0.600", "±", "0.020*", "higher", "clear"]


def test_runs_of_one_name_go_by_their_paths(tmp_path: Path) -> None:
    folders = [an_evaluated_folder(tmp_path / place / "run") for place in "ab"]
    assert [candidate.name for candidate in read_comparison(folders).candidates] == [str(folder) for folder in folders]


def test_one_run_twice_is_no_comparison(tmp_path: Path) -> None:
    folder = an_evaluated_folder(tmp_path / "run")
    with pytest.raises(UsageError, match="two different runs"):
        read_comparison([folder, tmp_path / "run" / ".." / "run"])


def test_a_run_that_was_not_evaluated_says_how_to(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    with pytest.raises(DataError, match="has not been evaluated") as caught:
        read_comparison([an_evaluated_folder(tmp_path / "run"), tmp_path / "new"])
    assert caught.value.hints == (f"ganwright evaluate {tmp_path / 'new'}",)


def test_the_picture_has_a_block_a_group_and_takes_any_names(tmp_path: Path) -> None:
    one = {"data": f"{HOSTILE} $x$"}
    same = draw_comparison(compared(tmp_path / "same", one, one))
    apart = draw_comparison(compared(tmp_path / "apart", one, {"features": "other $"}))
    assert same.mode == "RGB"
    assert apart.height > same.height


def test_measurements_that_nobody_knows_yet_are_drawn(tmp_path: Path) -> None:
    change = {"measurements": {"new_$thing$": a_measurement(1.0), "none": a_measurement(2.0, error=0.1)}}
    assert draw_comparison(compared(tmp_path, change, change)).width > 500
    nothing = {"measurements": {}}
    assert draw_comparison(compared(tmp_path / "nothing", nothing, nothing)).width > 500


def test_samples_are_those_of_the_evaluation_or_else_of_training(tmp_path: Path) -> None:
    comparison = compared(tmp_path, {}, {})
    first = comparison.candidates[0]
    a_picture(first.folder / "samples" / "000010.png")
    assert (found := samples_of(first)) is not None
    assert found.name == "grid.png"
    (first.folder / "grid.png").write_bytes(b"damaged")
    assert (found := samples_of(first)) is not None
    assert found.name == "000010.png"
    (first.folder / "samples" / "000010.png").unlink()
    assert samples_of(first) is None
