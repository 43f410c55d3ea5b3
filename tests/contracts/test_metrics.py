"""What holds for every measure, whoever wrote it."""

from __future__ import annotations

import math
from dataclasses import astuple, replace

import numpy as np
import pytest
import torch
from support import tiny_lines
from torch import Tensor

from ganwright.data.series.values import SeriesValues
from ganwright.data.spec import Condition
from ganwright.data.table_rows import TableRows
from ganwright.data.texts.lines import Texts
from ganwright.metrics.base import (
    METRICS,
    Comparison,
    Described,
    Evidence,
    Metric,
    NotMeasurable,
    RowComparison,
    SeriesComparison,
)
from ganwright.metrics.parts.measurement import Measurement

ROW_COMPARISONS = [name for name in METRICS if issubclass(METRICS.get(name), RowComparison)]
SERIES_COMPARISONS = [name for name in METRICS if issubclass(METRICS.get(name), SeriesComparison)]
COMPARISONS = [name for name in METRICS if issubclass(METRICS.get(name), Comparison)]
every_metric = pytest.mark.parametrize("name", METRICS.names())
every_comparison = pytest.mark.parametrize("name", COMPARISONS)


def features(count: int, seed: int, dimensions: int = 8, mean: float = 0.0, scale: float = 1.0) -> Tensor:
    draw = np.random.default_rng(seed).normal(mean, scale, (count, dimensions))
    return torch.from_numpy(draw.astype(np.float32))


def described(count: int, seed: int, mean: float = 0.0, scale: float = 1.0) -> Described:
    texts = Texts(tuple(tiny_lines(count, seed)), "words")
    natural = rows(count, seed, mean, scale), texts, courses(count, seed, mean, scale)
    return Described(features(count, seed, mean=mean, scale=scale), np.arange(count) % 2, *natural)


def courses(count: int, seed: int, mean: float, scale: float) -> SeriesValues:
    """Series of two columns of up to six steps, with gaps and of different lengths."""
    draw = np.random.default_rng(seed + 2000)
    values = np.cumsum(draw.normal(mean, scale, (count, 6, 2)), 1)
    values[draw.random((count, 6, 2)) < 0.1] = np.nan
    lengths = 4 + np.arange(count) % 3
    values[np.arange(6) >= lengths[:, None]] = np.nan
    return SeriesValues(values, lengths, ("open", "close"))


def rows(count: int, seed: int, mean: float, scale: float) -> TableRows:
    """A table of two columns of numbers and two of words, with gaps and with a word that is rare."""
    draw = np.random.default_rng(seed + 1000)
    number = draw.normal(mean, scale, count)
    gaps = np.where(draw.random(count) < 0.1, np.nan, number + draw.normal(0, 0.5, count))
    words = np.where(number > 0, "a", "b").astype(object)
    words[0] = "rare"
    other = np.array(["x", "y", None], object)[draw.integers(0, 3, count)]
    kinds = {"number": "decimal", "gaps": "decimal", "other": "category", "word": "category"}
    return TableRows({"number": number, "gaps": gaps, "other": other, "word": words}, kinds)


def evidence(train: int = 120, fake: int = 100, held_out: int = 60) -> Evidence:
    condition = Condition("label", ("a", "b"))
    return Evidence(described(train, 0), described(fake, 1, 0.3), described(held_out, 2), unseen=True, condition=condition)


def measured(name: str, seen: Evidence) -> dict[str, Measurement]:
    metric: Metric = METRICS.get(name)()
    return metric.measure(seen)


def comparison(name: str) -> Comparison:
    return METRICS.get(name)()


@every_metric
def test_a_measurement_says_all_that_is_needed_to_read_it(name: str) -> None:
    found = measured(name, evidence())
    assert found
    for each in found.values():
        assert math.isfinite(each.value)
        assert len(each.protocol) > 20
        assert not each.protocol.endswith(".")
        assert (each.count, each.reference > 0) == (100, True)
        assert each.error is None or (math.isfinite(each.error) and each.error >= 0)
        assert each.floor is not None
        # Of n-grams the samples are held against held-out texts, and training texts take their place.
        assert each.floor_count == (100 if name == "ngrams" else 60)


@every_metric
def test_measuring_again_gives_the_same(name: str) -> None:
    seen = evidence()
    assert measured(name, seen) == measured(name, seen)
    before = seen.fake.features.clone()
    measured(name, seen)
    assert torch.equal(before, seen.fake.features)


@every_metric
def test_another_seed_moves_errors_and_not_values(name: str) -> None:
    first, second = measured(name, evidence()), measured(name, replace(evidence(), seed=1))
    assert {key: each.value for key, each in first.items()} == {key: each.value for key, each in second.items()}


@every_comparison
def test_the_order_of_records_means_nothing(name: str) -> None:
    real, fake = features(90, 3), features(80, 4, mean=0.3)
    turned = torch.from_numpy(np.random.default_rng(0).permutation(80))
    expected = comparison(name).compare(real, fake)
    assert comparison(name).compare(real.flip(0), fake[turned]) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@every_comparison
def test_every_value_says_what_is_better(name: str) -> None:
    metric = comparison(name)
    assert set(metric.compare(features(40, 5), features(40, 6))) == set(metric.better)


@every_comparison
def test_samples_like_the_real_records_are_better_than_others(name: str) -> None:
    metric = comparison(name)
    real, good, bad = features(200, 7), features(200, 8), features(100, 9, mean=1.5, scale=0.3).repeat(2, 1)
    near, far = metric.compare(real, good), metric.compare(real, bad)
    for key, better in metric.better.items():
        if better == "lower":
            assert near[key] < far[key], key
        elif better == "higher":
            assert near[key] > far[key], key
        else:
            assert abs(near[key] - 1) < abs(far[key] - 1), key


@every_comparison
@pytest.mark.parametrize("case", ["same", "one sample again and again", "wide", "tiny numbers", "large numbers", "few"])
def test_odd_sets_give_finite_values(name: str, case: str) -> None:
    real, fake = {
        "same": (features(40, 10), features(40, 10)),
        "one sample again and again": (features(40, 11), torch.ones(40, 8)),
        "wide": (features(15, 12, dimensions=64), features(12, 13, dimensions=64)),
        "tiny numbers": (features(40, 14, scale=1e-12), features(40, 15, scale=1e-12)),
        "large numbers": (features(40, 16, mean=1e6), features(40, 17, mean=1e6)),
        "few": (features(10, 18), features(10, 19)),
    }[case]
    found = measured(name, Evidence(Described(real), Described(fake), Described(real.flip(0))))
    for each in found.values():
        numbers = [value for value in astuple(each) if isinstance(value, float)]
        assert all(math.isfinite(value) for value in numbers), (case, numbers)


@every_comparison
def test_records_that_all_look_the_same_give_finite_values_or_a_reason(name: str) -> None:
    same = Described(torch.ones(30, 4))
    if name == "diversity":  # Nothing can be held against no difference at all.
        with pytest.raises(NotMeasurable, match="same"):
            measured(name, Evidence(same, same, same))
    else:
        assert all(math.isfinite(each.value) for each in measured(name, Evidence(same, same, same)).values())


@every_comparison
def test_subsets_are_measured_together_as_one_by_one(name: str) -> None:
    metric = METRICS.get(name)(sigma=4.0) if name == "cmmd" else comparison(name)
    real, fake = features(70, 22), features(60, 23, mean=0.3)
    draw = np.random.default_rng(0)
    drawn = [(torch.from_numpy(draw.permutation(70)[:30]), torch.from_numpy(draw.permutation(60)[:25])) for _ in range(3)]
    for each, (a, b) in zip(metric.compare_subsets(real, fake, drawn), drawn, strict=True):
        assert each == pytest.approx(metric.compare(real[a], fake[b]), rel=1e-9, abs=1e-9)


@every_comparison
def test_too_few_records_are_told_of(name: str) -> None:
    few, enough = Described(features(comparison(name).fewest - 1, 20)), Described(features(50, 21))
    for seen in (Evidence(few, enough), Evidence(enough, few)):
        with pytest.raises(NotMeasurable, match="records of each side"):
            measured(name, seen)


@every_comparison
def test_fewer_held_out_records_than_samples_are_held_against_as_many_samples(name: str) -> None:
    for each in measured(name, evidence(fake=100, held_out=40)).values():
        assert each.floor_count == 40
        assert each.at_floor_count is not None
    for each in measured(name, evidence(fake=60, held_out=100)).values():
        assert each.at_floor_count == each.value


@pytest.mark.parametrize("name", ["frechet", "kernel", "precision_recall", "density_coverage", "diversity"])
def test_the_error_is_the_scatter_over_draws(name: str) -> None:
    """Of values, not of the error itself: some of these draws give an error that is a third off."""

    def one(i: int) -> dict[str, Measurement]:
        return measured(
            name, Evidence(Described(features(200, 100 + 2 * i)), Described(features(200, 101 + 2 * i, mean=0.3)))
        )

    def values(i: int) -> dict[str, float]:
        return comparison(name).compare(features(200, 300 + 2 * i), features(200, 301 + 2 * i, mean=0.3))

    scatter, estimates = [values(i) for i in range(40)], [one(i) for i in range(6)]
    for key in estimates[0]:
        if key == "duplicates":
            continue
        true = float(np.std([each[key] for each in scatter], ddof=1))
        told = float(np.mean([each[key].error or 0.0 for each in estimates]))
        assert true / 1.5 < told < true * 1.5, (key, true, told)


@pytest.mark.parametrize("name", ROW_COMPARISONS)
def test_rows_like_the_real_ones_are_better_than_others(name: str) -> None:
    metric: RowComparison = METRICS.get(name)()
    real, near, far = (described(800, seed, *about) for seed, about in ((0, ()), (1, ()), (2, (2.0, 0.2))))
    tables = Evidence(real, near, far).tables
    assert tables.held_out is not None
    compare = metric.against(tables.train)
    good, bad = compare(tables.fake), compare(tables.held_out)
    assert set(good) == set(metric.better) == set(metric.protocols(tables.train))
    worse = [key for key in good if abs(bad[key] - compare(tables.train)[key]) > abs(good[key] - compare(tables.train)[key])]
    assert worse or name == "rare"  # The rare word comes once in each of them.


@pytest.mark.parametrize("name", ["shapes", "trends", "detection", "utility", "rare", "exact_copies"])
def test_what_is_measured_of_rows_needs_some(name: str) -> None:
    without = Described(features(60, 0))
    with pytest.raises(NotMeasurable, match="no rows with columns"):
        measured(name, Evidence(without, without, without, unseen=True))


@pytest.mark.parametrize("name", ["ngrams", "repetition", "wording"])
def test_what_is_measured_of_texts_needs_some(name: str) -> None:
    without = Described(features(60, 0))
    with pytest.raises(NotMeasurable, match="no texts"):
        measured(name, Evidence(without, without, without, unseen=True))


@pytest.mark.parametrize("name", ["told_apart", "foresight", "courses", "marginals"])
def test_what_is_measured_of_series_needs_some(name: str) -> None:
    without = Described(features(60, 0))
    with pytest.raises(NotMeasurable, match="no time series"):
        measured(name, Evidence(without, without, without, unseen=True))


@pytest.mark.parametrize("name", [*ROW_COMPARISONS, *SERIES_COMPARISONS])
def test_fewer_held_out_rows_than_samples_are_held_against_as_many_samples(name: str) -> None:
    for each in measured(name, evidence(fake=100, held_out=40)).values():
        assert each.floor_count == 40
        assert each.at_floor_count is not None
    for each in measured(name, evidence(fake=60, held_out=100)).values():
        assert each.at_floor_count == each.value
