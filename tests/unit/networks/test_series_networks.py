"""What generators of series promise beside what every family does."""

from __future__ import annotations

import pytest
import torch
from support import series_spec
from torch import Tensor

from ganwright.data.series.layout import SeriesLayout
from ganwright.model.noise import draw_noise
from ganwright.networks.base import NETWORKS, Generator
from ganwright.runtime.keys import Key

FAMILIES = ["conv_series", "recurrent_series"]
every_family = pytest.mark.parametrize("name", FAMILIES)


def made(generator: Generator, count: int = 32, seed: int = 0) -> Tensor:
    return generator(draw_noise(generator.noise, count, Key(seed))).raw


def built(name: str) -> Generator:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return NETWORKS.get(name)().generator(series_spec())


@every_family
def test_what_holds_for_a_series_is_the_same_at_every_step(name: str) -> None:
    layout = SeriesLayout(series_spec())
    x = made(built(name))[:, : layout.statics.width]
    assert torch.equal(x, x[:, :, :1].expand_as(x))


@every_family
def test_courses_are_about_zero_until_the_end_and_nothing_behind_it(name: str) -> None:
    layout = SeriesLayout(series_spec())
    _, steps = layout.split(made(built(name)))
    alive = steps[:, :, -2]
    lengths = alive.sum(1)
    assert set(alive.detach().round().unique().tolist()) == {0.0, 1.0}
    assert lengths.min() >= 1
    assert bool((alive.diff(dim=1) <= 1e-6).all()), "what has ended does not go on"
    courses = steps[:, :, :2]
    torch.testing.assert_close(courses.sum(1), torch.zeros(32, 2), atol=1e-4, rtol=0)
    assert not steps[:, :, :-2][alive.round() == 0].abs().gt(1e-5).any()
    assert (courses.square().sum(1) / lengths[:, None]).max() < 1.001


@every_family
def test_a_word_is_one_of_those_that_there_are(name: str) -> None:
    layout = SeriesLayout(series_spec())
    _, steps = layout.split(made(built(name)))
    sky = steps[:, :, 4:7][steps[:, :, -2].round() == 1].detach()
    torch.testing.assert_close(sky.sort(1).values, torch.tensor([0.0, 0.0, 1.0]).expand_as(sky), atol=1e-5, rtol=0)


@every_family
def test_the_end_is_learned(name: str) -> None:
    """Through all the choices before it."""
    generator = built(name)
    _, steps = SeriesLayout(series_spec()).split(made(generator))
    steps[:, :, -1].sum().backward()
    assert all(p.grad is not None for p in generator.exit.parameters())  # type: ignore[union-attr, operator]
    assert any(float(p.grad.abs().max()) > 0 for p in generator.exit.parameters())  # type: ignore[union-attr, operator]


@pytest.mark.parametrize("steps", [1, 2, 4])
def test_a_cell_may_draw_several_steps(steps: int) -> None:
    generator = NETWORKS.get("recurrent_series")(steps=steps).generator(series_spec())
    assert generator.noise["cells"].shape[0] == -(-9 // steps)
    assert made(generator).shape == (32, *series_spec().shape)
