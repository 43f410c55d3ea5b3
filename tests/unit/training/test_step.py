"""The step: whose turn it is, what stands still meanwhile, and that the step number is the random state."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from support import tiny_config, tiny_dataset, train
from torch import Tensor, nn
from torch.nn.functional import softplus

from ganwright.augment.flip import Flip
from ganwright.core.schedule import Schedule
from ganwright.data.dataset import Dataset
from ganwright.data.spec import DataSpec
from ganwright.losses.base import Loss
from ganwright.losses.wasserstein import Wasserstein
from ganwright.networks.base import (
    UNCONDITIONED,
    Conditions,
    Discriminator,
    Generated,
    Generator,
    NetworkFamily,
    NoiseInput,
    Verdict,
)
from ganwright.networks.dcgan import DcganDiscriminator
from ganwright.networks.mlp import Mlp
from ganwright.optimizers.adam import Adam
from ganwright.optimizers.sgd import Sgd
from ganwright.regularizers.base import Regularizer, RegularizerState
from ganwright.regularizers.base import Turn as RegularizersTurn
from ganwright.regularizers.gradient_penalty import GradientPenalty
from ganwright.regularizers.r1 import R1
from ganwright.training.batches import ALL, Batches
from ganwright.training.config import TrainConfig
from ganwright.training.state import TrainState, initial_state
from ganwright.training.statistics import batch_norms, held_statistics
from ganwright.training.step import train_step
from ganwright.training.turn import Turn


class UserGenerator(Generator):
    """A dense layer with batch normalisation."""

    def __init__(self, spec: DataSpec) -> None:
        super().__init__()
        self.noise = {"latent": NoiseInput((4,)), "style": NoiseInput((2,), "uniform")}
        self.layers = nn.Sequential(
            nn.Linear(6, 8, bias=False), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, math.prod(spec.shape))
        )
        self.shape = spec.shape
        self.forwards: list[bool] = []

    def forward(self, noise: Mapping[str, Tensor], condition: Conditions = UNCONDITIONED) -> Generated:
        x = self.layers(torch.cat([noise["latent"], noise["style"]], 1))
        self.forwards.append(x.requires_grad)
        return Generated(x.unflatten(1, self.shape))


class UserDiscriminator(Discriminator):
    """Batch normalisation, and a head of one logit a record beside one of several; remembers how it was called."""

    def __init__(self, spec: DataSpec, patches: int | None) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(math.prod(spec.shape), 8), nn.BatchNorm1d(8), nn.LeakyReLU(0.2))
        self.logit = nn.Linear(8, 1)
        self.patches = nn.Linear(8, patches) if patches else None
        self.calls: list[tuple[bool, bool]] = []

    def forward(self, x: Tensor, condition: Conditions = UNCONDITIONED) -> Verdict:
        self.calls.append((x.requires_grad, self.logit.weight.requires_grad))
        features = self.body(x)
        heads = (self.logit(features).squeeze(1),)
        return Verdict((*heads, self.patches(features)) if self.patches is not None else heads)


@dataclass(frozen=True)
class UserPair(NetworkFamily):
    """A user's own two networks."""

    patches: int | None = None
    """Logits of the second head; None has no such head."""

    kinds = frozenset()

    def generator(self, spec: DataSpec) -> Generator:
        return UserGenerator(spec)

    def discriminator(self, spec: DataSpec) -> Discriminator:
        return UserDiscriminator(spec, self.patches)


@dataclass(frozen=True)
class Relativistic(Loss):
    """Jolicoeur-Martineau 2018 (arXiv:1807.00734): each logit against the one beside it."""

    generator_needs_real: ClassVar[bool] = True

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return softplus(fake_logits - real_logits)

    def generator(self, real_logits: Tensor | None, fake_logits: Tensor) -> Tensor:
        assert real_logits is not None
        assert not real_logits.requires_grad
        return softplus(real_logits - fake_logits)


@dataclass(frozen=True)
class Dull(Regularizer):
    """A penalty of the generator's: the mean of its fakes."""

    player = "generator"
    weight: float | Schedule = 1.0
    interval: int = 1

    def penalty(self, turn: RegularizersTurn, state: RegularizerState) -> tuple[Tensor, RegularizerState]:
        return turn.fake.flatten(1).mean(1), state


@dataclass
class Watched:
    """A dataset that remembers which records were asked for."""

    dataset: Dataset = field(default_factory=lambda: tiny_dataset(64))
    asked: list[list[int]] = field(default_factory=list[list[int]])

    def __post_init__(self) -> None:
        original = self.dataset.batch

        def batch(indices: np.ndarray, names: Collection[str] | None = None) -> dict[str, Tensor]:
            self.asked.append(indices.tolist())
            return original(indices, names)

        self.dataset.batch = batch


def weights(network: nn.Module) -> list[Tensor]:
    return [value.clone() for value in network.state_dict().values()]


def same(one: list[Tensor], other: list[Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def moved(state: TrainState) -> list[int]:
    """How often each layer of the discriminator has updated its running statistics."""
    return [
        int(norm.num_batches_tracked) for norm in batch_norms(state.discriminator) if norm.num_batches_tracked is not None
    ]


RICH: dict[str, Any] = {"regularizers": (R1(interval=4), GradientPenalty(interval=3)), "augmentations": (Flip(),)}


@pytest.mark.parametrize("network", [tiny_config().network, Mlp(8, (16,), (16,)), UserPair(3)], ids=["dcgan", "mlp", "user"])
def test_twenty_steps_of_one_seed_give_the_same_weights_bit_by_bit(network: NetworkFamily) -> None:
    config = tiny_config(network=network, **RICH)
    one, reports = train(config, 20)
    torch.manual_seed(12345)  # the global generator has no say
    other, reports_again = train(config, 20)
    for a, b in ((one.generator, other.generator), (one.discriminator, other.discriminator)):
        assert same(weights(a), weights(b))
    assert same(weights(one.average.generator), weights(other.average.generator))
    assert reports == reports_again


def test_another_seed_gives_other_weights() -> None:
    one, _ = train(tiny_config(), 2)
    other, _ = train(tiny_config(seed=1), 2)
    pairs = zip(one.generator.parameters(), other.generator.parameters(), strict=True)
    assert not any(torch.equal(a, b) for a, b in pairs)


def test_the_step_number_is_the_random_state() -> None:
    """Ten steps in one go, and ten with a new loop's worth of objects between: nothing but the state is carried over."""
    whole, _ = train(tiny_config(**RICH), 10)
    first, _ = train(tiny_config(**RICH), 4)
    second, _ = train(tiny_config(**RICH), 6, tiny_dataset(), first)
    assert same(weights(whole.generator), weights(second.generator))
    assert (second.step, second.samples_seen) == (10, 80)


def test_another_attempt_draws_anew() -> None:
    config = tiny_config()
    spec = tiny_dataset().codec.spec
    state, again = initial_state(config, spec), initial_state(config, spec)
    again.attempt = 1
    one, _ = train(config, 1, state=state)
    other, _ = train(config, 1, state=again)
    assert not same(weights(one.generator), weights(other.generator))


def test_each_network_learns_in_its_own_turn_only() -> None:
    config = tiny_config(network=UserPair())
    state, _ = train(config, 1)
    generator, discriminator = state.generator, state.discriminator
    assert isinstance(generator, UserGenerator)
    assert isinstance(discriminator, UserDiscriminator)
    # (the input wants a gradient, the discriminator's weights want one): reals, fakes; then the generator's fakes.
    assert discriminator.calls == [(False, True), (False, True), (True, False)]
    assert generator.forwards == [False, True]
    assert not any(p.requires_grad for network in (generator, discriminator) for p in network.parameters())


def test_the_discriminator_stands_still_in_the_generators_turn_and_the_other_way_round() -> None:
    frozen = Adam(learning_rate=0.0)
    config = tiny_config(network=UserPair())
    still, _ = train(tiny_config(network=UserPair(), discriminator_optimizer=frozen), 1)
    start = initial_state(config, tiny_dataset().codec.spec)
    assert same(list(still.discriminator.parameters()), list(start.discriminator.parameters()))
    assert not same(list(still.generator.parameters()), list(start.generator.parameters()))
    still, _ = train(tiny_config(network=UserPair(), generator_optimizer=frozen), 1)
    assert same(list(still.generator.parameters()), list(start.generator.parameters()))
    assert not same(list(still.discriminator.parameters()), list(start.discriminator.parameters()))


def test_the_generator_has_no_gradient_from_the_discriminators_turn() -> None:
    seen: list[bool] = []

    @dataclass(frozen=True)
    class Spy(Wasserstein):
        def generator(self, real_logits: Tensor | None, fake_logits: Tensor) -> Tensor:
            seen.append(all(p.grad is None for p in state.generator.parameters()))
            return super().generator(real_logits, fake_logits)

    config = tiny_config(loss=Spy())
    state = initial_state(config, tiny_dataset().codec.spec)
    train(config, 1, state=state)
    assert seen == [True]
    assert all(p.grad is not None for p in state.generator.parameters())


@pytest.mark.parametrize("penalties", [(), (R1(interval=1), GradientPenalty())], ids=["plain", "penalties"])
def test_running_statistics_of_the_discriminator_move_in_its_own_turn_only(penalties: tuple[Any, ...]) -> None:
    """Once, with the reals; the fakes, a penalty's batch between them, and the generator's turn leave no trace."""
    state, _ = train(tiny_config(network=UserPair(), regularizers=penalties), 1)
    assert moved(state) == [1]
    state, _ = train(tiny_config(network=UserPair(), regularizers=penalties, discriminator_steps=3), 1)
    assert moved(state) == [3]


def test_running_statistics_of_the_generator_move_in_its_own_turn_once() -> None:
    state, _ = train(tiny_config(network=UserPair(), discriminator_steps=3), 2)
    assert [int(n.num_batches_tracked) for n in batch_norms(state.generator) if n.num_batches_tracked is not None] == [2]


@pytest.mark.parametrize("turns", [1, 3])
def test_the_generator_may_learn_from_the_fakes_that_the_discriminator_saw(turns: int) -> None:
    """Those of its last turn: as they would be made again for that turn's noise, in a pass less."""
    choices = {"network": UserPair(), "generator_optimizer": Sgd(learning_rate=0.1), "discriminator_steps": turns}
    config, data = tiny_config(reuse_fakes=True, **choices), tiny_dataset()
    state = initial_state(config, data.codec.spec)
    key, before = state.key("discriminator", turns - 1), deepcopy(state.generator)
    train(config, 1, data, state)
    generator, discriminator = state.generator, state.discriminator
    assert isinstance(generator, UserGenerator)
    assert isinstance(discriminator, UserDiscriminator)
    assert generator.forwards == [False] * (turns - 1) + [True]
    assert [int(n.num_batches_tracked) for n in batch_norms(generator) if n.num_batches_tracked is not None] == [1]
    # The same by hand, with the discriminator as its turns left it.
    expected = initial_state(config, data.codec.spec)
    expected.generator, expected.discriminator = before.requires_grad_(True), discriminator
    turn = Turn(expected, config, data.codec.spec, key, ALL)
    with held_statistics(discriminator):
        (logits,) = turn.judge(turn.generate())
    config.loss.generator(None, logits).mean().backward()
    for started, learned in zip(before.parameters(), generator.parameters(), strict=True):
        assert started.grad is not None
        torch.testing.assert_close(learned, started.detach() - 0.1 * started.grad, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("change", [{"loss": Relativistic()}, {"micro_batches": 2}, {"regularizers": (Dull(),)}])
def test_the_generator_makes_fakes_of_its_own_where_its_turn_wants_others(change: dict[str, Any]) -> None:
    reused, _ = train(tiny_config(reuse_fakes=True, **change), 2)
    made, _ = train(tiny_config(**change), 2)
    assert same(list(reused.generator.parameters()), list(made.generator.parameters()))


def test_held_statistics_change_nothing_else() -> None:
    state = initial_state(tiny_config(network=UserPair()), tiny_dataset().codec.spec)
    x = torch.randn(8, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    before = weights(state.discriminator)
    with held_statistics(state.discriminator):
        held = state.discriminator(x).logits[0]
    assert same(before, weights(state.discriminator))
    assert torch.equal(held, state.discriminator(x).logits[0])
    assert not same(before, weights(state.discriminator))
    with pytest.raises(RuntimeError, match="on purpose"), held_statistics(state.discriminator):
        raise RuntimeError("on purpose")
    assert all(norm.track_running_stats for norm in batch_norms(state.discriminator))


def test_a_relative_loss_draws_fresh_reals_for_the_generators_turn() -> None:
    watched = Watched()
    state, reports = train(tiny_config(loss=Relativistic(), discriminator_steps=2), 2, watched.dataset)
    assert [len(asked) for asked in watched.asked] == [8] * 6, "two discriminator turns and a generator turn, twice"
    every = [index for asked in watched.asked for index in asked]
    assert len(set(every)) == 48, "no record twice within a pass"
    assert state.samples_seen == 32, "fresh reals of the generator's turn are not counted"
    assert all(math.isfinite(value) for value in reports[-1].values())


def test_other_losses_draw_no_reals_for_the_generators_turn() -> None:
    watched = Watched()
    train(tiny_config(), 3, watched.dataset)
    assert len(watched.asked) == 3


def test_several_discriminator_turns_see_other_records_and_other_noise() -> None:
    watched = Watched()
    state, _ = train(tiny_config(network=UserPair(), discriminator_steps=3), 1, watched.dataset)
    assert len({index for asked in watched.asked for index in asked}) == 24
    assert state.samples_seen == 24
    spec = watched.dataset.codec.spec
    turns = [
        Turn(state, tiny_config(network=UserPair()), spec, state.key("discriminator", repeat), ALL) for repeat in range(2)
    ]
    assert not torch.equal(turns[0].generate(), turns[1].generate())


def test_heads_are_averaged_within_and_summed_over() -> None:
    config, data = tiny_config(network=UserPair(patches=3), loss=Wasserstein()), tiny_dataset()
    spec = data.codec.spec
    state = initial_state(config, spec)
    turn = Turn(state, config, spec, state.key("discriminator"), ALL)
    real, fake = turn.judge(Batches(data, config).real(turn.key)[0]), turn.judge(turn.generate().detach())
    assert [head.shape for head in real] == [(8,), (8, 3)]
    expected = sum(float((f - r).mean().detach()) for r, f in zip(real, fake, strict=True))
    _, reports = train(config, 1, data, initial_state(config, spec))
    assert reports[0]["discriminator_loss"] == pytest.approx(expected, rel=1e-5)


def test_a_lazy_penalty_counts_for_the_steps_that_it_was_spared() -> None:
    """At step 0 a penalty of interval 4 and weight 1 pulls like one of every step with weight 4."""
    lazy, _ = train(tiny_config(regularizers=(R1(weight=1.0, interval=4),)), 1)
    eager, _ = train(tiny_config(regularizers=(R1(weight=4.0, interval=1),)), 1)
    assert same(weights(lazy.discriminator), weights(eager.discriminator))


def test_schedules_follow_the_samples_seen() -> None:
    falling = Adam(learning_rate=Schedule(1.0, 0.0, curve="linear"))
    config = tiny_config(generator_optimizer=falling, total_samples=8 * 4)
    state = initial_state(config, tiny_dataset().codec.spec)
    rates: list[float] = []
    for _ in range(4):
        train(config, 1, state=state)
        rates.append(state.generator_optimizer.param_groups[0]["lr"])
    assert rates == pytest.approx([1.0, 0.75, 0.5, 0.25])


def test_decay_and_half_life_follow_their_schedules() -> None:
    def half_way(change: dict[str, Any]) -> TrainState:
        optimizer = Adam(beta2=Schedule(0.9, 0.99, curve="linear"))
        config = tiny_config(total_samples=8 * 4, batch=8, generator_optimizer=optimizer, **change)
        return train(config, 3)[0]

    slow = half_way({"average_half_life_samples": Schedule(0.0, 1e9, curve="linear")})
    assert slow.generator_optimizer.param_groups[0]["betas"][1] == pytest.approx(0.945)
    quick = half_way({"average_half_life_samples": Schedule(0.0, 1e-6)})
    pairs = zip(quick.average.generator.parameters(), quick.generator.parameters(), strict=True)
    assert all(torch.allclose(mine, theirs, atol=1e-2) for mine, theirs in pairs)
    pairs = zip(slow.average.generator.parameters(), slow.generator.parameters(), strict=True)
    assert not all(torch.allclose(mine, theirs, atol=1e-6) for mine, theirs in pairs)


def test_gradients_are_reported_by_their_norm() -> None:
    config, data = tiny_config(generator_optimizer=Adam(learning_rate=0.0)), tiny_dataset()
    state = initial_state(config, data.codec.spec)
    report = train_step(state, config, data.codec.spec, Batches(data, config))
    squares = sum(float(weight.grad.square().sum()) for weight in state.generator.parameters() if weight.grad is not None)
    assert float(report["generator_gradient"]) == pytest.approx(squares**0.5, rel=1e-5)


def test_bf16_trains_and_its_logits_are_single_precision() -> None:
    config, data = tiny_config(precision="bf16", **RICH), tiny_dataset()
    state, reports = train(config, 5, data)
    turn = Turn(state, config, data.codec.spec, state.key("discriminator"), ALL)
    fake = turn.generate()
    assert fake.dtype == torch.float32
    assert {head.dtype for head in turn.judge(fake)} == {torch.float32}
    assert all(math.isfinite(value) for report in reports for value in report.values())
    assert {p.dtype for p in state.generator.parameters()} == {torch.float32}
    _, exact = train(tiny_config(**RICH), 5, data)
    assert reports[0]["discriminator_loss"] != exact[0]["discriminator_loss"], "it must have computed otherwise"
    assert reports[0]["discriminator_loss"] == pytest.approx(exact[0]["discriminator_loss"], rel=0.05)


def test_the_report_is_of_numbers_that_carry_no_gradient() -> None:
    config, data = tiny_config(regularizers=(R1(interval=1),)), tiny_dataset()
    state = initial_state(config, data.codec.spec)
    report = train_step(state, config, data.codec.spec, Batches(data, config))
    assert all(value.ndim == 0 and not value.requires_grad for value in report.values())
    shares, gradients = {"real_called_real", "fake_called_fake"}, {"generator_gradient", "discriminator_gradient"}
    assert {"discriminator_loss", "generator_loss", "real_logits", "fake_logits", "r1", *shares, *gradients} == set(report)
    assert all(0 <= float(report[name]) <= 1 for name in shares)


@pytest.mark.parametrize("change", [{"batch": 0}, {"discriminator_steps": 0}, {"average_half_life_samples": 0}])
def test_a_config_that_cannot_train_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(change))):
        tiny_config(**change)


def test_the_discriminator_learns_to_tell_noise_from_a_constant() -> None:
    """Not a measure of quality: a step with a sign turned round would drive the verdicts the other way."""
    config = tiny_config(generator_optimizer=Adam(learning_rate=0.0), discriminator_optimizer=Adam(learning_rate=5e-3))
    _, reports = train(config, 40)
    assert (
        reports[-1]["real_logits"] - reports[-1]["fake_logits"] > reports[0]["real_logits"] - reports[0]["fake_logits"] + 1
    )


def test_the_generator_learns_to_raise_its_logits() -> None:
    config: TrainConfig = tiny_config(
        generator_optimizer=Adam(learning_rate=5e-3), discriminator_optimizer=Adam(learning_rate=0.0)
    )
    _, reports = train(config, 40)
    assert reports[-1]["generator_loss"] < reports[0]["generator_loss"] - 1e-3
    assert reports[-1]["fake_logits"] > reports[0]["fake_logits"]


@pytest.mark.parametrize("parts", [2, 3, 8, 50])
def test_a_batch_in_parts_teaches_what_it_teaches_at_once(parts: int) -> None:
    """The same draws, records and penalties; sums come out in another order. Networks without batch statistics."""
    rich = {**RICH, "network": Mlp(8, (), (16,)), "generator_optimizer": Sgd(), "discriminator_optimizer": Sgd()}
    at_once, told = train(tiny_config(**rich), 3)
    in_parts, also_told = train(tiny_config(micro_batches=parts, **rich), 3)
    for one, other in ((at_once.generator, in_parts.generator), (at_once.discriminator, in_parts.discriminator)):
        for a, b in zip(one.parameters(), other.parameters(), strict=True):
            assert torch.allclose(a, b, rtol=1e-4, atol=1e-6)
    assert also_told[-1] == pytest.approx(told[-1], rel=1e-3, abs=1e-5)


@pytest.mark.parametrize(("by_itself", "interval"), [(True, 2), (False, 2), (True, 1)])
def test_reals_and_fakes_share_a_call_where_nobody_tells_them_apart(
    by_itself: bool, interval: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not where a penalty follows a verdict back, nor where a verdict depends on the batch; what is learned is the same."""
    calls: list[int] = []
    original = DcganDiscriminator.forward

    def forward(self: DcganDiscriminator, x: Tensor, condition: Conditions = UNCONDITIONED) -> Verdict:
        calls.append(len(x))
        return original(self, x, condition)

    monkeypatch.setattr(DcganDiscriminator, "forward", forward)
    monkeypatch.setattr(DcganDiscriminator, "by_itself", by_itself)
    config = tiny_config(regularizers=(R1(interval=interval),), augmentations=(Flip(),))
    _, reports = train(config, 2)
    apart = [config.batch] * 3
    assert calls == [*apart, *([2 * config.batch, config.batch] if by_itself and interval == 2 else apart)]
    monkeypatch.setattr(DcganDiscriminator, "by_itself", False)
    _, expected = train(config, 2)
    for name in ("discriminator_loss", "fake_logits", "discriminator_gradient"):
        torch.testing.assert_close(reports[1][name], expected[1][name], rtol=1e-4, atol=1e-6)
