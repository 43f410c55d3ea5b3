"""Evaluations in words: the comparable pair side by side, at any width, whatever was measured."""

from __future__ import annotations

import math

import pytest
from evaluations import HOSTILE, MEASUREMENTS, a_measurement, an_evaluation, with_floor

from ganwright.evaluation.telling import (
    against_floor,
    lines,
    number_text,
    spread_text,
    value_text,
    worst_classes,
)


@pytest.mark.parametrize("width", [60, 80, 100])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    told = lines(an_evaluation(), width)
    assert max(map(len, told)) <= width
    assert told == [line.rstrip() for line in told]


def test_a_class_with_a_long_name_fits_too() -> None:
    by_class = {f"{i} {'long ' * 20}": {"share": 0.1, "real_share": 0.2, "kernel_distance": 0.3} for i in range(3)}
    assert max(map(len, lines(an_evaluation(by_class=by_class), 60))) <= 60


def test_verdicts_come_before_figures() -> None:
    told = "\n".join(lines(an_evaluation(notes=("First.", "Second."))))
    assert told.index("held against") < told.index("First.") < told.index("Second.") < told.index("Fréchet")


def test_the_comparable_pair_stands_side_by_side() -> None:
    measured = {"frechet": with_floor(48.31, "lower", 0.62, 52.7, 6.04)}
    header, row = lines(an_evaluation(measurements=measured, notes=(), by_class={}, failed={}))[2:4]
    assert header.split() == ["measure", "value", "better", "at", "500", "real"]
    assert row.split() == ["Fréchet", "distance", "48.3", "±", "1.2", "lower", "52.7", "6.0", "±", "1.7"]


def test_without_held_out_records_there_is_no_pair() -> None:
    told = "\n".join(lines(an_evaluation(measurements={"frechet": a_measurement(48.31)})))
    assert "real " not in told.splitlines()[-12]
    assert "Without held-out real records" in told


def test_every_measurement_and_what_could_not_be_measured_is_told() -> None:
    told = "\n".join(lines(an_evaluation(), 100))
    for words in ("Fréchet distance", "kernel distance (KID form)", "copying test", "p < 0.001", "some new thing"):
        assert words in told
    assert "not measured\n  conditional frechet: at least 10 records" in told


def test_an_evaluation_of_nothing_is_told() -> None:
    told = lines(an_evaluation(measurements={}, by_class={}, notes=(), versions={}, made="", about_features="", seconds=0))
    assert any("random-v1" in line for line in told)


def test_the_worst_classes_are_told_and_the_others_counted() -> None:
    told = lines(an_evaluation())
    rows = [line for line in told if line.startswith("class ")]
    assert len(rows) == 13
    assert rows[1].startswith("class 06")
    assert "...and 8 more" in told


def test_classes_without_distances_are_worst_by_agreement_then_by_share() -> None:
    assert worst_classes({"a": {"agreement": 0.9}, "b": {"agreement": 0.1}, "c": {}}) == ["b", "a", "c"]
    assert worst_classes({"a": {"share": 0.1, "real_share": 0.1}, "b": {"share": 0.0, "real_share": 0.3}}) == ["b", "a"]


def test_names_of_strangers_do_not_steer_the_terminal() -> None:
    evaluation = an_evaluation(subject=HOSTILE, by_class={HOSTILE: {"share": 1.0}}, failed={"x": HOSTILE}, notes=(HOSTILE,))
    assert "\x1b" not in "".join(lines(evaluation))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (48.314, "48.3"),
        (0.71234, "0.712"),
        (0.5, "0.500"),
        (3.0, "3"),
        (0.0, "0"),
        (1234.5, "1,234"),
        (999.9, "1,000"),
        (99.96, "100"),
        (123.4, "123"),
        (-0.0000213, "-2.13e-5"),
        (math.nan, "no number"),
        (math.inf, "no number"),
    ],
)
def test_numbers_have_three_significant_digits(value: float, text: str) -> None:
    assert number_text(value) == text


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (48.314, 0.62, "48.3 ± 1.2"),
        (0.31, 1.26, "0.3 ± 2.5"),
        (-0.00002, 0.0011, "0.0000 ± 0.0022"),
        (1234.5, 76.0, "1,234 ± 149"),
        (0.5, None, "0.500"),
        (0.5, 0.0, "0.500"),
        (0.5, math.nan, "0.500"),
        (math.nan, 0.1, "no number"),
        (None, None, "-"),
    ],
)
def test_an_interval_says_how_many_decimals_mean_anything(value: float | None, error: float | None, text: str) -> None:
    assert spread_text("frechet", value, error) == text


def test_p_values_are_told_as_such() -> None:
    assert value_text("copying_p", 0.0002) == "p < 0.001"
    assert value_text("copying_p", 0.0342) == "p = 0.034"


def test_only_values_at_one_count_are_held_against_the_floor() -> None:
    assert against_floor(MEASUREMENTS["frechet"]) == 52.7
    assert against_floor(a_measurement(3.0)) is None
    assert against_floor(a_measurement(3.0, floor=1.0, floor_count=2000)) == 3.0
    assert against_floor(a_measurement(3.0, floor=1.0, floor_count=500)) is None
