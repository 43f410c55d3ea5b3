"""Columns: what goes in comes out, is written as it was, survives its state, and a hostile state is refused."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ganwright.data.modalities.table import TableCodec
from ganwright.data.preparation import prepare
from ganwright.data.tables.columns import Column, FixedColumn, MeasuredColumn, WordColumn
from ganwright.data.tables.dates import FORMATS, format_dates, formats_of, parse_dates, unit_of
from ganwright.data.tables.facts import ColumnFacts
from ganwright.data.tables.kinds import decide
from ganwright.data.tables.learning import MOST_KNOTS, learn_column
from ganwright.data.tables.packed import pack_columns, unpack_columns

RANDOM = np.random.default_rng(1)


def objects(cells: Sequence[Any]) -> np.ndarray:
    found = np.empty(len(cells), object)
    found[:] = cells
    return found


def learned(cells: np.ndarray, wanted: str | None = None, decimal: Any = ".", pieces: int = 3) -> Column:
    facts = ColumnFacts("x", decimal)
    names = [f"line {i + 2}" for i in range(len(cells))]
    for rows in np.array_split(np.arange(len(cells)), pieces):
        facts.add(cells[rows], [names[row] for row in rows], np.ones(len(rows), bool))
    column = learn_column(facts, decide(facts, wanted))
    assert column is not None
    return column


def back(column: Column, cells: np.ndarray) -> np.ndarray:
    encoded = column.encode(cells)
    assert (encoded.modes >= 0).all()
    assert encoded.modes.dtype == np.int32
    assert encoded.values.dtype == np.float32
    assert (np.abs(encoded.values) <= 1).all()
    return column.decode(encoded.modes.astype(np.int64), encoded.values)


MONEY = [f"{value:.2f}" for value in RANDOM.exponential(50, 400)]
DAYS = [str(np.datetime64("2019-01-01") + int(day)) for day in RANDOM.integers(0, 900, 400)]
CASES: dict[str, tuple[list[str], str]] = {
    "fixed decimals": (["88.60", "7.00", "0.05", *MONEY], "decimal"),
    "decimals that are whole": (["7.0", "8.0", "41.0"] * 40, "decimal"),
    "free decimals": ([repr(value) for value in RANDOM.normal(0, 1, 300).tolist()], "decimal"),
    "whole": ([str(value) for value in RANDOM.integers(-500, 90_000, 400)], "whole"),
    "few whole": (["1", "2", "3", "", "2"] * 40, "whole"),
    "question marks": (["4.5", "?", "6.5", "7.5"] * 40, "decimal"),
    "a spike": (["0"] * 200 + [str(value) for value in RANDOM.integers(1, 10_000, 300)], "whole"),
    "words": (["red", "green", "NA", "?"] * 30, "category"),
    "words and gaps": (["red", "", "blue"] * 30, "category"),
    "rare words": ([f"w{int(value)}" for value in RANDOM.zipf(1.3, 5000) % 4000], "category"),
    "yes or no": (["yes", "no", "no"] * 30, "yes/no"),
    "leading zeros": (["007", "012", "100"] * 30, "category"),
    "days": (DAYS, "date"),
    "German days": ([f"{1 + i % 28:02d}.{1 + i % 12:02d}.2021" for i in range(400)], "date"),
    "American days": ([f"{1 + i % 12:02d}/{1 + i % 28:02d}/2021" for i in range(400)], "date"),
    "times": ([f"2021-03-{1 + i % 28:02d} {i % 24:02d}:{i % 60:02d}:00" for i in range(400)], "date"),
    "times in a zone": ([f"2021-03-{1 + i % 28:02d}T{i % 24:02d}:30:00+00:00" for i in range(400)], "date"),
    "times and gaps": ([f"2021-03-{1 + i % 28:02d}T{i % 24:02d}:30:00" if i % 3 else "" for i in range(400)], "date"),
    "constant": (["x"] * 30, "constant"),
    "nothing": ([""] * 30, "empty"),
}


@pytest.mark.parametrize("name", CASES)
def test_cells_come_back_and_are_written_as_they_were(name: str) -> None:
    cells, kind = CASES[name]
    column = learned(objects(cells))
    assert column.kind == kind
    natural = back(column, objects(cells))
    if not isinstance(column, MeasuredColumn):
        assert column.written(natural) == cells
        return
    expected, found = column.numbers_of(objects(cells)), column.numbers_of(natural)
    assert (np.isnan(expected) == np.isnan(found)).all()
    assert column.written(column.natural(expected)) == cells
    known = ~np.isnan(expected)
    spacing = np.diff(column.knots).max(initial=0)
    assert (np.abs(expected - found)[known] <= spacing).all()
    spiked = known & np.isin(expected, column.spikes)
    assert (expected[spiked] == found[spiked]).all()
    # Where nothing is between two knots, numbers come back exactly, but for what float32 holds.
    if len(cells) <= MOST_KNOTS and kind != "date":
        np.testing.assert_allclose(found[known], expected[known], rtol=1e-4, atol=1e-3 * max(1.0, spacing))


@pytest.mark.parametrize("name", CASES)
def test_state_comes_back(name: str) -> None:
    cells = objects(CASES[name][0])
    column = learned(cells)
    plain, tensors = pack_columns([column])
    (other,) = unpack_columns(json.loads(json.dumps(plain)), tensors)
    assert type(other) is type(column)
    assert other.state() == column.state()
    assert other.mode_counts.tolist() == column.mode_counts.tolist()
    first, second = column.encode(cells), other.encode(cells)
    assert first.modes.tolist() == second.modes.tolist()
    assert first.values.tolist() == second.values.tolist()
    assert other.written(other.decode(second.modes, second.values)) == column.written(back(column, cells))


@pytest.mark.parametrize("name", CASES)
def test_pieces_make_no_difference(name: str) -> None:
    cells = objects(CASES[name][0])
    states = [pack_columns([learned(cells, pieces=pieces)]) for pieces in (1, 7)]
    assert states[0][0] == states[1][0]
    for key in ("numbers", "words"):
        assert torch.equal(states[0][1][key], states[1][1][key])


def test_rare_words_each_have_a_share_of_one_mode() -> None:
    cells = objects(["often"] * 500 + [f"r{i // 2}" for i in range(200)])
    column = learned(cells)
    assert isinstance(column, WordColumn)
    assert column.levels == ("often",)
    assert column.mode_counts.tolist() == [200, 500]
    assert len(column.rare) == 100
    drawn = column.decode(np.zeros(10_000, np.int64), RANDOM.uniform(-1, 1, 10_000).astype(np.float32))
    assert set(drawn.tolist()) == set(column.rare)


def test_unknown_words_and_gaps_that_never_were_have_no_mode() -> None:
    assert learned(objects(["a", "b"] * 30)).encode(objects(["c", "", None, "a"])).modes.tolist() == [-1, -1, -1, 0]
    numbers = learned(objects([str(i) for i in RANDOM.integers(0, 900, 99)]))
    assert numbers.encode(objects(["", "x", None])).modes.tolist() == [-1, -1, -1]


def test_numbers_beyond_what_was_seen_are_clipped_and_counted() -> None:
    column = learned(objects(MONEY))
    encoded = column.encode(objects(["-5", "1000000", MONEY[0]]))
    assert encoded.clipped == 2
    assert encoded.values[:2].tolist() == [-1, 1]
    few = learned(objects(["1", "2", "4"] * 20))
    assert back(few, objects(["3.5", "99", "-7"])).tolist() == [4, 4, 1]


def test_a_sample_keeps_the_ends_and_the_counts_of_all() -> None:
    numbers = np.concatenate([np.zeros(30_000), RANDOM.normal(0, 1, 60_000), [-99.5, 99.5]])
    facts = ColumnFacts("x")
    chosen = RANDOM.random(len(numbers)) < 0.1
    chosen[-2:] = False
    facts.add(numbers, [""] * len(numbers), chosen)
    column = learn_column(facts, decide(facts))
    assert isinstance(column, MeasuredColumn)
    assert column.knots[[0, -1]].tolist() == [-99.5, 99.5]
    assert column.spikes.tolist() == [0]
    assert column.counts.sum() == len(numbers)
    assert abs(column.counts[1] - 30_000) < 1500


@pytest.mark.parametrize(
    ("cells", "wanted", "kind"),
    [
        (["1", "2", "1"] * 20, "category", "category"),
        (["1", "0", "1"] * 20, "yes/no", "yes/no"),
        ([str(i) for i in range(60)], "integer", "whole"),
        (["1", "2"] * 20, "decimal", "decimal"),
        (["1", "2"] * 20, "number", "decimal"),
    ],
)
def test_kinds_that_are_asked_for(cells: list[str], wanted: str, kind: str) -> None:
    column = learned(objects(cells), wanted)
    assert column.kind == kind
    assert column.written(back(column, objects(cells))) == cells
    numbers = np.array(list(map(float, cells)))
    assert learned(numbers, wanted).kind == kind


def test_a_column_of_numbers_wanted_as_words_keeps_all_of_them() -> None:
    cells = objects([f"{i % 30_000 + 10_000}" for i in range(90_000)])
    facts = ColumnFacts("zip", keep_words=True)
    facts.add(cells, [""] * len(cells), np.ones(len(cells), bool))
    column = learn_column(facts, decide(facts, "category"))
    assert isinstance(column, WordColumn)
    assert len(column.levels) + len(column.rare) == 30_000


def test_objects_of_truth_with_gaps_are_yes_or_no() -> None:
    column = learned(objects([True, None, False] * 20))
    assert isinstance(column, WordColumn)
    assert (column.kind, column.truth, column.missing) == ("yes/no", True, True)


@pytest.mark.parametrize("pattern", FORMATS)
def test_dates_come_back_in_every_format(pattern: str) -> None:
    times = np.array(["2021-03-25T14:45:31.250000", "1999-12-31T00:00:00"], "datetime64[us]").astype(np.int64)
    text = format_dates(times, pattern)
    again = parse_dates(text, pattern)
    assert format_dates(again, pattern).tolist() == text.tolist()
    assert pattern in formats_of(text.tolist()).fitting
    assert parse_dates(objects(["", None, "soon"]), pattern).tolist() == [np.iinfo(np.int64).min] * 3


@pytest.mark.parametrize(
    ("unit", "time"),
    [
        (86_400_000_000, "2020-01-02"),
        (60_000_000, "2020-01-02T03:04"),
        (1_000, "2020-01-01T00:00:00.5"),
        (1, "2020-01-01T00:00:00.000001"),
    ],
)
def test_units_of_dates(unit: int, time: str) -> None:
    assert unit_of(np.array([time], "datetime64[us]").astype(np.int64)) == unit


def states() -> tuple[list[dict[str, Any]], dict[str, torch.Tensor]]:
    columns = [
        learned(objects(CASES["a spike"][0])),
        learned(objects(CASES["rare words"][0])),
        learned(objects(CASES["days"][0])),
        FixedColumn("c", "constant", "7.0", True),
    ]
    assert all(isinstance(column, Column) for column in columns)
    return pack_columns(columns)


Change = Callable[[list[Any], dict[str, torch.Tensor]], None]


def at(*path: Any, value: Any) -> Change:
    def change(plain: list[Any], tensors: dict[str, torch.Tensor]) -> None:
        place: Any = plain
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value

    return change


def numbers(change: Callable[[torch.Tensor], torch.Tensor]) -> Change:
    return lambda plain, tensors: tensors.__setitem__("numbers", change(tensors["numbers"].clone()))


def words(text: str | bytes) -> Change:
    content = text.encode() if isinstance(text, str) else text
    tensor = torch.from_numpy(np.frombuffer(content, np.uint8).copy())
    return lambda plain, tensors: tensors.__setitem__("words", tensor)


def poked(place: int, value: float) -> Change:
    return numbers(lambda tensor: tensor.index_fill(0, torch.tensor([place]), value))


HOSTILE: dict[str, Change] = {
    "no name": lambda plain, tensors: plain[0].pop("name"),
    "name": at(0, "name", value=5),
    "kind": at(0, "kind", value="category"),
    "kind list": at(1, "kind", value=["category"]),
    "type": at(0, "type", value="nonsense"),
    "type list": at(0, "type", value=[]),
    "extra key": at(0, "more", value=1),
    "extra list": at(0, "lists", "more", value=0),
    "missing is a number": at(0, "missing", value=1),
    "truth is a number": at(1, "truth", value=0),
    "truth of words": at(1, "truth", value=True),
    "length is true": at(0, "lists", "knots", value=True),
    "length is negative": at(0, "lists", "knots", value=-1),
    "length is huge": at(0, "lists", "knots", value=10**18),
    "length is a fraction": at(0, "lists", "knots", value=2.0),
    "lists is a list": at(0, "lists", value=[]),
    "a state is a list": at(0, value=[]),
    "a state is null": at(0, value=None),
    "writing is null": at(0, "writing", value=None),
    "writing is more": at(0, "writing", "more", value=1),
    "digits are true": at(0, "writing", "digits", value=True),
    "digits are a fraction": at(0, "writing", "digits", value=1.5),
    "digits are many": at(0, "writing", "digits", value=10**9),
    "decimal mark": at(0, "writing", "decimal", value="x"),
    "unit": at(2, "writing", "unit", value=0),
    "pattern asks for a gigabyte": at(2, "writing", "pattern", value="%1000000000d"),
    "pattern of numbers": at(0, "writing", "pattern", value="%Y"),
    "nothing is a number": at(0, "writing", "nothing", value=3),
    "fixed number": at(3, "number", value="yes"),
    "NaN knot": poked(3, float("nan")),
    "infinite knot": poked(0, float("-inf")),
    "unsorted knots": poked(0, 1e6),
    "huge whole number": poked(0, -1e200),
    "numbers left over": numbers(lambda tensor: torch.cat([tensor, tensor[:1]])),
    "numbers lacking": numbers(lambda tensor: tensor[:-1]),
    "no numbers": numbers(lambda tensor: tensor[:0]),
    "all NaN": numbers(lambda tensor: tensor * float("nan")),
    "all negative": numbers(lambda tensor: -tensor.abs() - 1),
    "float32": numbers(lambda tensor: tensor.float()),
    "two dimensions": numbers(lambda tensor: tensor[None]),
    "no tensor": lambda plain, tensors: tensors.pop("words"),  # type: ignore[arg-type, return-value]
    "words are no JSON": words("["),
    "words are no text": words(b"\xff\xff"),
    "words are deep": words("[" * 100_000),
    "words are an object": words("{}"),
    "words are numbers": words("[1, 2, 3, 4]"),
    "words of other columns": words('[{}, {"levels": [1], "rare": []}, {}, {"word": ["7.0"]}]'),
    "words twice": words('[{}, {"levels": ["a", "a"], "rare": []}, {}, {"word": ["7.0"]}]'),
    "no words": words('[{}, {"levels": [], "rare": []}, {}, {"word": []}]'),
    "a word too many": words('[{"more": []}, {"levels": ["a"], "rare": []}, {}, {"word": ["7.0"]}]'),
    "a fixed number that is none": words('[{}, {"levels": ["a"], "rare": []}, {}, {"word": ["x"]}]'),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_state_is_refused(name: str) -> None:
    plain, tensors = states()
    unpack_columns(plain, tensors)
    plain, tensors = copy.deepcopy(plain), dict(tensors)
    HOSTILE[name](plain, tensors)
    with pytest.raises((ValueError, TypeError, KeyError)):
        unpack_columns(plain, tensors)


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("titanic_kaggle_train", {"Age": "decimal", "Fare": "decimal", "Sex": "category", "SibSp": "whole"}),
        ("penguins", {"species": "category", "body_mass_g": "whole", "bill_length_mm": "decimal"}),
        ("taxis", {"pickup": "date", "dropoff": "date", "passengers": "whole", "fare": "decimal"}),
        ("diamonds", {"carat": "decimal", "cut": "category", "price": "whole"}),
        ("auto_imports", {"column 1": "whole", "column 3": "category", "column 10": "decimal"}),
        ("california_housing", {"median_income": "decimal", "ocean_proximity": "category"}),
        ("adult_train_raw", {"column 1": "whole", "column 2": "category"}),
    ],
)
def test_real_tables_are_understood_and_come_back(
    name: str, kinds: dict[str, str], shared_data: Callable[[str], Path]
) -> None:
    data = prepare(shared_data(f"tables/{name}.csv"))
    assert isinstance(data.codec, TableCodec)
    columns = {column.name: column for column in data.codec.columns}
    assert {column: columns[column].kind for column in kinds} == kinds
    frame = data.codec.decode(data.codec.expand(data.batch(np.arange(len(data)))))
    assert len(frame) == data.report.found
    if name == "penguins":
        assert frame["sex"].isna().sum() == 11
        assert str(frame["body_mass_g"].dtype) == "Int64"
    if name == "taxis":
        assert str(frame["pickup"].iloc[0]) == "2019-03-23 20:21:09"


def test_one_number_without_its_zeros_does_not_take_them_from_all_others(tmp_path: Path) -> None:
    """As in a table of cars: 200 numbers with two decimals each, and one that was typed as 93."""
    numbers = [f"{value:.2f}" for value in np.random.default_rng(0).integers(860, 1210, 200) / 10]
    (tmp_path / "cars.csv").write_text("\n".join(["base,doors", *(f"{each},two" for each in [*numbers, "93"])]) + "\n")
    codec = prepare(tmp_path / "cars.csv").codec
    assert isinstance(codec, TableCodec)
    (base,) = [column for column in codec.columns if column.name == "base"]
    assert base.written(np.array([99.5, 93.0])) == ["99.50", "93.00"]


def test_numbers_that_end_where_they_end_are_written_so(tmp_path: Path) -> None:
    numbers = [f"{value:g}" for value in np.random.default_rng(0).integers(8600, 12100, 200) / 100]
    (tmp_path / "cars.csv").write_text("\n".join(["base,doors", *(f"{each},two" for each in numbers)]) + "\n")
    codec = prepare(tmp_path / "cars.csv").codec
    assert isinstance(codec, TableCodec)
    (base,) = [column for column in codec.columns if column.name == "base"]
    assert base.written(np.array([99.5, 93.25])) == ["99.5", "93.25"]


@pytest.mark.parametrize(
    ("numbers", "slips", "written"),
    [
        ([str(value) for value in range(-20, 40)] * 50, ["14.66666667", "9.333333333"], ["12", "-3"]),
        ([f"{value / 10:.1f}" for value in range(600)] * 5, ["14.66666667"], ["12.3", "-3.0"]),
    ],
    ids=["whole degrees", "tenths"],
)
def test_some_reckoned_numbers_do_not_give_all_others_their_decimals(
    numbers: list[str], slips: list[str], written: list[str], tmp_path: Path
) -> None:
    """As in Beijing's weather: 43,822 whole degrees, and two that somebody has filled in."""
    (tmp_path / "weather.csv").write_text("\n".join(["heat,wind", *(f"{each},west" for each in [*numbers, *slips])]) + "\n")
    codec = prepare(tmp_path / "weather.csv").codec
    assert isinstance(codec, TableCodec)
    (heat,) = [column for column in codec.columns if column.name == "heat"]
    assert heat.written(np.array([12.3, -3.0])) == written


def test_numbers_with_exponents_keep_their_digits(tmp_path: Path) -> None:
    """Whose text has no decimals, mostly."""
    numbers = [f"{value}e-05" for value in np.random.default_rng(0).permutation(3000)] + ["0.000123456789"]
    (tmp_path / "doses.csv").write_text("\n".join(["dose,kind", *(f"{each},a" for each in numbers)]) + "\n")
    codec = prepare(tmp_path / "doses.csv").codec
    assert isinstance(codec, TableCodec)
    (dose,) = [column for column in codec.columns if column.name == "dose"]
    assert dose.written(np.array([0.00012])) == ["0.00012"]
