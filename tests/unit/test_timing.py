"""What a plan makes of compiled calls: kept where they save more than compiling takes, and said in one line."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support import tiny_config, tiny_dataset

from ganwright import timing
from ganwright.data.dataset import Dataset
from ganwright.timing import compiled_where_it_pays
from ganwright.training.config import TrainConfig

PLAIN, COMPILED, COMPILING = 0.010, 0.008, 20.0


@pytest.fixture(autouse=True)
def measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps of 10 ms, of 8 ms compiled, the first of which take 20 s."""
    clock = [0.0]

    def time_steps(config: TrainConfig, dataset: Dataset, steps_to_come: float, now: object) -> float:
        assert config.compiled == "kernels"
        clock[0] += COMPILING if clock[0] == 0 else 0
        return COMPILED

    monkeypatch.setattr(timing, "time_steps", time_steps)
    monkeypatch.setattr(timing, "why_not_compiled", lambda device: None)
    monkeypatch.setattr(timing.time, "monotonic", lambda: clock[0])


def decided(steps: float) -> tuple[TrainConfig, float, str]:
    """For a run of so many steps."""
    return compiled_where_it_pays(tiny_config(), tiny_dataset(), "kernels", PLAIN, steps, timing.time.monotonic)


def test_a_long_run_is_compiled() -> None:
    config, seconds, why = decided(4 * COMPILING / (PLAIN - COMPILED))
    assert config == replace(tiny_config(), compiled="kernels")
    assert seconds == COMPILED
    assert why == "the networks are compiled: 8 ms a step instead of 10, and 20 s of compiling"


def test_a_run_too_short_to_repay_it_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "COMPILED_FROM_SECONDS", 0.0)
    config, seconds, why = decided(0.5 * COMPILING / (PLAIN - COMPILED))
    assert config == tiny_config()
    assert seconds == PLAIN
    assert "would not pay" in why


def test_a_short_run_is_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "why_not_compiled", lambda device: pytest.fail("it was tried"))
    steps = 60 / PLAIN
    assert decided(steps) == (tiny_config(), PLAIN, "the networks are not compiled: 1 m of steps are too few for that")


def test_where_nothing_can_be_compiled_the_reason_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "why_not_compiled", lambda device: "the networks are not compiled: no compiler")
    assert decided(1e9) == (tiny_config(), PLAIN, "the networks are not compiled: no compiler")
