"""Budgets in the user's words."""

from __future__ import annotations

import math

import pytest

from ganwright.core.budget import Budget, format_duration, parse_count, parse_duration
from ganwright.core.errors import UsageError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("90s", 90),
        ("20m", 1200),
        ("1.5h", 5400),
        ("1h30m", 5400),
        ("2d", 172_800),
        (" 1 H 30 M ", 5400),
        ("1d2h3m4s", 93_784),
        ("0.5", 0.5),
        ("0", 0),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text", ["", "m", "20x", "-5m", "1h30", "five", "1..5h", "20 minutes", "1e3", "nan", "inf", "m20", "١h x"]
)
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_duration(text)
    assert caught.value.code == "E-BUDGET-03"
    assert "20m" in caught.value.hints[0]
    assert repr(text) in caught.value.what


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("5000", 5000),
        ("5_000", 5000),
        ("5,000", 5000),
        ("5k", 5000),
        ("1.5M", 1_500_000),
        ("2e6", 2_000_000),
        ("1.001k", 1001),
        (" 3G ", 3_000_000_000),
        ("0", 0),
        ("9007199254740993", 9_007_199_254_740_993),
    ],
)
def test_counts(text: str, count: int) -> None:
    found = parse_count(text)
    assert found == count
    assert isinstance(found, int)


@pytest.mark.parametrize(
    "text", ["", "k", "-5", "5x", "five", "1.2.3", "5 k k", "nan", "inf", "1e999", "0x10", "1.5", "1.2345k"]
)
def test_what_is_no_whole_number_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_count(text)
    assert caught.value.code == "E-BUDGET-04"
    assert "50k" in caught.value.hints[0]


def test_at_most_one_length_is_given() -> None:
    with pytest.raises(UsageError, match="a number of epochs and a number of steps were given"):
        Budget(epochs=1, steps=2)
    assert Budget() == Budget(None, None, None, None)


@pytest.mark.parametrize("value", [0, -1, math.inf, math.nan])
@pytest.mark.parametrize("name", ["seconds", "epochs", "steps", "images"])
def test_a_length_is_above_zero_and_finite(name: str, value: float) -> None:
    with pytest.raises(UsageError, match=f"{name} must be above zero"):
        Budget(**{name: value})  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (-3, "0 s"),
        (45, "45 s"),
        (59.6, "1 m"),
        (750, "12 m 30 s"),
        (3599.6, "1 h"),
        (7800, "2 h 10 m"),
        (2 * 86_400, "48 h"),
    ],
)
def test_durations_for_people(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text
