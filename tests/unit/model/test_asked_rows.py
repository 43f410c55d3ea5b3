"""Rows as asked for, and rows completed; what is asked for holds even in a model that has learned nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from support import tiny_dataset, tiny_model_file, tiny_table

from ganwright.core.errors import UsageError
from ganwright.data.modalities.base import Codec
from ganwright.data.modalities.table import TableCodec
from ganwright.data.preparation import prepare
from ganwright.data.tables.asking import parse_wishes
from ganwright.model.model import Model
from ganwright.model.model_file import ModelContents
from ganwright.networks.base import NetworkFamily
from ganwright.networks.columns import Columns
from ganwright.networks.mlp import Mlp

SMALL = Columns(latent=4, width=16, discriminator_widths=(8,))


def model(family: NetworkFamily = SMALL, codec: Codec | None = None) -> Model:
    codec = codec or tiny_table(400).codec
    spec = replace(codec.spec, output="linear") if family.applies_output else codec.spec
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        generator = family.generator(spec)
    return Model(ModelContents(family, spec, codec, generator.requires_grad_(False), {}))


@pytest.mark.parametrize(
    ("where", "holds"),
    [
        ({"city": "Rome"}, lambda rows: (rows.city == "Rome").all()),
        ({"city": ["Rome", "Lima"]}, lambda rows: set(rows.city) == {"Rome", "Lima"}),
        ({"city": None}, lambda rows: rows.city.isna().all()),
        ({"age": 40}, lambda rows: (rows.age == 40).all()),
        ({"age": (30, 40)}, lambda rows: rows.age.between(30, 40).all()),
        ({"age": (None, 25)}, lambda rows: (rows.age <= 25).all()),
        ({"gain": (1, None)}, lambda rows: (rows.gain >= 1).all()),
        ({"gain": 0}, lambda rows: (rows.gain == 0).all()),
        ({"sex": "f", "age": (60, 70)}, lambda rows: (rows.sex == "f").all() and rows.age.between(60, 70).all()),
        ({"age": (60, 70), "gain": (100, 300), "city": "Lima"}, lambda rows: rows.gain.between(100, 300).all()),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_every_row_is_as_asked_for(where: dict[str, Any], holds: Any) -> None:
    rows = model().sample(1500, where=where)
    assert len(rows) == 1500
    assert holds(rows)


def test_a_column_may_be_asked_for_by_its_name() -> None:
    rows = model().sample(20, seed=3, city="Rome")
    assert rows.equals(model().sample(20, seed=3, where={"city": "Rome"}))


def test_a_row_does_not_depend_on_how_many_are_asked_for() -> None:
    where = {"age": (30, 40), "sex": "f"}
    assert model().sample(1100, seed=5, where=where)[:7].equals(model().sample(7, seed=5, where=where))


def test_one_column_comes_as_often_as_in_the_data() -> None:
    """Among those asked for: of the rows with gain 0 and with age 18..29 there are so many in the data."""
    data = tiny_table(400)
    real = pd.concat([data.codec.decode(data.codec.expand(data.batch(np.arange(400))))])
    share = (real.age.between(20, 22).sum()) / real.age.between(20, 40).sum()
    rows = model().sample(6000, where={"age": (20, 40)})
    assert rows.age.between(20, 22).mean() == pytest.approx(share, abs=0.03)
    cities = model().sample(6000, where={"city": ["Rome", "Lima"]}).city
    expected = (real.city == "Rome").sum() / real.city.isin(["Rome", "Lima"]).sum()
    assert (cities == "Rome").mean() == pytest.approx(expected, abs=0.03)


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ({"town": "Rome"}, ["no column 'town'"]),
        ({"city": "Roma"}, ["never is 'Roma'", "known: Bergen, Lima, Rome"]),
        ({"city": (1, 2)}, ["no range", "Bergen"]),
        ({"age": (200, 300)}, ["never is 200..300", "it goes from 18 to"]),
        ({"age": "old"}, ["'old' is no number", "age"]),
        ({"age": (50, 40)}, ["nothing lies between 50 and 40"]),
        ({"sex": None}, ["never missing"]),
    ],
    ids=str,
)
def test_what_cannot_be_is_told_of(where: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        model().sample(3, where=where)
    assert all(word in str(caught.value) for word in words), str(caught.value)
    assert len(str(caught.value).splitlines()) <= 6


def test_networks_that_draw_whole_rows_cannot_be_asked() -> None:
    whole = model(Mlp(latent=4, generator_widths=(8,), discriminator_widths=(8,)))
    assert len(whole.sample(5)) == 5
    with pytest.raises(UsageError, match="cannot be told of cells") as caught:
        whole.sample(5, where={"city": "Rome"})
    assert "--recipe columns" in str(caught.value)


def test_pictures_have_no_columns(tmp_path: Path) -> None:
    pictures = Model.load(tiny_model_file(tmp_path / "m.safetensors"))
    with pytest.raises(UsageError, match="not conditioned on 'city'"):
        pictures.sample(5, where={"city": "Rome"})
    assert tiny_dataset().codec.noun == "pictures"


def test_given_cells_come_back_as_they_were_and_the_others_are_filled() -> None:
    given = pd.DataFrame({"city": ["Rome", None, "Lima"], "age": [33.0, 44.0, np.nan]})
    rows = model().complete(given)
    assert list(rows.columns) == ["age", "gain", "city", "sex"]
    assert rows.city.tolist()[0::2] == ["Rome", "Lima"]
    assert rows.age.tolist()[:2] == [33, 44]
    assert rows.gain.notna().all()
    assert rows.sex.isin(["f", "m"]).all()


def test_a_given_cell_that_is_no_number_is_drawn() -> None:
    given = pd.DataFrame({"age": np.array(["30"] + ["abc"] * 200, object), "sex": "f"})
    rows = model().complete(given)
    assert rows.age[0] == 30
    assert rows.age.notna().mean() > 0.5, "ages are missing as the model draws them, and not in all rows"


def test_a_given_number_beyond_what_was_seen_is_kept() -> None:
    rows = model().complete(pd.DataFrame({"age": [150, 3]}))
    assert rows.age.tolist() == [150, 3]


def test_a_table_of_other_columns_is_refused() -> None:
    with pytest.raises(UsageError, match="no column that the model knows"):
        model().complete(pd.DataFrame({"weight": [1.0, 2.0]}))


def test_a_large_table_is_completed_in_its_order() -> None:
    ages = np.arange(2500) % 60 + 20.0
    rows = model().complete(pd.DataFrame({"age": ages}))
    assert rows.age.tolist() == ages.tolist()


def test_a_column_that_another_decides_is_asked_for_through_it() -> None:
    zones = {"north": 1, "south": 1, "east": 2, "west": 3}
    random = np.random.default_rng(0)
    zone = random.choice(list(zones), 600)
    table = pd.DataFrame({"zone": zone, "number": [zones[name] for name in zone], "x": random.normal(size=600)})
    codec = prepare(table).codec
    assert isinstance(codec, TableCodec)
    assert [str(each) for each in codec.constraints] == ["zone -> number"]
    spec = replace(codec.spec, output="linear")
    model = Model(ModelContents(SMALL, spec, codec, SMALL.generator(spec).requires_grad_(False), {}))
    rows = model.sample(500, number=1)
    assert set(rows.zone) == {"north", "south"}
    assert (rows.number == 1).all()
    assert (model.sample(200, number=(2, 3)).zone != "north").all()


def test_rows_asked_for_are_those_that_happen_to_be_so() -> None:
    """As the same generator draws them by itself. Weights are made large, so that columns depend on each other."""
    wide = model()
    with torch.no_grad():
        for name, weight in wide.generator.named_parameters():
            weight.mul_(6.0 if name.startswith(("entry", "exit")) else 1.0)
    free = wide.sample(60_000, seed=1)
    told_apart = 0
    some_ages = tuple(np.quantile(free.age.dropna(), (0.2, 0.5)).tolist())
    for column, wish in (("sex", "f"), ("sex", "m"), ("city", "Lima"), ("age", some_ages), ("gain", (1, None))):
        low, high = wish if isinstance(wish, tuple) else (wish, wish)
        right = (free[column] >= low) & (free[column] <= high if high is not None else True)
        asked = wide.sample(4_000, seed=2, where={column: wish})
        for other in ("age", "gain"):
            drawn, real, ignored = (each[other].dropna() for each in (asked, free[right], free))
            places = np.quantile(ignored, np.linspace(0.05, 0.95, 19))
            shares = [np.searchsorted(np.sort(each), places, "right") / len(each) for each in (drawn, real, ignored)]
            assert np.abs(shares[0] - shares[1]).max() < 0.06, f"{other} where {column} is {wish}"
            told_apart += np.abs(shares[2] - shares[1]).max() > 0.12
        for other in ("city", "sex"):
            shares = [each[other].value_counts(normalize=True) for each in (asked, free[right], free)]
            assert (shares[0] - shares[1]).abs().max() < 0.05, f"{other} where {column} is {wish}"
            told_apart += (shares[2] - shares[1]).abs().max() > 0.12
    assert told_apart >= 4, "there is something to be got wrong"


def shop(random: np.random.Generator, rows: int = 600) -> pd.DataFrame:
    """What holds in every row: begin <= end, total = price + tip + fee, and a town decides its land."""
    begin = np.datetime64("2024-01-01") + random.integers(0, 300, rows).astype("timedelta64[D]")
    price, tip, fee = random.integers(100, 900, rows) / 10, random.integers(0, 90, rows) / 10, random.integers(0, 4, rows)
    town = random.choice(["Rome", "Turin", "Lyon", "Nice", "Bonn"], rows)
    land = pd.Series(town).map({"Rome": "I", "Turin": "I", "Lyon": "F", "Nice": "F", "Bonn": "D"})
    ends = begin + random.integers(0, 60, rows).astype("timedelta64[D]")
    total = (price + tip + fee).round(1)
    columns = {"begin": begin, "end": ends, "price": price, "tip": tip, "fee": fee, "total": total}
    return pd.DataFrame({**columns, "town": town, "land": land})


@pytest.mark.parametrize(
    "missing",
    [["begin"], ["price"], ["town"], ["price", "tip", "fee"], ["begin", "tip", "fee", "town"], ["end", "total", "land"]],
    ids=" ".join,
)
def test_what_holds_in_every_row_holds_in_completed_ones(missing: list[str]) -> None:
    """Also where what is computed is given, of which the generator is not told, and what it follows from is not."""
    rows = shop(np.random.default_rng(1))
    codec = prepare(rows).codec
    assert isinstance(codec, TableCodec)
    assert len(codec.constraints) == 3
    given = rows.drop(columns=missing).head(200)
    completed = model(codec=codec).complete(given, seed=2)
    for name in given:
        assert completed[name].tolist() == given[name].tolist(), name
    assert (completed.begin <= completed.end).all()
    np.testing.assert_allclose(completed.price + completed.tip + completed.fee, completed.total, atol=0.05)
    assert set(zip(completed.town, completed.land, strict=True)) <= set(zip(rows.town, rows.land, strict=True))
    assert completed.equals(model(codec=codec).complete(given, seed=2))


def test_cells_that_contradict_each_other_stay_as_they_were_given() -> None:
    rows = shop(np.random.default_rng(1))
    codec = prepare(rows).codec
    given = rows.head(20).assign(land="D", total=-5.0)
    completed = model(codec=codec).complete(given)
    assert completed.land.tolist() == ["D"] * 20
    assert completed.town.tolist() == given.town.tolist()
    assert completed.total.tolist() == [-5.0] * 20


@pytest.mark.parametrize(
    ("where", "holds"),
    [
        ({"end": "2024-05-05"}, lambda rows: (rows.end == pd.Timestamp("2024-05-05")).all()),
        ({"total": 60.5, "tip": 1.2}, lambda rows: ((rows.total == 60.5) & (rows.tip == 1.2)).all()),
        ({"price": (50.03, 50.14), "land": "F"}, lambda rows: ((rows.price == 50.1) & (rows.land == "F")).all()),
    ],
    ids=["what is computed", "a sum and a part of it", "a narrow range"],
)
def test_what_is_hardly_ever_drawn_is_made_so(where: dict[str, Any], holds: Any) -> None:
    """With what holds in every row: cells that are asked for are put in, and those beside them brought in line."""
    data = shop(np.random.default_rng(1))
    some = model(codec=prepare(data).codec)
    rows = some.sample(300, where=where)
    assert len(rows) == 300
    assert holds(rows)
    assert (rows.begin <= rows.end).all()
    np.testing.assert_allclose(rows.price + rows.tip + rows.fee, rows.total, atol=0.05)
    assert set(zip(rows.town, rows.land, strict=True)) <= set(zip(data.town, data.land, strict=True))


def test_a_number_with_all_its_decimals_can_be_asked_for() -> None:
    data = pd.DataFrame({"x": np.random.default_rng(0).normal(size=300), "y": np.arange(300) % 7})
    wanted = float(data.x[3])
    assert model(codec=prepare(data).codec).sample(40, where={"x": wanted}).x.tolist() == [wanted] * 40


def test_what_contradicts_what_holds_in_every_row_is_told() -> None:
    some = model(codec=prepare(shop(np.random.default_rng(1))).codec)
    with pytest.raises(UsageError, match="town -> land in every row"):
        some.sample(5, where={"town": "Rome", "land": "D"})


def test_a_day_is_all_of_it_where_cells_have_a_time_of_day() -> None:
    moments = pd.date_range("2024-03-01", periods=900, freq="37min")
    data = pd.DataFrame({"moment": moments, "x": np.random.default_rng(0).normal(size=900)})
    some = model(codec=prepare(data).codec)
    one = some.sample(60, where={"moment": "2024-03-10"}).moment
    assert (one.dt.normalize() == pd.Timestamp("2024-03-10")).all()
    assert one.nunique() > 20
    two = some.sample(200, where={"moment": ("2024-03-10", "2024-03-11")}).moment
    assert set(two.dt.day) == {10, 11}
    for texts, days in (
        (["moment>=2024-03-10", "moment<2024-03-12"], {10, 11}),
        (["moment<=2024-03-12", "moment>2024-03-10"], {11, 12}),
    ):
        assert set(some.sample(200, where=parse_wishes(texts)).moment.dt.day) == days
    with pytest.raises(UsageError, match="asked for twice"):
        parse_wishes(["x>=3", "x>=4"])
    with pytest.raises(UsageError, match="asked for twice"):
        parse_wishes(["x=3", "x<4"])


COMPLETED = """
import sys, numpy as np
sys.path[:0] = {path!r}
from test_asked_rows import model, prepare, shop
rows = shop(np.random.default_rng(1))
print(model(codec=prepare(rows).codec).complete(rows.drop(columns=["town"]).head(50), seed=2).town.tolist())
"""


def test_completed_rows_are_the_same_in_every_process() -> None:
    """Python's sets have another order in each."""
    code = COMPLETED.format(path=[str(Path(__file__).parent), str(Path(__file__).parents[2]), *sys.path])
    said = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "4", "6")
    }
    assert len(said) == 1
