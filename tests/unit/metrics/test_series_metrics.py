"""Measures of series: what they see, and what they do not."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ganwright.data.series.values import SeriesValues
from ganwright.metrics.base import Described, Evidence
from ganwright.metrics.courses import Courses
from ganwright.metrics.foresight import Foresight
from ganwright.metrics.marginals import Marginals
from ganwright.metrics.parts.post_hoc import Apart, Scaled, Training, for_each, look_ahead, tell_apart
from ganwright.metrics.told_apart import ToldApart
from ganwright.runtime.keys import Key


def waves(count: int, seed: int, period: float = 8, noise: float = 0.2, apart: float = 0.5, gaps: float = 0) -> SeriesValues:
    """Two columns, the second behind the first by a part of a period."""
    draw = np.random.default_rng(seed)
    at = np.arange(16)[None] + draw.uniform(0, period, (count, 1))
    columns = [np.sin(2 * np.pi * (at - shift) / period) for shift in (0, apart)]
    values = np.stack(columns, 2) + noise * draw.normal(size=(count, 16, 2))
    values[draw.random(values.shape) < gaps] = np.nan
    return SeriesValues(values, np.full(count, 16), ("first", "second"))


def described(series: SeriesValues) -> Described:
    return Described(torch.zeros(len(series), 1), series=series)


def evidence(fake: SeriesValues) -> Evidence:
    return Evidence(described(waves(300, 0)), described(fake), described(waves(100, 1)))


def test_other_courses_are_told_apart_and_equal_ones_are_not() -> None:
    metric = ToldApart(iterations=120)
    near, far = (metric.measure(evidence(each)) for each in (waves(300, 2), waves(300, 3, period=4)))
    assert far["told_apart"].value > 0.9
    assert far["discriminative"].value > 0.3
    assert near["discriminative"].value < 0.12
    floor = near["told_apart"].floor
    assert floor is not None
    assert abs(floor - 0.5) < 0.2


def test_what_is_learned_from_noise_does_not_hold_for_series() -> None:
    metric = Foresight(iterations=150)
    good, bad = (metric.measure(evidence(each))["predictive"] for each in (waves(300, 2), waves(300, 3, noise=3)))
    assert good.floor is not None
    assert good.value < good.floor + 0.03
    assert bad.value > good.value + 0.03


def test_judges_are_the_same_each_time_and_leave_the_random_state_alone() -> None:
    real, fake = waves(80, 0), waves(80, 1)
    before = torch.get_rng_state()
    how, key = Training(20, 0.01), Key(0)
    assert tell_apart(real, fake, Scaled(real), how, key) == tell_apart(real, fake, Scaled(real), how, key)
    assert look_ahead(fake, real, Scaled(real), how, key) == look_ahead(fake, real, Scaled(real), how, key)
    assert torch.equal(torch.get_rng_state(), before)


def test_figures_do_not_depend_on_how_many_judges_learn_at_once() -> None:
    real, fake = waves(80, 0), waves(80, 1)
    how, before = Training(20, 0.01), torch.get_num_threads()
    keys = [Key(0, step=seed) for seed in range(5)]
    found: list[list[Apart]] = []
    for threads in (1, 2, 4):
        torch.set_num_threads(threads)
        found.append(for_each(keys, lambda key: tell_apart(real, fake, Scaled(real), how, key)))
        assert torch.get_num_threads() == threads
    torch.set_num_threads(before)
    assert found[0] == found[1] == found[2]
    assert len({each.auc for each in found[0]}) > 1


def test_autocorrelation_is_that_of_the_series() -> None:
    """Of white noise about its own mean; of a wave the cosine, about."""
    measured = Courses().against(waves(2000, 0, noise=0))
    assert measured(waves(2000, 1, noise=0))["autocorrelation"] < 0.02
    assert measured(waves(2000, 1, noise=0, period=4))["autocorrelation"] > 0.3


def test_correlations_tell_columns_that_go_together() -> None:
    measured = Courses().against(waves(500, 0))
    assert measured(waves(500, 1))["cross_correlation"] < 0.05
    assert measured(waves(500, 1, apart=4))["cross_correlation"] > 0.5


@pytest.mark.parametrize(("shift", "expected"), [(0.0, 0.0), (1.0, 1.0)])
def test_marginals_are_distances_in_deviations(shift: float, expected: float) -> None:
    real, fake = waves(500, 0), waves(500, 1)
    moved = SeriesValues(fake.values + shift * real.values.std((0, 1)), fake.lengths, fake.names)
    assert Marginals().against(real)(moved)["marginals"] == pytest.approx(expected, abs=0.05)


def test_gaps_are_measured_where_there_are_some() -> None:
    gappy = waves(300, 0, gaps=0.3)
    measured = Marginals().against(gappy)
    assert measured(waves(300, 1, gaps=0.3))["missing_steps"] < 0.03
    assert measured(waves(300, 1))["missing_steps"] == pytest.approx(0.3, abs=0.03)
    assert "missing_steps" not in Marginals().against(waves(300, 0))(gappy)
    apart = tell_apart(gappy, waves(300, 1), Scaled(gappy), Training(80, 0.01), Key(0))
    assert apart.auc > 0.9, "gaps give series away"
