"""The augmentation's strength: how it is set, adapted, written down, reported and complained of."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import tomli_w
import torch
from support import tiny_config, tiny_dataset, train
from torch import Tensor

from ganwright.augment.flip import Flip
from ganwright.core.config import from_plain, to_plain
from ganwright.core.errors import DataError, UsageError
from ganwright.core.schedule import Schedule
from ganwright.losses.base import Loss
from ganwright.losses.non_saturating import NonSaturating
from ganwright.losses.relativistic import Relativistic
from ganwright.plan import override
from ganwright.training.adaptive import EVERY_STEPS, RIGHT, STRENGTH, Adaptive
from ganwright.training.augmenting import augmenting
from ganwright.training.checkpoint import TENSORS, Checkpoint
from ganwright.training.config import TrainConfig
from ganwright.training.health import ADVICE, Variety, diagnose
from ganwright.training.run_spec import run_spec
from ganwright.training.state import initial_state

QUICK = Adaptive(samples_to_full=800, share_to_full=1.0)
"""Four steps of a batch of 8 change the strength by 0.04."""


@dataclass(frozen=True)
class Told(NonSaturating):
    """A loss that calls so many verdicts right, whatever they are."""

    share: float = 1.0
    """Of the reals."""

    def told(self, real_logits: Tensor, fake_logits: Tensor) -> tuple[Tensor, Tensor]:
        return torch.full_like(real_logits, self.share), torch.zeros_like(fake_logits)


def config_with(strength: float | Schedule | Adaptive, loss: Loss | None = None, **changes: Any) -> TrainConfig:
    return tiny_config(augmentations=(Flip(),), augmentation_strength=strength, loss=loss or Told(), **changes)


def strengths(config: TrainConfig, steps: int) -> list[float]:
    _, reports = train(config, steps)
    return [report["augmentation"] for report in reports]


def test_the_strength_rises_while_the_discriminator_is_right_too_often() -> None:
    found = strengths(config_with(QUICK, Told(share=0.9)), 13)
    assert found == pytest.approx([0.0] * 4 + [0.04] * 4 + [0.08] * 4 + [0.12])


def test_it_falls_while_it_is_not_and_stays_between_its_bounds() -> None:
    quick = replace(QUICK, samples_to_full=80)  # 0.4 at a time
    assert strengths(config_with(quick, Told(share=1.0)), 13)[::4] == pytest.approx([0.0, 0.4, 0.8, 0.8])
    assert strengths(config_with(quick, Told(share=0.5)), 9)[::4] == [0.0, 0.0, 0.0]
    memory = {STRENGTH: torch.tensor(0.5), RIGHT: torch.tensor(3 * 0.7)}
    assert float(quick.adapt(memory, torch.tensor(0.7), 3, 8, 8000)[STRENGTH]) == pytest.approx(0.1)


def test_nothing_is_computed_while_the_strength_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """It rises after the fourth step; before, and where it stays at 0, records go past the augmentation."""
    applied: list[float] = []
    apply = Flip.apply

    def noted(self: Flip, x: Tensor, strength: float | Tensor, draws: Tensor) -> Tensor:
        applied.append(float(strength))
        return apply(self, x, strength, draws)

    monkeypatch.setattr(Flip, "apply", noted)
    train(config_with(QUICK, Told(share=0.9)), 4)
    train(config_with(0.0), 1)
    assert applied == []
    train(config_with(QUICK, Told(share=0.9)), 5)
    assert applied
    assert all(strength == pytest.approx(0.04) for strength in applied)


@pytest.mark.parametrize(("share", "rises"), [(0.79, False), (0.81, True)])
def test_the_target_is_between_always_wrong_and_always_right(share: float, rises: bool) -> None:
    """0.6 of -1..1 are four verdicts of five."""
    assert (strengths(config_with(QUICK, Told(share=share)), 5)[-1] > 0) == rises


def test_verdicts_of_four_steps_are_averaged() -> None:
    memory = QUICK.initial("cpu")
    for step, right in enumerate((1.0, 1.0, 1.0, 0.0)):  # 0.75 in the mean, 0.5 of -1..1
        memory = QUICK.adapt(memory, torch.tensor(right), step, 8, 8000)
        assert float(memory[RIGHT]) == (step + 1.0 if step < EVERY_STEPS - 1 else 0.0)
    assert float(memory[STRENGTH]) == 0.0


def test_a_pair_counts_where_the_loss_compares_pairs() -> None:
    real, fake = torch.tensor([-1.0, -1.0]), torch.tensor([-2.0, 0.0])
    assert Relativistic().told(real, fake)[0].tolist() == [1.0, 0.0]
    _, reports = train(config_with(QUICK, Relativistic()), 2)
    assert all(0 <= report["real_called_real"] <= 1 for report in reports)


def test_a_short_run_adapts_by_its_own_length() -> None:
    memory = {STRENGTH: torch.zeros(()), RIGHT: torch.tensor(3.0)}

    def change(total_samples: int) -> float:
        return float(Adaptive().adapt(memory, torch.tensor(1.0), 3, 8, total_samples)[STRENGTH])

    assert change(10_000) == pytest.approx(32 / 2_500)
    assert change(100_000_000) == pytest.approx(32 / 500_000)


def test_the_turn_augments_with_the_adapted_strength() -> None:
    """At first with none, so the first steps are those of a run without augmentation."""
    plain, _ = train(config_with(0.0, Told(share=1.0)), 4)
    adapted, _ = train(config_with(QUICK, Told(share=1.0)), 4)
    pairs = zip(plain.discriminator.parameters(), adapted.discriminator.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    assert float(adapted.adapted[STRENGTH]) == pytest.approx(0.04)
    plain, _ = train(config_with(0.0, Told()), 24)
    adapted, _ = train(config_with(replace(QUICK, samples_to_full=80), Told()), 24)
    pairs = zip(plain.discriminator.parameters(), adapted.discriminator.parameters(), strict=True)
    assert not all(torch.equal(a, b) for a, b in pairs)


def test_a_strength_that_is_not_adapted_is_reported_too() -> None:
    assert strengths(config_with(0.25), 2) == [0.25, 0.25]
    rising = strengths(config_with(Schedule(0.0, 0.8, curve="linear"), total_samples=32), 3)
    assert rising == pytest.approx([0.0, 0.2, 0.4])
    _, reports = train(tiny_config(), 1)
    assert "augmentation" not in reports[0]


def test_parts_of_a_batch_adapt_as_the_whole_does() -> None:
    config = config_with(QUICK, NonSaturating())
    whole, _ = train(config, 3)
    parts, _ = train(replace(config, micro_batches=4), 3)
    assert float(whole.adapted[RIGHT]) > 0
    assert float(parts.adapted[RIGHT]) == pytest.approx(float(whole.adapted[RIGHT]), abs=0.5)


def test_going_on_is_never_having_stopped(tmp_path: Path) -> None:
    config, data = config_with(QUICK, NonSaturating()), tiny_dataset(64)
    straight, reports = train(config, 11, data)
    half, _ = train(config, 6, data)
    half.adapted = {STRENGTH: torch.tensor(0.3), RIGHT: half.adapted[RIGHT]}
    written = Checkpoint.of(half)
    written.write(tmp_path / TENSORS)
    fresh = initial_state(config, run_spec(config, data))
    Checkpoint.read(tmp_path / TENSORS, written.facts).restore(fresh)
    assert fresh.adapted.keys() == half.adapted.keys()
    assert all(torch.equal(fresh.adapted[name], value) for name, value in half.adapted.items())
    half, _ = train(config, 6, data)
    Checkpoint.of(half).restore(fresh)
    again, later = train(config, 5, data, fresh)
    assert later == reports[6:]
    assert torch.equal(again.adapted[STRENGTH], straight.adapted[STRENGTH])


def test_a_checkpoint_without_a_strength_is_of_another_run_only_where_one_is_adapted() -> None:
    plain, data = tiny_config(augmentations=(Flip(),)), tiny_dataset()
    state, _ = train(plain, 1)
    taken = Checkpoint.of(state)
    taken.restore(initial_state(plain, run_spec(plain, data)))
    adapted = replace(plain, augmentation_strength=QUICK)
    with pytest.raises(DataError, match="of another run"):
        taken.restore(initial_state(adapted, run_spec(adapted, data)))


# How it is written.


@pytest.mark.parametrize("strength", [0.5, Schedule(0.0, 0.3), Adaptive(), Adaptive(target=0.5, most=0.6)], ids=repr)
def test_a_strength_comes_back_from_a_toml_file(strength: float | Schedule | Adaptive) -> None:
    config = config_with(strength, NonSaturating())
    text = tomli_w.dumps({"train": to_plain(config)})
    assert from_plain(TrainConfig, tomllib.loads(text)["train"]) == config


@pytest.mark.parametrize(
    ("plain", "wanted"),
    [(0.5, 0.5), ({"target": 0.5}, Adaptive(target=0.5)), ({"start": 0.1, "end": 0.2}, Schedule(0.1, 0.2))],
)
def test_a_strength_is_set_by_name(plain: Any, wanted: object) -> None:
    config = override(config_with(1.0, NonSaturating()), {"augmentation_strength": plain})
    assert config.augmentation_strength == wanted


def test_one_setting_of_an_adapted_strength_is_changed() -> None:
    config = override(config_with(Adaptive(most=0.5), NonSaturating()), {"augmentation_strength": {"target": 0.4}})
    assert config.augmentation_strength == Adaptive(target=0.4, most=0.5)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"augmentation_strength": {"start": 0.1, "ned": 0.2}}, "augmentation_strength.ned"),
        ({"augmentation_strength": {"target": 0.5, "mots": 0.2}}, "augmentation_strength.mots"),
        ({"augmentation_strength": {"target": 1.5}}, "target must lie"),
        ({"augmentation_strength": {"most": 0}}, "most must lie"),
        ({"augmentation_strength": 1.5}, "augmentation_strength must lie"),
        ({"augmentation_strength": {"target": 0.5}, "augmentations": []}, "of no augmentation"),
    ],
)
def test_what_does_not_fit_is_told_of_by_name(wrong: dict[str, Any], named: str) -> None:
    with pytest.raises(UsageError, match=named):
        override(config_with(1.0, NonSaturating()), wrong)


def test_each_word_for_augmentation_is_a_config_that_trains() -> None:
    for word in ("none", "adaptive", "diffaugment", "ada", "pipeline"):
        config = tiny_config(**augmenting(word))
        _, reports = train(config, 2)
        assert ("augmentation" in reports[0]) == (word != "none")
        assert from_plain(TrainConfig, to_plain(config)) == config
    with pytest.raises(UsageError, match="unknown augment"):
        augmenting("strong")  # type: ignore[arg-type]


# What is said of it.


def numbers(strength: float, right: float) -> dict[str, float]:
    return {
        "real_logits": 0.5,
        "fake_logits": -0.5,
        "real_called_real": right,
        "fake_called_fake": 0.7,
        "augmentation": strength,
    }


@pytest.mark.parametrize(
    ("strength", "right", "said"),
    [(0.8, 0.9, "augmentation at its most"), (0.8, 0.7, "ok"), (0.79, 0.9, "ok"), (0.0, 0.9, "ok")],
)
def test_a_strength_that_should_rise_and_may_not_is_complained_of(strength: float, right: float, said: str) -> None:
    assert diagnose(numbers(strength, right), Variety(0.9), 100_000, adaptive=Adaptive()) == said
    assert said == "ok" or ADVICE[said]


def test_a_fixed_strength_is_nobodys_complaint() -> None:
    assert diagnose(numbers(0.8, 0.9), Variety(0.9), 100_000) == "ok"


def test_flip_is_gentler_than_its_name_at_low_strength() -> None:
    x = torch.arange(8.0).view(2, 1, 1, 4)
    draws = torch.tensor([[0.2], [0.3]])
    assert torch.equal(Flip().apply(x, torch.tensor(0.5), draws)[0], x[0].flip(-1))
    assert torch.equal(Flip().apply(x, torch.tensor(0.5), draws)[1], x[1])
