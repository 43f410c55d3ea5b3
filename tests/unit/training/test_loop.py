"""The loop: when it stops, what it says, and what it never does to the weights."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch
from support import FakeClock, tiny_config, tiny_dataset, train

from ganwright.core.errors import DivergedError
from ganwright.model.model import Model
from ganwright.optimizers.adam import Adam
from ganwright.runtime.events import Events
from ganwright.runtime.interrupt import StopRequest
from ganwright.training.config import TrainConfig
from ganwright.training.events import Ended, Pictures, Progress, Snapshot, Warned
from ganwright.training.loop import FIRST_LOOK_SECONDS, Loop
from ganwright.training.state import TrainState, initial_state

STEPS = 5


@dataclass
class Heard:
    """A loop over tiny records, and everything that it says."""

    loop: Loop
    events: list[Any]
    clock: FakeClock

    @property
    def state(self) -> TrainState:
        return self.loop.state

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


def listen(config: TrainConfig | None = None, tick: float = 0.0, seconds: float | None = None, **loop: Any) -> Heard:
    config = config or tiny_config(total_samples=8 * STEPS)
    data = tiny_dataset()
    events: list[Any] = []
    clock = FakeClock(tick)
    deadline = None if seconds is None else clock.time + seconds
    state = initial_state(config, data.codec.spec)
    return Heard(Loop(config, data, state, Events([events.append]), deadline=deadline, now=clock, **loop), events, clock)


def on(heard: Heard, kind: type, act: Callable[[Any], None]) -> None:
    heard.loop.events.subscribers.append(lambda event: act(event) if isinstance(event, kind) else None)


def test_training_finishes_when_the_planned_samples_are_seen() -> None:
    heard = listen()
    ended = heard.loop.run()
    assert (ended.ending, ended.step, ended.samples_seen) == ("finished", STEPS, 8 * STEPS)
    assert heard.events[-1] is ended
    assert heard.of(Progress)[-1].samples_seen == 8 * STEPS
    assert heard.of(Progress)[-1].epoch == pytest.approx(8 * STEPS / 16)
    assert heard.of(Snapshot)[-1].step == STEPS
    assert [event.step for event in heard.of(Pictures)] == [0, STEPS]


def test_looking_and_speaking_change_nothing_of_what_is_learned() -> None:
    plain, _ = train(tiny_config(total_samples=8 * STEPS), STEPS)
    heard = listen(tick=5.0)
    heard.loop._look_interval = lambda: 0.0
    heard.loop.run()
    assert len(heard.of(Pictures)) > 3
    for ours, theirs in ((plain.generator, heard.state.generator), (plain.discriminator, heard.state.discriminator)):
        pairs = zip(ours.state_dict().values(), theirs.state_dict().values(), strict=True)
        assert all(torch.equal(a, b) for a, b in pairs)


def test_training_stops_in_time_for_the_deadline() -> None:
    heard = listen(tiny_config(total_samples=8 * 100_000), tick=0.1, seconds=30.0)
    ended = heard.loop.run()
    assert ended.ending == "finished"
    assert heard.loop.deadline is not None
    assert heard.clock.time <= heard.loop.deadline, "the last look and save are over by then"
    assert heard.clock.time > heard.loop.deadline - 3, "and no time is given away"
    assert 0 < ended.samples_seen < 8 * 100_000
    assert "time is up" in ended.why
    assert heard.of(Snapshot)[-1].step == ended.step


def test_a_run_of_minutes_uses_all_of_them_when_the_machine_is_quicker_than_planned() -> None:
    heard = listen(tiny_config(total_samples=8 * 3), tick=0.1, seconds=20.0)
    ended = heard.loop.run()
    assert ended.samples_seen > 8 * 3
    assert heard.loop.deadline is not None
    assert heard.loop.deadline - 4 < heard.clock.time <= heard.loop.deadline


def test_time_left_is_never_more_than_until_the_deadline() -> None:
    heard = listen(tiny_config(total_samples=8 * 100_000), tick=0.1, seconds=30.0)
    heard.loop.run()
    progress = heard.of(Progress)
    assert all(0 <= p.seconds_left <= 30 for p in progress)
    assert progress[-1].seconds_left < progress[0].seconds_left


def test_pace_and_time_left_follow_from_the_clock() -> None:
    """A step of eight records takes as long as the clock says."""
    heard = listen(tiny_config(total_samples=8 * 60), tick=0.5)
    heard.loop.run()
    for progress in heard.of(Progress)[1:]:
        assert progress.seconds_left == pytest.approx((480 - progress.samples_seen) / progress.records_per_second)
    middle = [p for p in heard.of(Progress) if p.samples_seen < 480][-2:]
    measured = (middle[1].samples_seen - middle[0].samples_seen) / (middle[1].elapsed_seconds - middle[0].elapsed_seconds)
    assert 0.3 * measured < middle[1].records_per_second < 3 * measured


def test_a_request_to_stop_ends_after_the_step_with_a_model() -> None:
    stop = StopRequest()
    heard = listen(tiny_config(total_samples=8 * 1000), tick=0.5, stop=stop)

    def ask(event: Progress) -> None:
        stop.signal_name = "SIGINT"

    on(heard, Progress, ask)
    ended = heard.loop.run()
    assert ended.ending == "stopped"
    assert "SIGINT" in ended.why
    assert 0 < ended.step < 10
    assert heard.of(Snapshot)[-1].step == ended.step


def test_a_request_before_the_first_step_still_leaves_a_model() -> None:
    heard = listen(stop=StopRequest("SIGINT"))
    assert heard.loop.run().ending == "stopped"
    assert heard.state.step == 0
    assert heard.of(Snapshot)


def poison(heard: Heard) -> None:
    for parameter in heard.state.generator.parameters():
        parameter.fill_(math.nan)


def kept(heard: Heard) -> list[bool]:
    """Whether each snapshot, at the moment it was given, could be sampled; filled while the loop runs."""
    found: list[bool] = []
    on(heard, Snapshot, lambda event: found.append(bool(event.model.tensor(4).isfinite().all())))
    return found


def test_numbers_that_are_not_finite_end_in_an_error_that_names_them() -> None:
    heard = listen(tiny_config(total_samples=8 * 10_000), tick=0.5)
    snapshots = kept(heard)
    on(heard, Snapshot, lambda event: poison(heard))
    with pytest.raises(DivergedError) as caught:
        heard.loop.run()
    assert caught.value.exit_code == 6
    assert "generator_loss" in caught.value.what
    assert all(snapshots)
    assert not heard.of(Ended)


@pytest.mark.parametrize("after_seconds", [FIRST_LOOK_SECONDS - 1.2, FIRST_LOOK_SECONDS - 0.6, FIRST_LOOK_SECONDS - 0.1])
def test_no_model_of_a_run_gone_wrong_is_kept_wherever_between_two_readings_it_happens(after_seconds: float) -> None:
    """The look at fifteen seconds comes before the next reading of the numbers; a broken model must not reach the disk."""
    heard = listen(tiny_config(total_samples=8 * 10_000), tick=0.1)
    snapshots = kept(heard)
    start = heard.clock.time
    real_now = heard.clock

    def poisoned_now() -> float:
        time = real_now()
        if time - start > after_seconds:
            poison(heard)
        return time

    heard.loop.now = poisoned_now
    with pytest.raises(DivergedError):
        heard.loop.run()
    assert all(snapshots)


def test_weights_that_break_in_the_very_last_step_are_not_kept() -> None:
    """The loss of the last step is finite; what the optimizer then does with it is not."""
    config = tiny_config(total_samples=8, generator_optimizer=Adam(learning_rate=math.inf))
    heard = listen(config)
    snapshots = kept(heard)
    with pytest.raises(DivergedError):
        heard.loop.run()
    assert all(snapshots)


def test_each_warning_is_said_once() -> None:
    heard = listen(tiny_config(batch=64, total_samples=64 * 100), tick=0.5)
    heard.loop._look = lambda final=False: setattr(heard.loop._variety, "diversity", 0.0)
    heard.loop.run()
    assert [warning.text.split(":")[0] for warning in heard.of(Warned)] == ["samples alike"]
    assert heard.of(Progress)[-1].health == "samples alike"


def test_a_snapshot_is_a_whole_model_with_its_facts() -> None:
    heard = listen()
    heard.loop.run()
    model: Model = heard.of(Snapshot)[-1].model
    assert len(model.sample(3)) == 3
    training = model.facts["training"]
    assert (training["steps"], training["samples_seen"]) == (STEPS, 8 * STEPS)
    assert training["config"]["loss"] == {"name": "non_saturating"}
    assert training["config"]["total_samples"] == 8 * STEPS
    assert model.facts["data"] == {"name": "noise", "records": 16, "fingerprint": "0" * 64, "conditions": []}


def test_lazy_penalties_are_averaged_over_the_steps_that_had_them() -> None:
    from ganwright.regularizers.r1 import R1

    heard = listen(replace(tiny_config(total_samples=8 * 6), regularizers=(R1(interval=4),)))
    heard.loop.run()
    _, reports = train(tiny_config(total_samples=8 * 6, regularizers=(R1(interval=4),)), 6)
    penalties = [report["r1"] for report in reports if "r1" in report]
    assert len(penalties) == 2
    assert heard.of(Progress)[-1].numbers["r1"] == pytest.approx(sum(penalties) / 2, rel=1e-4)
    losses = [report["generator_loss"] for report in reports]
    assert heard.of(Progress)[-1].numbers["generator_loss"] == pytest.approx(sum(losses) / 6, rel=1e-4)
