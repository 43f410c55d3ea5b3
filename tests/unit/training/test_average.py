"""The average generator: its half-life, and batch statistics that fit its weights."""

from __future__ import annotations

import copy

import pytest
import torch
from support import TINY, image_spec, tiny_config, tiny_dataset, train
from torch import Tensor, nn

from ganwright.model.noise import draw_noise
from ganwright.networks.base import Generator
from ganwright.networks.mlp import Mlp
from ganwright.runtime.keys import Key
from ganwright.training.average import AverageGenerator
from ganwright.training.state import initial_state
from ganwright.training.statistics import batch_norms

LATE = 10**9  # samples seen, so that the early ramp is over
SPEC = image_spec(8, 8, 1)


def pair(start: float, now: float) -> AverageGenerator:
    """An average at `start` of a generator that is at `now`."""
    generator = Mlp(latent=2, generator_widths=()).generator(SPEC).requires_grad_(False)
    for parameter in generator.parameters():
        parameter.fill_(start)
    average = AverageGenerator(generator)
    for parameter in generator.parameters():
        parameter.fill_(now)
    return average


def level(average: AverageGenerator) -> float:
    values = {float(value) for p in average.generator.parameters() for value in p.flatten()}
    assert len(values) == 1
    return values.pop()


@pytest.mark.parametrize("samples", [1, 50, 400])
def test_after_a_half_life_the_past_counts_half(samples: int) -> None:
    average = pair(0.0, 1.0)
    for _ in range(400 // samples):
        average.update(samples, LATE, half_life_samples=400)
    assert level(average) == pytest.approx(0.5, abs=1e-4)


def test_one_update_moves_by_the_formula() -> None:
    average = pair(2.0, 3.0)
    average.update(64, LATE, half_life_samples=3000)
    assert level(average) == pytest.approx(3 - 0.5 ** (64 / 3000))


def test_early_on_the_half_life_is_a_twentieth_of_what_was_seen() -> None:
    average = pair(0.0, 1.0)
    average.update(10, 200, half_life_samples=3000)
    assert level(average) == pytest.approx(0.5)
    first = pair(0.0, 1.0)
    first.update(64, 64, half_life_samples=3000)
    assert level(first) == pytest.approx(1.0, abs=1e-4), "the random first weights are forgotten at once"


def test_the_average_is_apart_from_the_generator_and_takes_no_gradient() -> None:
    state, _ = train(tiny_config(), 3)
    ours, theirs = list(state.average.generator.parameters()), list(state.generator.parameters())
    assert not any(p.requires_grad for p in ours)
    assert not state.average.generator.training
    assert all(a.data_ptr() != b.data_ptr() for a, b in zip(ours, theirs, strict=True))


def statistics(generator: Generator) -> list[Tensor]:
    return [
        value.clone()
        for norm in batch_norms(generator)
        for value in (norm.running_mean, norm.running_var)
        if value is not None
    ]


def test_statistics_are_the_same_again_whatever_happened_before() -> None:
    state, _ = train(tiny_config(), 2)
    average = state.average
    average.estimate_statistics(0, "cpu")
    first = statistics(average.generator)
    for norm in batch_norms(average.generator):
        assert norm.running_mean is not None
        norm.running_mean.fill_(77.0)
        norm.momentum = 0.9
    torch.manual_seed(5)
    average.estimate_statistics(0, "cpu")
    assert all(torch.equal(a, b) for a, b in zip(first, statistics(average.generator), strict=True))
    average.estimate_statistics(1, "cpu")
    assert not any(torch.equal(a, b) for a, b in zip(first, statistics(average.generator), strict=True))


def test_estimating_leaves_weights_mode_and_global_randomness_alone() -> None:
    state, _ = train(tiny_config(), 2)
    weights = [p.clone() for p in state.average.generator.parameters()]
    of_generator = statistics(state.generator)
    before = torch.random.get_rng_state()
    state.average.estimate_statistics(0, "cpu")
    assert torch.equal(before, torch.random.get_rng_state())
    assert all(torch.equal(a, b) for a, b in zip(weights, state.average.generator.parameters(), strict=True))
    assert all(torch.equal(a, b) for a, b in zip(of_generator, statistics(state.generator), strict=True))
    assert not any(module.training for module in state.average.generator.modules())


@pytest.mark.parametrize("family", [TINY, Mlp(latent=8, generator_widths=(16, 16))], ids=["dcgan", "mlp"])
def test_statistics_are_those_of_a_big_sample(family: Mlp) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        generator = family.generator(SPEC).requires_grad_(False)
    big = copy.deepcopy(generator).train()
    for norm in batch_norms(big):
        norm.momentum = 1.0
    big(draw_noise(big.noise, 20_000, Key(99)))
    average = AverageGenerator(generator)
    average.estimate_statistics(0, "cpu")
    norms = list(zip(batch_norms(average.generator), batch_norms(big), strict=True))
    assert norms
    for ours, theirs in norms:
        assert isinstance(ours.running_mean, Tensor)
        assert isinstance(theirs.running_mean, Tensor)
        assert ours.running_var is not None
        assert theirs.running_var is not None
        deviation = theirs.running_var.sqrt()
        assert ((ours.running_mean - theirs.running_mean).abs() < 0.1 * deviation).all()
        torch.testing.assert_close(ours.running_var, theirs.running_var, rtol=0.15, atol=1e-6)


def test_a_generator_without_batch_statistics_is_left_as_it_is() -> None:
    average = pair(1.0, 1.0)
    assert not any(isinstance(m, nn.BatchNorm1d) for m in average.generator.modules())
    average.estimate_statistics(0, "cpu")
    assert level(average) == 1.0


def test_buffers_other_than_batch_statistics_are_copied() -> None:
    state = initial_state(tiny_config(), tiny_dataset().codec.spec)
    state.generator.register_buffer("memory", torch.zeros(2))
    average = AverageGenerator(state.generator)
    state.generator.memory.fill_(3.0)  # type: ignore[operator]
    average.update(8, 8, 100.0)
    assert torch.equal(average.generator.memory, torch.full((2,), 3.0))  # type: ignore[arg-type]
