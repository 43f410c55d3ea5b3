"""Copies are found, and what is merely typical or smooth is not called one."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import scipy.stats
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from ganwright.data.preparation import prepare
from ganwright.metrics.base import Described, Evidence, NotMeasurable
from ganwright.metrics.memorisation import Memorisation, nearness
from ganwright.metrics.parts.rank_test import rank_test


def normal(count: int, dimensions: int, seed: int, scale: float = 1.0) -> Tensor:
    draw = np.random.default_rng(seed).normal(0, scale, (count, dimensions))
    return torch.from_numpy(draw.astype(np.float32))


def measured(train: Tensor, fake: Tensor, held_out: Tensor) -> dict[str, float]:
    evidence = Evidence(Described(train), Described(fake), Described(held_out), unseen=True)
    return {name: each.value for name, each in Memorisation().measure(evidence).items()}


def test_the_rank_test_is_that_of_another_library() -> None:
    draw = np.random.default_rng(0)
    for shift, ties in ((0.0, False), (0.4, False), (0.4, True), (-1.0, True)):
        a, b = draw.normal(size=60) - shift, draw.normal(size=45)
        a, b = (np.round(a), np.round(b)) if ties else (a, b)
        expected = scipy.stats.mannwhitneyu(a, b, alternative="less", method="asymptotic")
        found = rank_test(a, b)
        assert found.p == pytest.approx(expected.pvalue, rel=1e-9)
        assert found.smaller == pytest.approx(1 - expected.statistic / (60 * 45), rel=1e-12)


def test_strata_of_the_rank_test_are_compared_apart() -> None:
    draw = np.random.default_rng(1)
    strata, others = draw.integers(0, 3, 300), draw.integers(0, 3, 200)
    a, b = draw.normal(size=300) + 10 * strata, draw.normal(size=200) + 10 * others
    within = [rank_test(a[strata == s], b[others == s]).smaller * (strata == s).mean() for s in range(3)]
    assert rank_test(a, b, strata, others).smaller == pytest.approx(sum(within))
    # One stratum without others is left out, and without any common one nothing can be said.
    assert rank_test(a, b[others > 0], strata, others[others > 0]).smaller == pytest.approx(
        rank_test(a[strata > 0], b[others > 0], strata[strata > 0], others[others > 0]).smaller
    )
    assert rank_test(a, b, strata, others + 5).p == 0.5


def test_the_rank_test_is_level_and_knows_its_error() -> None:
    draw = np.random.default_rng(2)

    def one() -> tuple[float, float, float]:
        strata, others = draw.integers(0, 4, 120), draw.integers(0, 4, 90)
        found = rank_test(draw.normal(size=120) - 0.3, draw.normal(size=90), strata, others)
        null = rank_test(draw.normal(size=120), draw.normal(size=90), strata, others)
        return found.smaller, found.error, null.p

    smaller, errors, p = np.array([one() for _ in range(300)]).T
    assert np.mean(errors) == pytest.approx(np.std(smaller), rel=0.2)
    assert scipy.stats.kstest(p, "uniform").pvalue > 0.01


def test_numbers_that_are_all_the_same_say_nothing() -> None:
    found = rank_test(np.ones(30), np.ones(20))
    assert (found.smaller, found.p) == (0.5, 0.5)


def test_copies_are_found_and_fresh_records_are_not() -> None:
    train, held_out, fresh = normal(500, 10, 0), normal(200, 10, 1), normal(300, 10, 2)
    copies = measured(train, train[:300], held_out)
    assert (copies["copying"], copies["copies"]) == (1.0, 1.0)
    assert copies["copying_p"] < 1e-20
    noisy = measured(train, train[:300] + normal(300, 10, 3, 0.1), held_out)
    assert noisy["copying"] > 0.95
    assert noisy["copies"] > 0.8
    clean = measured(train, fresh, held_out)
    assert clean["copying"] == pytest.approx(0.5, abs=0.1)
    assert clean["copying_p"] > 0.01
    assert clean["copies"] < 0.04
    some = measured(train, torch.cat([train[:30], fresh[:270]]), held_out)
    assert some["copies"] > clean["copies"] + 0.08


def test_p_values_of_fresh_records_are_uniform() -> None:
    train = normal(300, 6, 4)
    p = [measured(train, normal(100, 6, 100 + i), normal(80, 6, 900 + i))["copying_p"] for i in range(100)]
    assert scipy.stats.kstest(p, "uniform").pvalue > 0.01


def test_samples_that_are_only_typical_are_no_copies() -> None:
    """Shrunk towards the mean, every sample is nearer to the training records than a held-out record is."""
    train, held_out, fresh = normal(800, 12, 5), normal(300, 12, 6), normal(300, 12, 7)
    shrunk = 0.6 * fresh
    plain = [float(nearness(each, train).distances.median()) for each in (shrunk, held_out)]
    assert plain[0] < 0.85 * plain[1]
    found = measured(train, shrunk, held_out)
    assert found["copying"] < 0.6
    assert found["copies"] < 0.03


def test_twins_among_the_training_records_hide_no_copies() -> None:
    train, held_out = normal(300, 10, 8), normal(200, 10, 9)
    expected = measured(train, train[:200] + normal(200, 10, 10, 0.02), held_out)
    twins = measured(train.repeat(9, 1), train[:200] + normal(200, 10, 10, 0.02), held_out)
    assert twins == pytest.approx(expected)
    nearly = torch.cat([train, torch.nextafter(train, torch.full_like(train, torch.inf))])
    assert measured(nearly, train[:200], held_out)["copies"] == 1


def test_nearness_tells_which_record_was_copied_and_which_samples_look_most_copied() -> None:
    train, fake = normal(200, 8, 11), normal(50, 8, 12)
    fake[7], fake[30] = train[123], train[45] + 0.01
    found = nearness(fake, train.repeat(2, 1))
    assert (int(found.places[7]), float(found.distances[7])) == (123, 0.0)
    assert found.most_copied[:2].tolist() == [7, 30]
    assert int(found.places[30]) == 45
    assert float(found.ratios.min()) == 0
    assert float(found.ratios.max()) <= 1


def test_what_is_missing_is_said_with_what_to_do() -> None:
    train, few, enough = Described(normal(50, 4, 13)), Described(normal(19, 4, 14)), Described(normal(30, 4, 15))
    for evidence, words in (
        (Evidence(train, enough, None, unseen=True), "held out"),
        (Evidence(train, enough, enough, unseen=False), "never saw"),
        (Evidence(train, enough, few, unseen=True), "hold out more"),
        (Evidence(train, few, enough, unseen=True), "draw more"),
        (Evidence(train.first(5), enough, enough, unseen=True), "training records"),
    ):
        with pytest.raises(NotMeasurable, match=words):
            Memorisation().measure(evidence)


def test_few_held_out_records_make_a_floor_that_they_can_show() -> None:
    evidence = Evidence(
        Described(normal(200, 5, 16)), Described(normal(100, 5, 17)), Described(normal(24, 5, 18)), unseen=True
    )
    copies = Memorisation().measure(evidence)["copies"]
    assert copies.floor == pytest.approx(1 / 25)
    assert copies.floor_error == pytest.approx(math.sqrt(1 / 25 * 24 / 25 / 26))


def test_pictures_that_are_blurred_or_blended_are_no_copies(shared_data: Callable[[str], Path], tmp_path: Path) -> None:
    """Real cats at 8x8 pixels: held-out ones, copies, and what plain nearest distances take for copies."""
    packed = prepare(shared_data("images/cats64.zip"), limit=1600, cache=tmp_path)
    pixels = torch.from_numpy(np.array(packed.columns["x"])).float().permute(0, 3, 1, 2) / 127.5 - 1
    order = torch.from_numpy(np.random.default_rng(0).permutation(1600))
    small = avg_pool2d(pixels[order], 8)
    train, held_out, unseen = small[:1000], small[1000:1300], small[1300:]

    def found(pictures: Tensor) -> dict[str, float]:
        return measured(train.flatten(1), pictures.flatten(1), held_out.flatten(1))

    assert found(unseen)["copying_p"] > 0.01
    assert found(train[:300])["copies"] == 1
    noise = normal(300, train[0].numel(), 19, 0.02).reshape(300, *train.shape[1:])
    assert found(train[:300] + noise)["copies"] > 0.9
    assert found(torch.cat([train[:30], unseen[:270]]))["copies"] > 0.08
    blurred = avg_pool2d(unseen, 3, stride=1, padding=1, count_include_pad=False)
    blended = (train[:300] + train[300:600] + train[600:900]) / 3
    for smooth in (blurred, blended, 0.5 * unseen):
        assert found(smooth)["copies"] < 0.05
        assert found(smooth)["copying"] < 0.6
