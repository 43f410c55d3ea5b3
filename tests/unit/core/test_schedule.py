"""Numbers that change while training."""

from __future__ import annotations

import pytest

from ganwright.core.config import from_plain, to_plain
from ganwright.core.errors import UsageError
from ganwright.core.schedule import Schedule, value_at


def test_a_linear_schedule_goes_straight_and_then_stays() -> None:
    schedule = Schedule(1.0, 0.0, over=0.5, curve="linear")
    assert [schedule.at(seen, 100) for seen in (0, 25, 50, 75, 100)] == [1.0, 0.5, 0.0, 0.0, 0.0]


def test_a_cosine_schedule_starts_and_ends_flat() -> None:
    schedule = Schedule(2.0, 1.0)
    assert [schedule.at(seen, 100) for seen in (0, 50, 100)] == pytest.approx([2.0, 1.5, 1.0])
    assert 2.0 - schedule.at(10, 100) < 0.05
    assert schedule.at(90, 100) - 1.0 < 0.05
    assert schedule.at(25, 100) == pytest.approx(1 + 0.853553, abs=1e-5)


def test_without_an_end_it_stays() -> None:
    assert {Schedule(3.0).at(seen, 100) for seen in (0, 50, 1000)} == {3.0}


def test_past_the_end_and_without_a_plan_it_does_not_run_away() -> None:
    assert Schedule(0.0, 1.0).at(10**9, 100) == 1.0
    assert Schedule(0.0, 1.0, curve="linear").at(0, 0) == 0.0
    assert Schedule(0.0, 1.0, curve="linear").at(5, 0) == 1.0


def test_a_plain_number_is_its_own_schedule() -> None:
    assert value_at(0.25, 7, 9) == 0.25
    assert value_at(Schedule(0.0, 1.0, curve="linear"), 50, 100) == 0.5


@pytest.mark.parametrize("over", [0, -0.1, 1.1, float("nan")])
def test_the_share_lies_between_nothing_and_the_whole_run(over: float) -> None:
    with pytest.raises(ValueError, match="over"):
        Schedule(1.0, 0.0, over=over)


def test_a_setting_takes_a_number_or_a_schedule() -> None:
    schedule = Schedule(1e-3, 1e-5, over=0.25, curve="linear")
    assert from_plain(float | Schedule, to_plain(schedule)) == schedule
    assert from_plain(float | Schedule, 1) == 1.0
    with pytest.raises(UsageError, match=r"rate\.strat"):
        from_plain(float | Schedule, {"strat": 1.0}, "rate")
    with pytest.raises(UsageError, match=r"rate\.curve"):
        from_plain(float | Schedule, {"start": 1.0, "curve": "wavy"}, "rate")
