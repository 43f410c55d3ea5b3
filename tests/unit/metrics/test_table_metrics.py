"""Measures of tables: answers that are known beforehand."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
import scipy.stats
import torch
from sklearn.metrics import f1_score, r2_score, roc_auc_score

from ganwright.data.table_rows import TableRows
from ganwright.metrics.base import METRICS, Described, Evidence, NotMeasurable
from ganwright.metrics.membership import Membership
from ganwright.metrics.parts.coded import Coded, coded
from ganwright.metrics.parts.measurement import Measurement
from ganwright.metrics.shapes import column_distances
from ganwright.metrics.trends import MOST_PAIRS, pair_distances, pairs_of
from ganwright.metrics.utility import _auc, _f1, _r2, target_places

KINDS = {"age": "whole", "height": "decimal", "city": "category", "rich": "yes/no"}
CITIES = np.array(["Kyiv", "Lviv", "Odesa", "Sumy", None], object)
SHARES = [0.5, 0.3, 0.146, 0.004, 0.05]


@cache
def people(count: int, seed: int) -> TableRows:
    """Ages and heights that go together, cities with one that is rare and gaps, and riches that follow from the rest."""
    draw = np.random.default_rng(seed)
    city = draw.choice(len(CITIES), count, p=SHARES)
    age = np.rint(draw.gamma(6, 7, count))
    height = 150 + 0.6 * age + draw.normal(0, 5, count)
    rich = (age / 20 + (city == 0) + draw.normal(0, 0.6, count)) > 2.6
    height[draw.random(count) < 0.08] = np.nan
    return TableRows(
        {"age": age, "height": height, "city": CITIES[city], "rich": np.where(rich, "yes", "no").astype(object)}, KINDS
    )


def changed(rows: TableRows, **columns: np.ndarray) -> TableRows:
    return TableRows({**rows.columns, **columns}, rows.kinds)


def shuffled(rows: TableRows) -> TableRows:
    """Each column by itself."""
    draw = np.random.default_rng(9)
    return TableRows({name: draw.permutation(values) for name, values in rows.columns.items()}, rows.kinds)


def described(rows: TableRows) -> Described:
    """With ages and heights as features."""
    numbers = np.stack([rows.columns["age"], np.nan_to_num(rows.columns["height"], nan=150)], 1)
    return Described(torch.from_numpy(numbers.astype(np.float32)), None, rows)


def measured(name: str, fake: TableRows, train: TableRows | None = None) -> dict[str, Measurement]:
    real = described(train or people(1500, 0))
    return METRICS.get(name)().measure(Evidence(real, described(fake), described(people(600, 1)), unseen=True))


def floor_gap(found: Measurement) -> float:
    """How far samples are from the floor, in standard errors."""
    at_floor, floor = found.at_floor_count, found.floor
    assert at_floor is not None
    assert floor is not None
    return abs(at_floor - floor) / np.hypot(found.error or 0.01, found.floor_error or 0.01)


@pytest.mark.parametrize("name", ["shapes", "trends", "detection", "utility", "rare"])
def test_other_real_rows_are_near_the_floor(name: str) -> None:
    for key, found in measured(name, people(1500, 2)).items():
        assert floor_gap(found) < 5, (key, found)


def test_shuffled_columns_keep_their_shapes_and_lose_all_else() -> None:
    fake = shuffled(people(1500, 2))
    assert measured("shapes", fake)["shapes"].value > 0.97
    assert measured("trends", fake)["trends"].value < measured("trends", people(1500, 2))["trends"].value - 0.05
    assert measured("detection", fake)["detection"].value > 0.75
    found = measured("utility", fake)
    assert abs(found["utility"].value) < 0.15
    assert found["auc rich"].value < 0.6
    assert (found["auc rich"].floor or 0) > 0.8


def test_a_shifted_column_is_the_worst_one() -> None:
    rows = people(1500, 2)
    found = measured("shapes", changed(rows, age=rows.columns["age"] + 10))
    assert found["shapes_worst"].value == pytest.approx(0.75, abs=0.06)
    assert found["shapes"].value == pytest.approx(1 - 0.25 / 4, abs=0.03)


def kolmogorov(one: np.ndarray, other: np.ndarray) -> float:
    found: Any = scipy.stats.ks_2samp(one, other)
    return float(found.statistic)


def spearman(one: np.ndarray, other: np.ndarray) -> float:
    found: Any = scipy.stats.spearmanr(one, other, nan_policy="omit")
    return float(found.statistic)


def test_numbers_are_told_apart_as_by_another_library() -> None:
    one, other = people(700, 3), people(400, 4)
    real, fake = coded(one, other)
    found = column_distances(real)(fake)
    assert found[0] == pytest.approx(kolmogorov(one.columns["age"], other.columns["age"]), abs=1e-12)
    heights = [np.nan_to_num(rows.columns["height"], nan=1e9) for rows in (one, other)]
    assert found[1] == pytest.approx(kolmogorov(heights[0], heights[1]), abs=1e-12)
    words = sorted(set(one.columns["city"]) | set(other.columns["city"]), key=str)
    gaps = [abs((one.columns["city"] == w).mean() - (other.columns["city"] == w).mean()) for w in words]
    assert found[2] == pytest.approx(sum(gaps) / 2, abs=1e-12)
    rank = [spearman(rows.columns["age"], rows.columns["height"]) for rows in (one, other)]
    assert pair_distances(real, [(0, 1)])(fake)[0] == pytest.approx(abs(rank[0] - rank[1]) / 2, abs=0.01)


def test_missing_cells_that_do_not_come_again_are_told() -> None:
    rows = people(1500, 2)
    found = measured("shapes", changed(rows, height=np.nan_to_num(rows.columns["height"], nan=160.0)))
    assert found["missing_cells"].value == pytest.approx(0.08, abs=0.02)
    assert (found["missing_cells"].floor or 0) < 0.03


def test_a_rare_word_that_is_left_out_is_told() -> None:
    rows, train = people(1500, 2), people(1500, 0)
    city = np.where(rows.columns["city"] == "Sumy", "Kyiv", rows.columns["city"])
    assert measured("rare", rows)["rare"].value == 1
    found = measured("rare", changed(rows, city=city))
    assert found["rare"].value == 0
    assert found["rare_frequency"].value == 0
    common = changed(train, city=np.where(train.columns["city"] == "Sumy", "Kyiv", train.columns["city"]))
    with pytest.raises(NotMeasurable, match="no word is rarer"):
        measured("rare", rows, common)


def test_copies_are_counted_beside_what_repeats_by_nature() -> None:
    train = people(1500, 0)
    assert measured("exact_copies", train.take(slice(500)))["exact_copies"].value == 1
    half = TableRows.join([train.take(slice(250)), people(250, 5)])
    assert measured("exact_copies", half)["exact_copies"].value == pytest.approx(0.5, abs=0.02)
    # Of few words each row repeats: held-out rows are training rows as often.
    same = Described(torch.zeros(1500, 1), None, TableRows({"rich": train.columns["rich"]}, {"rich": "yes/no"}))
    found = METRICS.get("exact_copies")().measure(Evidence(same, same, same))
    assert (found["exact_copies"].value, found["exact_copies"].floor) == (1, 1)


def test_an_attack_finds_the_rows_that_were_copied_and_no_others() -> None:
    leaking, safe = measured("membership", people(1500, 0).take(slice(1000))), measured("membership", people(1000, 6))
    assert leaking["membership"].value > 0.7
    assert leaking["membership_p"].value < 1e-6
    assert safe["membership"].value == pytest.approx(0.5, abs=0.05)
    assert safe["membership_p"].value > 0.001
    train, fake, held_out = (described(people(100, i)) for i in range(3))
    with pytest.raises(NotMeasurable, match="never saw"):
        Membership().measure(Evidence(train, fake, held_out))


def test_scores_of_learned_columns_are_those_of_another_library() -> None:
    draw = np.random.default_rng(0)
    truth, chances = draw.integers(0, 3, 200), draw.dirichlet([1, 1, 1], 200)
    assert _auc(chances, truth) == pytest.approx(roc_auc_score(truth, chances, multi_class="ovr", average="macro"))
    assert _f1(chances, truth) == pytest.approx(f1_score(truth, chances.argmax(1), average="macro"))
    numbers, said = draw.normal(size=100), draw.normal(size=100)
    assert _r2(said, numbers) == pytest.approx(r2_score(numbers, said))


def test_targets_are_the_last_column_and_such_as_can_be_foretold() -> None:
    (real,) = coded(people(1500, 0))
    names = [real.columns[place].name for place in target_places(real)]
    assert names == ["rich", "height", "city", "age"]
    draw = np.random.default_rng(0)
    odd = TableRows(
        {
            "always": np.zeros(300),
            "mostly zero": np.where(draw.random(300) < 0.9, 0, draw.normal(size=300)),
            "few numbers": draw.integers(0, 5, 300).astype(float),
            "many words": np.array([f"w{i}" for i in range(300)], object),
            "yes": np.array(["y", "n"], object)[draw.integers(0, 2, 300)],
            "alone": np.array(["y"] * 300, object),
        },
        dict.fromkeys(("always", "mostly zero", "few numbers", "many words", "yes", "alone"), "category"),
    )
    (table,) = coded(odd)
    assert [table.columns[place].name for place in target_places(table)] == ["yes"]


def test_a_collapsed_table_is_measured() -> None:
    rows = people(1500, 2)
    one = rows.take(np.zeros(400, np.int64))
    for name in ("shapes", "trends", "detection", "utility", "rare", "exact_copies"):
        for key, found in measured(name, one).items():
            assert np.isfinite(found.value), key
    assert measured("detection", one)["detection"].value > 0.95
    assert measured("utility", one)["utility"].value < 0.1


def test_of_many_columns_some_pairs_are_looked_at_and_it_is_said() -> None:
    draw = np.random.default_rng(0)
    wide = TableRows({f"c{i}": draw.normal(size=60) for i in range(40)}, {f"c{i}": "decimal" for i in range(40)})
    (real,) = coded(wide)
    pairs = pairs_of(real.columns)
    assert len(pairs) == len(set(pairs)) == MOST_PAIRS
    protocol = METRICS.get("trends")().protocols(real)["trends"]
    assert "a random 300 of all 780 pairs" in protocol


def test_one_coding_holds_for_all_tables() -> None:
    kinds = {"word": "category", "gone": "decimal"}
    one = TableRows({"word": np.array(["b", "b", None], object), "gone": np.array([np.nan] * 3)}, kinds)
    other = TableRows({"word": np.array(["new", "b"], object), "gone": np.array([1.0, np.nan])}, kinds)
    first, second = coded(one, other)
    assert first.columns == second.columns
    assert first.columns[0].words == ("b", None, "new")
    assert first.values[0].tolist() == [0, 0, 1]
    assert second.values[0].tolist() == [2, 0]
    assert first.missing(0).tolist() == [False, False, True]
    assert first.columns[1].missing
    assert np.isnan(first.numbers(10)[2]).all()


@pytest.mark.parametrize("name", ["shapes", "trends", "detection", "utility", "exact_copies"])
def test_columns_without_a_number_are_measured(name: str) -> None:
    """Of the data, or of samples."""
    rows = people(200, 2)
    for train, fake in ((rows, {"height": np.full(200, np.nan)}), (changed(rows, height=np.full(200, np.nan)), {})):
        for found in measured(name, changed(people(200, 3), **fake), train).values():
            assert np.isfinite(found.value)


def test_settings_are_checked() -> None:
    for name, settings in (("detection", {"most": 3}), ("utility", {"most": 3}), ("membership", {"most": 3})):
        with pytest.raises(ValueError, match="most must be at least"):
            METRICS.get(name)(**settings)
    broken: Any = {"below": 1.5}
    with pytest.raises(ValueError, match="below must lie"):
        METRICS.get("rare")(**broken)


def test_rows_are_taken_by_place() -> None:
    (real,) = coded(people(50, 0))
    some: Coded = real.take(np.array([3, 1]))
    assert len(some) == 2
    assert some.values[0].tolist() == real.values[0][[3, 1]].tolist()
