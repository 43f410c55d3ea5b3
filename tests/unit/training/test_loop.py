"""The loop: when it stops, what it says, and what it never does to the weights."""

from __future__ import annotations

import errno
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch
from support import FakeClock, tiny_config, tiny_dataset, train

from ganwright.core.errors import DivergedError, ResourceError
from ganwright.model.model import Model
from ganwright.optimizers.adam import Adam
from ganwright.runtime.events import Events
from ganwright.runtime.interrupt import StopRequest
from ganwright.training import crew as crew_module
from ganwright.training import loop as loop_module
from ganwright.training.checkpoint import Checkpoint
from ganwright.training.config import TrainConfig
from ganwright.training.events import (
    Checkpointed,
    Ended,
    Kept,
    Pictures,
    Progress,
    Reconfigured,
    Snapshot,
    Warned,
    WentBack,
)
from ganwright.training.loop import FIRST_LOOK_SECONDS, Loop
from ganwright.training.state import TrainState, initial_state
from ganwright.training.updating import unfreeze

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


def weights(state: TrainState) -> list[torch.Tensor]:
    return [*state.generator.state_dict().values(), *state.discriminator.state_dict().values()]


def alike(one: TrainState, other: TrainState) -> bool:
    return all(torch.equal(a, b) for a, b in zip(weights(one), weights(other), strict=True))


def test_n1_numbers_that_are_not_finite_send_it_back_to_take_other_draws() -> None:
    """Poisoned once, it becomes the run that took the other draws from the beginning."""
    config = tiny_config(total_samples=8 * STEPS)
    heard = listen(config, tick=0.5)
    times: list[int] = []

    def once(event: Progress) -> None:
        if not times:
            times.append(event.step)
            poison(heard)

    on(heard, Progress, once)
    ended = heard.loop.run()
    assert (ended.ending, ended.step, heard.state.attempt) == ("finished", STEPS, 1)
    assert [(event.to_step, event.step > times[0]) for event in heard.of(WentBack)] == [(0, True)]
    assert "1 of 3 times" in heard.of(Warned)[0].text
    other = initial_state(config, tiny_dataset().codec.spec)
    other.attempt = 1
    train(config, STEPS, state=other)
    assert alike(heard.state, other)
    plain, _ = train(config, STEPS)
    assert not alike(heard.state, plain)


def test_n1_it_goes_back_no_further_than_to_its_last_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop_module, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(loop_module, "CHECKPOINT_SHARE", 1e9)
    heard = listen(tiny_config(total_samples=8 * 12), tick=0.5)
    on(heard, Progress, lambda event: poison(heard) if event.step >= 6 and not heard.of(WentBack) else None)
    assert heard.loop.run().step == 12
    (back,) = heard.of(WentBack)
    assert back.step - 2 <= back.to_step < back.step


def test_n1_after_three_times_it_ends_with_what_is_kept() -> None:
    heard = listen(tiny_config(total_samples=8 * 10_000), tick=0.5)
    on(heard, Progress, lambda event: poison(heard))
    with pytest.raises(DivergedError, match="no longer a finite number") as caught:
        heard.loop.run()
    assert "3 times" in caught.value.why
    assert len(heard.of(WentBack)) == 4, "the last time to have something to keep"
    assert bool(heard.of(Kept)[-1].model.tensor(4).isfinite().all())
    assert bool(heard.loop.kept.tensor(4).isfinite().all())


def test_n2_a_copy_that_is_not_finite_is_never_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """What breaks is none of what is read on the way: an optimizer's memory."""
    monkeypatch.setattr(loop_module, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(loop_module, "CHECKPOINT_SHARE", 1e9)
    written: list[Checkpoint] = []
    heard = listen(tiny_config(total_samples=8 * 12), tick=0.5, commit=lambda copy, *_: written.append(copy))

    def break_it(event: Checkpointed) -> None:
        if event.step == 5 and not heard.of(WentBack):
            for memory in heard.state.generator_optimizer.state.values():
                memory["exp_avg_sq"].fill_(math.inf)

    on(heard, Checkpointed, break_it)
    assert heard.loop.run().step == 12
    assert heard.of(WentBack)
    assert not any(copy.broken for copy in written)
    assert [event.step for event in heard.of(Checkpointed)][-1] == 12


def out_of_memory(monkeypatch: pytest.MonkeyPatch, unless: Callable[[TrainConfig], bool], error: Exception) -> None:
    real = crew_module.train_step

    def step(state: TrainState, config: TrainConfig, *rest: Any) -> Any:
        if state.step == 2 and not unless(config):
            unfreeze(state.discriminator_optimizer)  # as it is when memory runs out within a turn
            raise error
        return real(state, config, *rest)

    monkeypatch.setattr(crew_module, "train_step", step)


CPU_SAYS = "[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"


@pytest.mark.parametrize(
    "error",
    [torch.OutOfMemoryError("CUDA out of memory"), MemoryError(), RuntimeError(CPU_SAYS)],
)
def test_p19_memory_that_runs_out_makes_the_parts_of_a_batch_smaller(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    out_of_memory(monkeypatch, lambda config: config.micro_batches >= 4, error)
    heard = listen()
    assert heard.loop.run().step == STEPS
    assert [event.config.micro_batches for event in heard.of(Reconfigured)] == [2, 4]
    assert heard.state.attempt == 0
    assert "each batch of 8 is worked on in 4 parts (2 fit at once)" in heard.of(Warned)[-1].text
    whole, _ = train(tiny_config(micro_batches=4, total_samples=8 * STEPS), STEPS)
    assert alike(heard.state, whole)


def test_p19_when_nothing_fits_it_says_how_many_records_were_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    out_of_memory(monkeypatch, lambda config: False, torch.OutOfMemoryError("CUDA out of memory"))
    heard = listen()
    with pytest.raises(ResourceError, match="even with 2 records at once") as caught:
        heard.loop.run()
    assert caught.value.exit_code == 5


def test_other_errors_of_a_step_are_not_taken_for_want_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    out_of_memory(monkeypatch, lambda config: False, RuntimeError("shapes differ"))
    with pytest.raises(RuntimeError, match="shapes differ"):
        listen().loop.run()


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGUSR1"])
def test_p14_who_is_told_to_hurry_saves_and_leaves(name: str) -> None:
    """No last look, no score: a copy of the state, and a model where none was kept yet."""
    stop, written = StopRequest(), list[int]()
    config = tiny_config(total_samples=8 * 1000)
    heard = listen(config, tick=0.5, stop=stop, commit=lambda copy, *_: written.append(copy.facts["step"]))
    on(heard, Progress, lambda event: setattr(stop, "signal_name", name))
    ended = heard.loop.run()
    assert ended.ending == "preempted"
    assert name in ended.why
    assert written == [ended.step] == [heard.of(Kept)[0].step]
    assert [event.step for event in heard.of(Pictures)] == [0]


def test_p8_a_copy_that_cannot_be_written_is_told_once_and_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop_module, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(loop_module, "CHECKPOINT_SHARE", 1e9)
    tried: list[int] = []

    def commit(copy: Checkpoint, *_: Any) -> None:
        tried.append(copy.facts["step"])
        if len(tried) < 4:
            raise OSError(errno.ENOSPC, "No space left on device")

    heard = listen(tiny_config(total_samples=8 * 10), tick=0.5, commit=commit)
    assert heard.loop.run().ending == "finished"
    assert len([warned for warned in heard.of(Warned) if "No space left on device" in warned.text]) == 1
    assert [event.step for event in heard.of(Checkpointed)] == tried[3:]
    assert tried[-1] == 10
