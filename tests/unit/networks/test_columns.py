"""The pair that draws rows in passes."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from support import table_spec
from torch import Tensor

from ganwright.data.blocks import KNOWN, BlockLayout
from ganwright.data.sampler import KnownColumns
from ganwright.model.noise import draw_noise
from ganwright.networks.columns import ColumnGenerator, Columns
from ganwright.runtime.keys import Key

SPEC = replace(table_spec(), output="linear")
LAYOUT = BlockLayout(SPEC.blocks)


def generator() -> ColumnGenerator:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        found = Columns(latent=4, width=16, discriminator_widths=(16,)).generator(SPEC)
    assert isinstance(found, ColumnGenerator)
    return found


def noise(network: ColumnGenerator, count: int, seed: int = 0) -> dict[str, Tensor]:
    return draw_noise(network.noise, count, Key(seed))


def rows(count: int) -> Tensor:
    return generator().eval()(noise(generator().eval(), count, 7)).raw.detach()


def test_what_it_draws_is_a_row() -> None:
    x = rows(200)
    packed = LAYOUT.pack(x)
    torch.testing.assert_close(LAYOUT.expand(packed), x)
    assert x.abs().max() <= 1


def test_in_training_it_draws_what_is_asked_and_leaves_the_rest_empty() -> None:
    network, real = generator().train(), rows(64)
    known, drawn = (torch.from_numpy(mask) for mask in KnownColumns().draw(Key(0), 64, LAYOUT.passes))
    x = network(noise(network, 64), {KNOWN: LAYOUT.told(real, known, drawn)}).raw
    assert torch.equal(LAYOUT.masked(x, known), LAYOUT.masked(real, known))
    assert not LAYOUT.masked(x, 1 - known - drawn).any()
    modes = LAYOUT.masked(x, drawn) * LAYOUT.on(x.device).is_mode
    written = LAYOUT.on(x.device).written.float()
    torch.testing.assert_close(modes.detach().sum(1), (drawn * written).sum(1))


def test_the_gradient_of_a_choice_is_that_of_the_soft_one() -> None:
    network = generator().train()
    x = network(noise(network, 32)).raw
    assert set(x.detach()[:, LAYOUT.on(x.device).is_mode].unique().tolist()) <= {0.0, 1.0}
    (slope,) = torch.autograd.grad((x * torch.randn_like(x)).sum(), network.exit.weight)
    assert (slope.abs().sum(1) > 0).all(), "every logit learns"


def test_known_columns_are_kept_in_sampling() -> None:
    network, real = generator().eval(), rows(50)
    known = torch.zeros(50, LAYOUT.columns)
    known[:, [0, 3]] = 1
    x = network(noise(network, 50, 1), {KNOWN: LAYOUT.told(real, known, 1 - known)}).raw
    assert torch.equal(LAYOUT.masked(x, known), LAYOUT.masked(real, known))
    assert not torch.equal(x, real)


def test_a_word_is_drawn_given_what_was_drawn_before_it() -> None:
    """Another number changes the logits of the words, another later word does not change earlier ones."""
    network, real = generator().eval(), rows(20)
    other = real.clone()
    other[:, -2:] = other[:, [-1, -2]]  # the last column's two modes
    draw = noise(network, 20, 2)
    free = torch.zeros(20, LAYOUT.columns)
    last = free.clone()
    last[:, -1] = 1
    first = [network(draw, {KNOWN: LAYOUT.told(x, last, 1 - last)}).raw for x in (real, other)]
    assert not torch.equal(first[0][:, :-2], first[1][:, :-2]), "what is known is heard by all passes"


def test_the_likelihood_is_of_words_that_are_drawn_only() -> None:
    network, real = generator().train(), rows(64)
    known, drawn = (torch.from_numpy(mask) for mask in KnownColumns().draw(Key(0), 64, LAYOUT.passes))
    extras = network(noise(network, 64), {KNOWN: LAYOUT.told(real, known, drawn)}).extras
    words = torch.tensor([not block.number for block in SPEC.blocks])
    assert torch.equal(extras["drawn"] > 0, ((drawn > 0) & words)[:, LAYOUT.on(drawn.device).column_of])
    assert extras["log_probabilities"].shape == (64, LAYOUT.width)


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan"), 1e9])
def test_an_absurd_temperature_is_refused(temperature: float) -> None:
    with pytest.raises(ValueError, match="temperature"):
        Columns(temperature=temperature)
