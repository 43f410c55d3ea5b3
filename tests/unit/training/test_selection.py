"""Scores on the way: when they are taken, what they decide, and what they never change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from support import FakeClock, tiny_config, tiny_dataset, train

from ganwright.core.errors import DivergedError, UsageError
from ganwright.data.held_out import hold_out
from ganwright.model.model import Model
from ganwright.runtime.events import Events
from ganwright.runtime.interrupt import StopRequest
from ganwright.training.config import TrainConfig
from ganwright.training.events import Ended, Kept, Progress, Scored, Snapshot, Warned
from ganwright.training.health import ADVICE, Variety, diagnose
from ganwright.training.loop import Loop
from ganwright.training.scorer import Scorer, time_scoring
from ganwright.training.scoring import PLANS, Scoring, ScoringTimes, choose_scoring
from ganwright.training.state import initial_state
from ganwright.training.yardstick import Frechet, Score

STEPS = 8
TWICE = Scoring(every_samples=8 * 2, samples=32)
"""A score after every other step."""


def scored_config(**changes: Any) -> TrainConfig:
    return tiny_config(**{"total_samples": 8 * STEPS, "scoring": TWICE, **changes})


def run(config: TrainConfig, clock: FakeClock | None = None, **options: Any) -> tuple[Loop, list[Any]]:
    """A finished loop over tiny records, and everything that it said."""
    data = tiny_dataset(64)
    events: list[Any] = []
    state = initial_state(config, data.codec.spec)
    loop = Loop(config, data, state, Events([events.append]), now=clock or FakeClock(), **options)
    loop.run()
    return loop, events


def of(events: Sequence[Any], kind: type) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


def told_to_score(
    monkeypatch: pytest.MonkeyPatch,
    distances: Sequence[float | Exception],
    recalls: Sequence[float] = (),
    gap: float = 0.0,
) -> None:
    """Every score is the next of `distances`; the halves of its samples differ by `gap`."""
    left = iter(distances)
    recall = iter(recalls)

    def score(self: Scorer, model: Model, stop: StopRequest) -> Score:
        distance = next(left)
        if isinstance(distance, Exception):
            raise distance
        return Score(distance, next(recall, 0.5), gap)

    monkeypatch.setattr(Scorer, "score", score)


def test_scores_come_at_places_that_do_not_depend_on_the_clock() -> None:
    for clock in (FakeClock(), FakeClock(tick=3.0)):
        scores = of(run(scored_config(), clock)[1], Scored)
        assert [score.step for score in scores] == [2, 4, 6, 8]
        assert all(score.frechet >= 0 and 0 <= score.recall <= 1 for score in scores)
        assert len({score.features for score in scores}) == 1


def test_scoring_changes_nothing_of_what_is_learned() -> None:
    plain, _ = train(tiny_config(total_samples=8 * STEPS), STEPS, tiny_dataset(64))
    loop, _ = run(scored_config())
    for ours, theirs in ((plain.generator, loop.state.generator), (plain.discriminator, loop.state.discriminator)):
        pairs = zip(ours.state_dict().values(), theirs.state_dict().values(), strict=True)
        assert all(torch.equal(a, b) for a, b in pairs)


def test_the_same_run_gives_the_same_scores() -> None:
    first, second = ([(score.frechet, score.recall) for score in of(run(scored_config())[1], Scored)] for _ in range(2))
    assert first == second


def test_the_best_model_is_kept_and_not_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    told_to_score(monkeypatch, [9.0, 4.0, 6.0, 8.0])
    loop, events = run(scored_config())
    at_four, _ = train(scored_config(), 4, tiny_dataset(64))
    assert [score.kept for score in of(events, Scored)] == [True, True, False, False]
    assert of(events, Ended)[0].kept_step == 4
    kept, averaged = loop.kept.generator, at_four.average.generator
    assert all(torch.equal(a, b) for a, b in zip(kept.parameters(), averaged.parameters(), strict=True))
    last = loop.state.average.generator
    assert not all(torch.equal(a, b) for a, b in zip(kept.parameters(), last.parameters(), strict=True))
    assert loop.kept.facts["training"]["steps"] == 4
    assert loop.kept.facts["scores"]["frechet"] == 4.0
    assert of(events, Kept)[-1].step == 4
    assert of(events, Snapshot)[-1].step == STEPS, "what is shown goes on to the end"


@pytest.mark.parametrize(("gap", "kept"), [(0.5, 4), (2.1, 6), (4.1, 8)])
def test_a_later_model_that_is_worse_by_chance_alone_is_kept(monkeypatch: pytest.MonkeyPatch, gap: float, kept: int) -> None:
    told_to_score(monkeypatch, [9.0, 4.0, 6.0, 8.0], gap=gap)
    loop, events = run(scored_config())
    assert of(events, Ended)[0].kept_step == kept
    assert loop.kept.facts["training"]["steps"] == kept


def test_chance_is_told_from_the_halves_of_the_samples() -> None:
    """The standard error is that of scores of the same model on other samples, within what a hundred scores can tell."""
    random = np.random.default_rng(0)
    score = Frechet(Scoring(), tiny_dataset(), "cpu").against(torch.from_numpy(random.normal(size=(4000, 4))))
    scores = [score(torch.from_numpy(random.normal(0.3, 1, (400, 4)))) for _ in range(100)]
    told = float(np.sqrt(np.mean([each.gap**2 for each in scores]))) / 2
    assert told == pytest.approx(np.std([each.frechet for each in scores]), rel=0.3)


def test_a_run_that_is_not_scored_keeps_its_last_model() -> None:
    loop, events = run(tiny_config(total_samples=8 * STEPS))
    assert not of(events, Scored)
    assert of(events, Kept)[-1].step == of(events, Ended)[0].kept_step == STEPS
    assert loop.kept.facts["training"]["steps"] == STEPS


def test_the_end_is_scored_where_no_score_falls_on_it() -> None:
    config = scored_config(scoring=replace(TWICE, every_samples=8 * 3))
    assert [score.step for score in of(run(config)[1], Scored)] == [3, 6, 8]


def test_a_run_that_was_asked_to_stop_is_not_scored_once_more() -> None:
    stop = StopRequest()
    config = scored_config(total_samples=8 * 1000)
    data, events = tiny_dataset(64), []

    def ask(event: object) -> None:
        events.append(event)
        if isinstance(event, Progress) and event.step >= 3:
            stop.signal_name = "SIGINT"

    loop = Loop(config, data, initial_state(config, data.codec.spec), Events([ask]), stop, now=FakeClock(tick=0.5))
    loop.run()
    assert of(events, Scored)[-1].step < of(events, Ended)[0].step or of(events, Ended)[0].step % 2 == 0
    assert of(events, Ended)[0].ending == "stopped"


def test_patience_ends_a_run_that_gets_no_better(monkeypatch: pytest.MonkeyPatch) -> None:
    told_to_score(monkeypatch, [5.0, 3.0, 4.0, 4.5, 2.0, 1.0])
    loop, events = run(scored_config(total_samples=8 * 1000, scoring=replace(TWICE, patience=2)))
    ended = of(events, Ended)[0]
    assert (ended.ending, ended.step, ended.kept_step) == ("finished", 8, 4)
    assert "no score of the last 2 was better" in ended.why
    assert loop.state.samples_seen < 8 * 1000


def test_patience_waits_while_it_gets_better(monkeypatch: pytest.MonkeyPatch) -> None:
    told_to_score(monkeypatch, [5.0, 6.0, 4.0, 5.0])
    ended = of(run(scored_config(scoring=replace(TWICE, patience=2)))[1], Ended)[0]
    assert (ended.step, ended.kept_step) == (STEPS, 6)


def test_n7_a_score_that_fails_is_told_once_and_training_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    told_to_score(monkeypatch, [ValueError("no"), ValueError("no"), 3.0, ValueError("no")])
    events = run(scored_config())[1]
    assert of(events, Ended)[0].ending == "finished"
    assert len([warned for warned in of(events, Warned) if "could not be scored (ValueError: no)" in warned.text]) == 1
    assert of(events, Ended)[0].kept_step == 6


def test_a_model_that_makes_nothing_finite_is_never_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    config = scored_config(total_samples=8 * 1000)
    data, events = tiny_dataset(64), []

    def poison(event: object) -> None:
        events.append(event)
        if isinstance(event, Scored):
            for parameter in loop.state.generator.parameters():
                parameter.fill_(torch.nan)

    loop = Loop(config, data, initial_state(config, data.codec.spec), Events([poison]), now=FakeClock())
    with pytest.raises(DivergedError):
        loop.run()
    assert of(events, Kept)
    assert all(bool(event.model.tensor(4).isfinite().all()) for event in of(events, Kept))


def test_n4_falling_recall_is_told_as_collapse(monkeypatch: pytest.MonkeyPatch) -> None:
    told_to_score(monkeypatch, [4.0, 3.0, 9.0, 9.0], recalls=[0.2, 0.4, 0.05, 0.05])
    config = scored_config(batch=640, total_samples=640 * STEPS, scoring=replace(TWICE, every_samples=640 * 2))
    data, events = tiny_dataset(640), []
    loop = Loop(config, data, initial_state(config, data.codec.spec), Events([events.append]), now=FakeClock(tick=0.6))
    monkeypatch.setattr(loop._view, "diversity", lambda samples: 0.9)
    loop.run()
    assert any(warned.text.startswith("variety lost: ") for warned in of(events, Warned))
    assert of(events, Progress)[-1].health == "variety lost"


NUMBERS = {"real_logits": 1.0, "fake_logits": 0.0, "real_called_real": 0.7, "fake_called_fake": 0.7}


@pytest.mark.parametrize(
    ("recalls", "health"),
    [((0.0, 0.0), "ok"), ((0.05, 0.01), "ok"), ((0.4, 0.3), "ok"), ((0.4, 0.09), "variety lost"), ((0.4, 0.05, 0.2), "ok")],
)
def test_only_recall_that_was_there_can_be_lost(recalls: tuple[float, ...], health: str) -> None:
    variety = Variety(diversity=0.9)
    for recall in recalls:
        variety.add_recall(recall)
    assert diagnose(NUMBERS, variety, 10_000) == health
    assert health == "ok" or health in ADVICE


def test_facts_tell_how_to_find_the_records_that_were_held_out() -> None:
    data = tiny_dataset(300)
    split = hold_out(data)
    assert split.held_out is not None
    config = scored_config()
    loop = Loop(config, split.train, initial_state(config, data.codec.spec), Events([]), now=FakeClock(), split=split)
    facts = loop.model().facts["data"]
    assert facts["records"] == 270
    assert facts["fingerprint"] == data.fingerprint
    assert facts["held_out"] == {"records": 30, "below": f"{split.below:016x}"}


# --- how often ---


def test_the_best_plan_that_fits_is_taken() -> None:
    times = ScoringTimes(once=0.5, each_score=0.1, each_sample=0.001)
    assert choose_scoring(0.05, 100_000.0, times) == PLANS[0]
    chosen = [choose_scoring(0.05, seconds, times) for seconds in (40.0, 120.0, 400.0)]
    assert chosen == [(4, 250), (8, 500), (16, 1000)]
    assert choose_scoring(0.05, 20.0, times) is None


def test_timing_a_score_leaves_the_run_as_it_is() -> None:
    config, data = scored_config(), tiny_dataset(64)
    before = torch.get_rng_state()
    times = time_scoring(config, data.codec.spec, data)
    assert min(times.once, times.each_score, times.each_sample) > 0
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("wrong", [{"share": 1.0}, {"share": -0.1}, {"samples": 5}, {"every_samples": -1}, {"patience": 0}])
def test_settings_of_scoring_are_checked(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="scoring"):
        Scoring(**wrong)
