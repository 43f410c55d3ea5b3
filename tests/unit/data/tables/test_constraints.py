"""What holds between columns: read from words, found in rows, obeyed by whatever networks make."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ganwright.core.errors import UsageError
from ganwright.data.modalities.table import Table, TableCodec
from ganwright.data.progress import no_progress
from ganwright.data.sources.tables import Tables
from ganwright.data.tables.claims import Claim
from ganwright.data.tables.plan import planned

ROWS = 600


def fitted(frame: pd.DataFrame, **settings: object) -> tuple[TableCodec, Tables]:
    source = Tables.open(frame)
    return Table(**settings).fit(source, no_progress), source  # type: ignore[arg-type]


def obeyed(codec: TableCodec) -> list[str]:
    return sorted(map(str, codec.constraints))


def drawn_at_random(codec: TableCodec, seed: int = 0, count: int = 3000) -> pd.DataFrame:
    """Rows of whatever numbers, as no trained network would make them."""
    generator = torch.Generator().manual_seed(seed)
    return codec.decode(torch.randn(count, codec.layout.width, generator=generator) * 3)


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(5)


def trips(random: np.random.Generator, rows: int = ROWS) -> pd.DataFrame:
    start = np.datetime64("2024-03-01", "s") + random.integers(0, 86_400 * 30, rows)
    seconds = np.where(random.random(rows) < 0.1, 0, random.integers(0, 7200, rows))
    fare, tip = random.integers(250, 9000, rows) / 100, random.integers(0, 40, rows) / 4
    tolls = np.where(random.random(rows) < 0.9, 0, 5.76)
    frame = pd.DataFrame({"pick up": start, "drop off": start + seconds, "fare": fare, "tip": tip, "tolls": tolls})
    frame["total"] = (fare + tip + tolls).round(2)
    return frame


def test_an_order_and_a_sum_are_found_and_told(random: np.random.Generator) -> None:
    codec, source = fitted(trips(random))
    assert obeyed(codec) == ["pick up <= drop off", "total = fare + tip + tolls"]
    assert "pick up <= drop off in every row: kept so" in source.notes
    assert [column.name for column in codec.columns] == ["pick up", "drop off", "fare", "tip", "tolls", "total"]
    assert [column.name for column in codec.drawn] == ["pick up", "drop off - pick up", "fare", "tip", "tolls"]


def test_whatever_is_drawn_obeys_after_writing_and_reading(random: np.random.Generator, tmp_path: Path) -> None:
    codec, _ = fitted(trips(random))
    frame = drawn_at_random(codec)
    (path,) = codec.write(frame, tmp_path, 0)
    again = pd.read_csv(path, parse_dates=["pick up", "drop off"])
    for rows in (frame, again):
        assert np.all(rows["pick up"] <= rows["drop off"])
        np.testing.assert_array_equal((rows.fare + rows.tip + rows.tolls).round(2), rows.total)
    assert np.mean(frame["drop off"] == frame["pick up"]) > 0.03  # the gap's own spike


def test_a_difference_that_many_rows_share_has_a_mode_of_its_own(random: np.random.Generator) -> None:
    codec, _ = fitted(trips(random))
    gap = next(column for column in codec.drawn if column.name == "drop off - pick up")
    assert 0 in gap.numbers()["spikes"].tolist()


@pytest.mark.parametrize("digits", [0, 1, 2, 3])
@pytest.mark.parametrize("of_low", [0, 2, 3])
def test_orders_hold_between_columns_of_any_decimals(digits: int, of_low: int, random: np.random.Generator) -> None:
    low = random.normal(0, 20, ROWS).round(of_low)
    high = np.ceil((low + random.exponential(4, ROWS)) * 10**digits) / 10**digits
    codec, _ = fitted(pd.DataFrame({"low": low, "high": high}))
    assert obeyed(codec) == ["low <= high"]
    frame = drawn_at_random(codec)
    assert (frame.low <= frame.high).all()
    np.testing.assert_allclose(frame.high * 10**digits, np.rint(frame.high * 10**digits), atol=1e-6)
    assert frame.high.max() <= high.max()


def test_a_chain_is_kept_with_each_column_next_to_the_last(random: np.random.Generator) -> None:
    a = random.integers(0, 50, ROWS)
    b = a + random.integers(0, 9, ROWS)
    frame = pd.DataFrame({"c": b + random.integers(0, 9, ROWS), "a": a, "b": b})
    codec, _ = fitted(frame)
    assert obeyed(codec) == ["a <= b", "b <= c"]
    made = drawn_at_random(codec)
    assert ((made.a <= made.b) & (made.b <= made.c)).all()
    assert all(dtype.kind == "i" for dtype in made.dtypes)


def test_a_column_can_be_above_several(random: np.random.Generator) -> None:
    low = random.normal(100, 20, ROWS)
    opened, closed = low + random.exponential(9, ROWS), low + random.exponential(9, ROWS)
    high = np.maximum(opened, closed) + random.exponential(9, ROWS)
    codec, _ = fitted(pd.DataFrame({"open": opened, "high": high, "low": low, "close": closed}).round(2))
    assert obeyed(codec) == ["low <= close", "low <= open", "open and close <= high"]
    made = drawn_at_random(codec)
    assert (made[["open", "close"]].max(axis=1) <= made.high).all()
    assert (made.low <= made[["open", "close"]].min(axis=1)).all()


def test_missing_cells_keep_their_rates_where_only_the_later_can_be_missing(random: np.random.Generator) -> None:
    hired = random.integers(0, 3000, ROWS).astype(float)
    left = hired + random.integers(1, 900, ROWS)
    hired[:60], left[:360] = np.nan, np.nan
    frame = pd.DataFrame({"hired": hired, "left": left})
    codec, source = fitted(frame)
    assert obeyed(codec) == ["hired <= left"]
    packed = torch.from_numpy(codec.pack(source.read(0, ROWS)).columns["x"])
    again = codec.decode(codec.layout.expand(packed)).astype(float)
    np.testing.assert_array_equal(again.isna().to_numpy(), frame.isna().to_numpy())
    made = drawn_at_random(codec).astype(float)
    assert not (made.hired > made.left).any()
    assert not (made.hired.isna() & made.left.notna()).any()


def test_no_order_is_learned_where_either_can_be_missing_alone(random: np.random.Generator) -> None:
    a = random.integers(0, 300, ROWS).astype(float)
    b = a + random.integers(1, 90, ROWS)
    a[:40], b[40:80] = np.nan, np.nan
    codec, _ = fitted(pd.DataFrame({"a": a, "b": b}))
    assert codec.constraints == ()


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("apart", lambda random, a: a + 1000),
        ("hardly ever near", lambda random, a: random.integers(40, 400, ROWS)),
        ("broken by one row", lambda random, a: np.where(np.arange(ROWS) == 311, a - 1, a + random.integers(0, 9, ROWS))),
        ("few rows", lambda random, a: np.where(np.arange(ROWS) < 150, a + random.integers(0, 9, ROWS), np.nan)),
    ],
)
def test_what_is_no_order_is_not_learned(name: str, other: Callable[..., np.ndarray], random: np.random.Generator) -> None:
    a = random.integers(0, 50, ROWS)
    codec, _ = fitted(pd.DataFrame({"a": a, "b": other(random, a)}))
    assert not [each for each in obeyed(codec) if "<=" in each], name


def test_copies_are_made_from_the_first(random: np.random.Generator) -> None:
    a = random.normal(0, 5, ROWS).round(2)
    frame = pd.DataFrame({"first": a, "second": a, "other": random.normal(0, 5, ROWS).round(2)})
    frame["sum"] = (a + frame.other).round(2)
    codec, _ = fitted(frame)
    assert obeyed(codec) == ["second = first", "sum = first + other"]
    made = drawn_at_random(codec)
    assert (made["first"] == made.second).all()


def test_a_sum_of_sums_is_kept(random: np.random.Generator) -> None:
    parts = {name: random.integers(0, 900, ROWS) for name in "abcd"}
    frame = pd.DataFrame(parts)
    frame["ab"] = frame.a + frame.b
    frame["all"] = frame.ab + frame.c + frame.d
    codec, _ = fitted(frame)
    assert obeyed(codec) == ["ab = a + b", "all = c + d + ab"]
    made = drawn_at_random(codec)
    assert (made.a + made.b + made.c + made.d == made["all"]).all()


def test_one_column_decides_another_also_by_rare_words(random: np.random.Generator) -> None:
    zones = np.array([f"zone {i}" for i in range(60)])
    boroughs, codes = np.array(list("ABCD")), random.integers(0, 4, 60)
    place = np.minimum(random.geometric(0.08, ROWS * 3) - 1, 59)
    frame = pd.DataFrame({"borough": boroughs[codes[place]], "zone": zones[place], "tax": codes[place] * 2.5})
    frame.loc[:30, ["zone", "borough"]] = None
    frame.loc[:30, "tax"] = np.nan
    codec, source = fitted(frame)
    assert obeyed(codec) == ["borough -> tax", "zone -> borough"]
    assert "zone decides borough: kept so" in source.notes
    assert [column.name for column in codec.drawn] == ["zone"]
    made = drawn_at_random(codec)
    known = {tuple(row) for row in frame.astype(object).fillna("none").to_numpy().tolist()}
    assert {tuple(row) for row in made.astype(object).fillna("none").to_numpy().tolist()} <= known
    assert made.zone.nunique() > 40


@pytest.mark.parametrize("order", [("degree", "years"), ("years", "degree")])
def test_of_a_pair_that_decide_each_other_the_first_is_kept(order: tuple[str, str], random: np.random.Generator) -> None:
    years = random.integers(1, 8, ROWS)
    frame = pd.DataFrame({"degree": np.array(list("PQRSTUVW"))[years], "years": years}, columns=list(order))
    codec, _ = fitted(frame)
    assert obeyed(codec) == [f"{order[0]} -> {order[1]}"]
    made = drawn_at_random(codec)
    assert set(zip(made.degree, made.years, strict=True)) == set(zip(frame.degree, frame.years, strict=True))


def test_chance_does_not_decide(random: np.random.Generator) -> None:
    rare = np.array(["no"] * 597 + ["yes"] * 3)
    frame = pd.DataFrame({"a": np.array(list("abcdefgh"))[np.arange(ROWS) // 75], "b": rare})
    frame.loc[frame.a == "h", "a"] = "g"
    frame.loc[597:, "a"] = "h"
    assert fitted(frame)[0].constraints == ()
    alone = pd.DataFrame({"name": [f"n{i // 2}" for i in range(ROWS)], "kind": np.repeat(list("xyz"), ROWS // 3)})
    assert fitted(alone)[0].constraints == ()  # two rows of a name say little


def test_nothing_is_learned_when_told_so(random: np.random.Generator) -> None:
    codec, _ = fitted(trips(random), learn_constraints=False)
    assert codec.constraints == ()


def test_stated_constraints_are_kept_and_broken_rows_named(random: np.random.Generator) -> None:
    frame = trips(random)
    frame.loc[[3, 7, 9, 12, 40], "tip"] += 1
    said = ("pick up <= drop off", "total = fare + tip + tolls")
    codec, source = fitted(frame, constraints=said, learn_constraints=False)
    assert obeyed(codec) == sorted(said)
    (note,) = [note for note in source.notes if "broken" in note]
    assert note == ("total = fare + tip + tolls: broken by 5 of 600 rows, left out: row 4, row 8, row 10 and 2 more")
    packed = codec.pack(source.read(0, ROWS))
    assert [skipped.name for skipped in packed.skipped] == ["row 4", "row 8", "row 10", "row 13", "row 41"]
    assert packed.skipped[0].reason == "not total = fare + tip + tolls"


def test_a_stated_dependence_takes_the_usual_word(random: np.random.Generator) -> None:
    zone = random.integers(0, 5, ROWS)
    borough = np.array(list("XXYYZ"))[zone]
    borough[11] = "X" if borough[11] != "X" else "Y"
    frame = pd.DataFrame({"zone": np.array(list("abcde"))[zone], "borough": borough})
    codec, source = fitted(frame, constraints=("zone -> borough",))
    assert "zone -> borough: broken by 1 of 600 rows, left out: row 12" in source.notes
    made = drawn_at_random(codec)
    assert made.groupby("zone").borough.nunique().max() == 1


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (("fare and tip",), "E-TABLE-10"),
        (("fare <= ",), "E-TABLE-10"),
        (("fare < total",), "E-TABLE-10"),
        (("far <= total",), "E-TABLE-11"),
        (("total = fare + tipp",), "E-TABLE-11"),
        (("fare <= drop off",), "E-TABLE-12"),
        (("drop off = pick up",), "E-TABLE-12"),
        (("fare -> tip",), "E-TABLE-12"),
        (("total = fare + tip + tolls", "total = tip"), "E-TABLE-13"),
        (("fare <= tip", "tip <= fare"), "E-TABLE-13"),
        (("total <= tip",), "E-TABLE-14"),
        (("total = fare + tolls",), "E-TABLE-14"),
    ],
)
def test_what_cannot_be_kept_is_refused(said: tuple[str, ...], code: str, random: np.random.Generator) -> None:
    with pytest.raises(UsageError) as error:
        fitted(trips(random), constraints=said)
    assert error.value.code == code


def test_what_follows_from_a_sum_may_be_said_beside_it(random: np.random.Generator) -> None:
    codec, _ = fitted(trips(random), constraints=("total = fare + tip + tolls", "tip <= total"), learn_constraints=False)
    assert obeyed(codec) == ["total = fare + tip + tolls"]
    made = drawn_at_random(codec)
    assert (made.tip <= made.total).all()


def test_a_program_s_truth_values_are_decided_too(random: np.random.Generator) -> None:
    number = random.integers(1, 7, ROWS)
    names = np.array(list(".abcdef"))[number]
    codec, source = fitted(pd.DataFrame({"name": names, "even": number % 2 == 0, "number": number}))
    assert obeyed(codec) == ["name -> even", "name -> number"]
    assert not codec.pack(source.read(0, ROWS)).skipped
    made = drawn_at_random(codec)
    assert made.even.dtype == bool
    assert (made.even == (made.number % 2 == 0)).all()


@pytest.mark.parametrize("said", ["a+b <= c", "c >= a+b", "a+b ≤ c", "c = a+b", "c = a+b + d <= x", "a+b -> d", "a+b → d"])
def test_names_may_hold_signs(said: str, random: np.random.Generator) -> None:
    a = random.integers(0, 9, ROWS)
    frame = pd.DataFrame({"a+b": a, "c": a, "d": np.array(list("qwertzuio"))[a], "d <= x": a})
    frame["d <= x"] -= a
    frame.loc[0, "d <= x"] = 0
    frame.loc[1, ["c", "d <= x"]] += 1
    broken = said == "c = a+b"
    codec, source = fitted(frame, constraints=(said,), learn_constraints=False)
    assert len(codec.constraints) == 1
    assert any("broken by 1 of" in note for note in source.notes) == broken


def test_plans_put_what_is_needed_first() -> None:
    claims = [
        Claim("order", "c", ("b",)),
        Claim("order", "b", ("a",)),
        Claim("order", "c", ("a",)),
        Claim("sum", "a", ("x", "y"), stated=True),
        Claim("sum", "x", ("c", "y")),
    ]
    plan = planned(claims, ["c", "b", "a", "x", "y"])
    assert [claim.column for claim in plan] == ["a", "b", "c"]
    assert plan[-1].needs == ("b",)


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("abcdef"), st.booleans()), max_size=15))
def test_plans_never_go_round(pairs: list[tuple[str, str, bool]]) -> None:
    claims = [Claim("order" if kind else "sum", b, (a,)) for a, b, kind in pairs if a != b]
    computed: set[str] = set()
    plan = planned(claims, "abcdef")
    for claim in plan:
        later = {each.column for each in plan} - computed
        assert not set(claim.needs) & later
        computed.add(claim.column)
    assert len(computed) == len(plan)
