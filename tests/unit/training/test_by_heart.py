"""Does the discriminator know what makes a record real, or these very records?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from support import tiny_config, tiny_dataset

from ganwright.data.held_out import Split
from ganwright.data.subset import Subset
from ganwright.optimizers.adam import Adam
from ganwright.runtime.events import Events
from ganwright.training.batches import Batches
from ganwright.training.by_heart import learned_by_heart
from ganwright.training.events import Progress, Warned
from ganwright.training.health import Variety, diagnose
from ganwright.training.loop import Loop
from ganwright.training.state import initial_state
from ganwright.training.step import train_step


def trained(same: bool, steps: int) -> float | None:
    """Of a discriminator that saw 8 records of noise again and again, against 8 others, or the same ones."""
    data = tiny_dataset(16)
    few, others = Subset(data, np.arange(8)), Subset(data, np.arange(8) if same else np.arange(8, 16))
    config = tiny_config(discriminator_optimizer=Adam(learning_rate=2e-3), generator_optimizer=Adam(learning_rate=1e-6))
    spec = data.codec.spec
    state, batches = initial_state(config, spec), Batches(few, config)
    for _ in range(steps):
        train_step(state, config, spec, batches)
    before = [value.clone() for value in state.discriminator.state_dict().values()]
    found = learned_by_heart(state, config, spec, batches, Batches(others, config))
    after = state.discriminator.state_dict().values()
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True)), "looking changes nothing"
    return found


def test_records_that_are_learned_by_heart_are_told_from_others_of_their_kind() -> None:
    apart, together = trained(same=False, steps=60), trained(same=True, steps=60)
    assert apart is not None
    assert together is not None
    assert apart > 0.2
    assert together == pytest.approx(0.0, abs=1e-4)


def test_who_tells_nothing_apart_knows_nothing_by_heart() -> None:
    assert trained(same=False, steps=0) is None


def numbers(**changes: float) -> dict[str, float]:
    healthy = {"real_logits": 1.5, "fake_logits": -1.5, "real_called_real": 0.9, "fake_called_fake": 0.9}
    return {**healthy, **changes}


@pytest.mark.parametrize(("by_heart", "said"), [(None, "ok"), (0.3, "ok"), (0.7, "discriminator memorises")])
def test_n6_it_is_said_in_words(by_heart: float | None, said: str) -> None:
    assert diagnose(numbers(), Variety(), 10_000, by_heart) == said


def test_n6_a_run_on_a_handful_of_records_says_so_once(monkeypatch: pytest.MonkeyPatch) -> None:
    data = tiny_dataset(16)
    config = replace(tiny_config(batch=64, total_samples=64 * 120))
    events: list[Any] = []
    split = Split(Subset(data, np.arange(8)), Subset(data, np.arange(8, 16)), 1)
    loop = Loop(config, split.train, initial_state(config, data.codec.spec), Events([events.append]), split=split)
    monkeypatch.setattr("ganwright.training.loop.learned_by_heart", lambda *_: 0.9)
    loop.run()
    said = [event.text for event in events if isinstance(event, Warned)]
    assert [text for text in said if text.startswith("discriminator memorises: ")] == said[:1]
    assert [event.by_heart for event in events if isinstance(event, Progress)][-1] == 0.9
