"""The recipes of the paper by its numbers, and what one step of them does."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from support import CPU, image_spec, tiny_config, tiny_dataset, train

from ganwright.augment.base import Augmentation, Strength
from ganwright.augment.flip import Flip
from ganwright.core.budget import Budget
from ganwright.core.schedule import Schedule
from ganwright.losses.relativistic import Relativistic
from ganwright.networks.r3gan import R3gan
from ganwright.optimizers.adam import Adam
from ganwright.recipes.r3gan import gamma_of
from ganwright.recipes.registry import RECIPES
from ganwright.regularizers.r1 import R1
from ganwright.regularizers.r2 import R2
from ganwright.runtime.device import Machine
from ganwright.training.batches import ALL, Batches
from ganwright.training.config import TrainConfig
from ganwright.training.run_spec import run_spec
from ganwright.training.state import initial_state
from ganwright.training.turn import Turn

GPU = Machine("cuda", "GPU", 8, 80 << 30, fast_bf16=True)
SMALL: dict[str, Any] = {
    "network": R3gan(latent=8, width=8, max_width=8, blocks=1),
    "loss": Relativistic(),
    "regularizers": (R1(weight=0.1, interval=1), R2(weight=0.1, interval=1)),
}


def config_of(variant: str, side: int, budget: Budget | None = None, machine: Machine = GPU) -> TrainConfig:
    name = f"r3gan-{variant}" if variant else "r3gan"
    return RECIPES.get(name)(image_spec(side, side, 3), machine, budget or Budget())


@pytest.mark.parametrize(
    ("variant", "side", "batch", "gamma", "strength", "half_life", "millions"),
    [
        ("cifar10", 32, 512, 0.05, 0.55, 5_000_000, 20),
        ("ffhq64", 64, 256, 2.0, 0.3, 500_000, 20),
        ("ffhq256", 256, 256, 150.0, 0.3, 500_000, 20),
        ("imagenet32", 32, 4096, 0.5, 0.5, 50_000_000, 200),
        ("imagenet64", 64, 4096, 1.0, 0.4, 50_000_000, 200),
    ],
)
def test_presets_have_the_published_numbers(
    variant: str, side: int, batch: int, gamma: float, strength: float, half_life: int, millions: int
) -> None:
    """Everything that changes does so over the published number of pictures, of a run that is ten times as long."""
    total = 10 * millions * 1_000_000
    config = replace(config_of(variant, side, Budget(images=total)), total_samples=total)
    r1, r2 = config.regularizers
    assert isinstance(r1, R1)
    assert isinstance(r2, R2)
    assert (r1.interval, r2.interval, config.batch, config.loss) == (1, 1, batch, Relativistic())
    assert r1.weight == r2.weight
    for optimizer in (config.generator_optimizer, config.discriminator_optimizer):
        assert isinstance(optimizer, Adam)
        assert (optimizer.beta1, optimizer.epsilon) == (0.0, 1e-8)
        assert courses(optimizer.learning_rate, total) == pytest.approx([2e-4, 1.25e-4, 5e-5, 5e-5])
        assert courses(optimizer.beta2, total) == pytest.approx([0.9, 0.945, 0.99, 0.99])
    assert courses(r1.weight, total) == pytest.approx([gamma, 0.55 * gamma, 0.1 * gamma, 0.1 * gamma])
    assert isinstance(config.augmentation_strength, Schedule)
    assert courses(config.augmentation_strength, total) == pytest.approx([0, strength / 2, strength, strength])
    assert courses(config.average_half_life_samples, total) == pytest.approx([0, half_life / 2, half_life, half_life])


def courses(value: float | Schedule, total: int) -> list[float]:
    """A setting at the start, half-way and at the end of a tenth of the run, and at the run's end."""
    assert isinstance(value, Schedule)
    return [value.at(seen, total) for seen in (0, total // 20, total // 10, total)]


@pytest.mark.parametrize("budget", [Budget(), Budget(images=1_000_000), Budget(seconds=60)])
def test_a_run_that_is_shorter_than_published_changes_over_its_whole_length(budget: Budget) -> None:
    rate = config_of("ffhq64", 64, budget).generator_optimizer.learning_rate
    assert rate == Schedule(2e-4, 5e-5, over=1.0)


def test_the_recipe_is_narrow_on_a_cpu_and_wider_on_a_gpu() -> None:
    widths = [
        (config.network.width, config.network.max_width, config.batch)
        for machine in (CPU, GPU)
        for side in (32, 64, 256)
        if isinstance((config := config_of("", side, machine=machine)).network, R3gan)
    ]
    assert widths == [(32, 128, 32), (16, 128, 32), (16, 128, 32), (384, 384, 128), (192, 384, 128), (48, 384, 128)]


def test_the_penalty_grows_with_the_side_as_in_the_presets() -> None:
    assert gamma_of((3, 64, 64)) == pytest.approx(2)
    assert 100 < gamma_of((3, 256, 256)) < 200
    assert 0.05 <= gamma_of((3, 32, 32)) <= 0.5
    assert gamma_of((1, 28, 28)) > 0.1


def test_penalties_are_taken_through_the_augmentation_on_both_sides() -> None:
    """With pictures darkened to a third, the slope at what was given is a third, so both penalties are a ninth."""

    class Darker(Augmentation):
        def draws(self) -> int:
            return 1

        def apply(self, x: torch.Tensor, strength: Strength, draws: torch.Tensor) -> torch.Tensor:
            return strength * x

    def first(strength: float) -> dict[str, float]:
        linear = {**SMALL, "augmentations": (Darker(),), "augmentation_strength": strength}
        return train(tiny_config(**linear), 1)[1][0]

    whole, third = first(1.0), first(1 / 3)
    # The slope of the first discriminator is the same along a ray: biases are 0, and LeakyReLU knows no scale.
    for name in ("r1", "r2"):
        assert whole[name] > 0
        assert third[name] == pytest.approx(whole[name] / 9, rel=1e-3)


def test_the_generators_turn_compares_with_fresh_reals_under_its_own_draws() -> None:
    config, data = tiny_config(**SMALL, augmentations=(Flip(),)), tiny_dataset(64)
    spec = run_spec(config, data)
    state, batches = initial_state(config, spec), Batches(data, config)
    turns = [Turn(state, config, spec, state.key(player), ALL) for player in ("discriminator", "generator")]
    reals = [batches.real(turn.key)[0] for turn in turns]
    assert not torch.equal(*reals)
    fake = turns[1].generate().detach()
    difference = turns[1].judge(reals[1])[0] - turns[1].judge(fake)[0]
    still = replace(config, discriminator_optimizer=Adam(learning_rate=0.0))
    _, reports = train(still, 1, data, initial_state(still, spec))
    expected = float(torch.nn.functional.softplus(difference).mean().detach())
    assert reports[0]["generator_loss"] == pytest.approx(expected, rel=1e-5)


def test_it_trains_in_bf16() -> None:
    _, exact = train(tiny_config(**SMALL), 3)
    _, rough = train(tiny_config(**SMALL, precision="bf16"), 3)
    assert all(math.isfinite(value) for report in rough for value in report.values())
    for name in ("discriminator_loss", "r1", "r2"):
        assert rough[0][name] == pytest.approx(exact[0][name], rel=0.1, abs=0.01)
        assert rough[0][name] != exact[0][name]
