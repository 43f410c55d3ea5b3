from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from support import text_spec, tiny_config, tiny_texts, train
from torch import Tensor

from ganwright.core.schedule import Schedule
from ganwright.data.spec import DataSpec
from ganwright.model.noise import draw_noise
from ganwright.networks.recurrent import Recurrent, RecurrentGenerator, drawn
from ganwright.optimizers.adam import Adam
from ganwright.regularizers.teaching import Teaching
from ganwright.runtime.keys import Key

SMALL = Recurrent(latent=4, width=16, symbol_width=8, discriminator_width=8, blocks=1)
SPEC = text_spec("linear")


def generator(spec: DataSpec = SPEC) -> RecurrentGenerator:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        made = SMALL.generator(spec)
    assert isinstance(made, RecurrentGenerator)
    for weight in made.parameters():
        weight.data.mul_(3)
    return made


def test_what_is_written_is_one_symbol_a_place_and_nothing_behind_the_end() -> None:
    made = generator()
    x = made(draw_noise(made.noise, 64, Key(0))).raw
    assert torch.equal(x.detach().round().sum(1), torch.ones(64, SPEC.shape[1]))
    numbers = x.argmax(1)
    ended = (numbers == 0).cumsum(1) > 0
    assert ended.any()
    assert bool((numbers[ended] == 0).all())


def test_with_and_without_gradient_the_same_is_written() -> None:
    made = generator()
    noise = draw_noise(made.noise, 32, Key(1))
    with torch.no_grad():
        still = made(noise).raw
    torch.testing.assert_close(made(noise).raw, still)


def test_likelihoods_of_all_texts_are_one_together() -> None:
    """Of three symbols and three places, with the end where a text ends."""
    spec = DataSpec("text", (3, 3), "linear")
    made = generator(spec)
    texts: list[list[int]] = []
    for numbers in itertools.product(range(3), repeat=3):
        ended = list(itertools.accumulate((number == 0 for number in numbers), max))
        if all(number == 0 for number, end in zip(numbers, ended, strict=True) if end):
            texts.append(list(numbers))
    x = torch.nn.functional.one_hot(torch.tensor(texts), 3).transpose(1, 2).float()
    for key in range(3):
        latent = draw_noise(made.noise, 1, Key(key))["latent"].expand(len(x), -1)
        torch.testing.assert_close(made.log_likelihood(x, {"latent": latent}).exp().sum(), torch.tensor(1.0))


def test_texts_come_as_often_as_they_are_likely() -> None:
    spec = DataSpec("text", (3, 2), "linear")
    made = generator(spec)
    noise = draw_noise(made.noise, 20_000, Key(2))
    noise["latent"] = noise["latent"][:1].expand_as(noise["latent"])
    with torch.no_grad():
        x = made(noise).raw
        likely = made.log_likelihood(x, noise).exp()
    for row in torch.unique(x, dim=0):
        same = (x == row).all(2).all(1)
        assert abs(float(same.float().mean()) - float(likely[same][0])) < 0.015


def test_a_gradient_reaches_the_probabilities_of_what_was_not_chosen() -> None:
    made = generator()
    x = made(draw_noise(made.noise, 8, Key(3))).raw
    wish = torch.zeros_like(x)
    wish[:, 5] = 1
    (x * wish).sum().backward()
    assert made.write.bias.grad is not None
    assert float(made.write.bias.grad[5]) > 0


def test_the_temperature_of_gradients_follows_its_schedule() -> None:
    family = replace(SMALL, temperature=Schedule(2.0, 0.5, curve="linear"))
    config = tiny_config(network=family, batch=16, total_samples=160)
    state, _ = train(config, 6, tiny_texts())
    assert isinstance(state.generator, RecurrentGenerator)
    assert state.generator.temperature == pytest.approx(2.0 - 1.5 * 5 / 10)  # as it was when the sixth step began
    with pytest.raises(ValueError, match=r"0\.001"):
        replace(SMALL, temperature=Schedule(1.0, 0.001))


def test_a_low_temperature_writes_what_is_likeliest() -> None:
    made = generator().eval()
    noise = draw_noise(made.noise, 64, Key(4))
    with torch.no_grad():
        usual, sharp = made(noise).raw, made({**noise, "temperature": torch.full((64,), 0.05)}).raw
        assert float(made.log_likelihood(sharp, noise).mean()) > float(made.log_likelihood(usual, noise).mean())
        assert torch.equal(made({**noise, "temperature": torch.ones(64)}).raw, usual)


def test_chances_choose_in_the_shares_of_the_probabilities() -> None:
    logits = torch.tensor([[0.5, 0.3, 0.2]]).log()
    chances = torch.linspace(0, 0.9999, 1000)
    found = drawn(logits.expand(1000, 3), chances)
    assert np.bincount(found.numpy()).tolist() == [500, 300, 200]


def test_teaching_brings_the_likelihood_of_the_data_up() -> None:
    teaching, optimizer = Teaching(weight=Schedule(1.0, 0.5)), Adam(learning_rate=1e-2)
    config = tiny_config(network=SMALL, batch=16, regularizers=(teaching,), generator_optimizer=optimizer)
    data = tiny_texts()
    x = data.codec.expand(data.some(64))

    def likelihood(steps: int) -> Tensor:
        """Of latents that nothing was trained with, as samples have them."""
        state, _ = train(config, steps, data)
        return state.generator.log_likelihood(x, draw_noise(state.generator.noise, len(x), Key(99))).mean()

    assert float(likelihood(40)) > float(likelihood(1)) + 5
