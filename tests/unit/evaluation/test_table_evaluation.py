"""Evaluations of tables from end to end: what is measured, told and drawn."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from evaluations import HOSTILE, an_evaluation
from PIL import Image

from ganwright import evaluate
from ganwright.data.table_rows import TableRows
from ganwright.evaluation.cells import cell_text
from ganwright.evaluation.column_svg import column_plot
from ganwright.evaluation.comparison import comparison_lines, read_comparison
from ganwright.evaluation.comparison_picture import draw_comparison
from ganwright.evaluation.nearest_rows import draw_rows
from ganwright.evaluation.report import write_report
from ganwright.evaluation.result import ColumnPlot, Evaluation
from ganwright.evaluation.telling import lines

pytestmark = pytest.mark.costly


def rows(count: int, seed: int) -> pd.DataFrame:
    """Numbers, a date, words one of which is rare, and gaps."""
    draw = np.random.default_rng(seed)
    age = np.rint(draw.gamma(6, 7, count))
    income = np.where(draw.random(count) < 0.1, np.nan, np.round(age * 30 + draw.normal(0, 200, count), 2))
    city = np.array(["Kyiv", "Lviv", "Sumy"], object)[draw.choice(3, count, p=[0.6, 0.395, 0.005])]
    since = pd.Timestamp("2020-01-01") + pd.to_timedelta(draw.integers(0, 900, count), unit="D")
    rich = np.where(age + 10 * (city == "Kyiv") + draw.normal(0, 6, count) > 50, "yes", "no")
    return pd.DataFrame({"age": age.astype(int), "income": income, "city": city, "since": since, "rich": rich})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With the evaluation of fresh rows."""
    where = tmp_path_factory.mktemp("evaluation")
    evaluate(rows(1200, 0), rows(1000, 2), held_out=rows(400, 1), folder=where)
    return where


@pytest.fixture
def fresh(folder: Path) -> Evaluation:
    return Evaluation.read(folder)


def test_a_table_is_compared_as_it_is_encoded_and_measured_by_its_columns(fresh: Evaluation) -> None:
    found = fresh
    assert found.features.startswith("encoded-v1-")
    assert {"shapes", "trends", "detection", "utility", "rare", "frechet", "copies", "exact_copies", "membership"} <= set(
        found.measurements
    )
    assert found.failed == {}
    assert list(found.by_column) == ["age", "income", "city", "since", "rich"]
    assert found.by_column["income"]["real_missing"] == pytest.approx(0.1, abs=0.03)
    assert len(found.by_pair) == 10
    assert all(each["real"] > 0.8 for each in found.by_column.values())


def test_verdicts_tell_what_matters_of_fresh_rows(fresh: Evaluation) -> None:
    told = "\n".join(fresh.notes)
    for question in ("Looks real? A classifier", "Has the same columns?", "Useful?", "Copies? No sign", "Private? No leak"):
        assert question in told
    assert "Covers what is rare?" not in told
    assert "Copies whole rows?" not in told


def test_copies_are_told() -> None:
    train = rows(1200, 0)
    told = "\n".join(evaluate(train, train[:600], held_out=rows(400, 1)).notes)
    for answer in ("Copies? Yes", "Copies whole rows? 100% of the samples are training rows", "Private? Not quite"):
        assert answer in told


def test_the_evaluation_is_kept_and_told_whole(fresh: Evaluation) -> None:
    found = fresh
    assert [plot.name for plot in found.plots] == ["age", "income", "city", "since", "rich"]
    for plot in found.plots:
        assert len(plot.real) == len(plot.fake)
        assert sum(plot.real) == pytest.approx(1, abs=1e-3)
    dates = found.plots[3]
    assert (dates.kind, dates.form) == ("date", "histogram")
    assert dates.texts[0].startswith("2020-01")
    told = lines(found, 80)
    assert max(map(len, told)) <= 80
    for words in ("columns least alike", "pairs least alike", "AUC of rich", "told from real rows"):
        assert any(words in line for line in told)


def test_the_report_shows_each_column_in_place_of_pictures(folder: Path) -> None:
    page = (folder / "report.html").read_text()
    assert page.count('class="spread"') == 5
    assert "<h2>Samples</h2>" not in page
    assert "nearest.png" in page
    assert "pair of columns, least alike first" in page
    assert "the training row nearest to it" in page
    with Image.open(folder / "nearest.png") as picture:
        assert picture.width < 1000


def test_names_of_columns_stay_names(tmp_path: Path) -> None:
    plot = ColumnPlot(HOSTILE, "category", "bars", (HOSTILE, "b"), (0.5, 0.5), (0.4, 0.6))
    figures = {HOSTILE: {"alike": 0.9, "real": 0.95}}
    an_evaluation(plots=(plot,), by_column=figures, by_pair=figures, measurements={}).write(tmp_path)
    page = write_report(tmp_path).read_text()
    assert "<script" not in page
    assert "\x1b" not in page
    assert not any("\x1b" in line for line in lines(Evaluation.read(tmp_path)))


def test_plots_that_make_no_sense_are_left_out_or_drawn() -> None:
    assert column_plot(ColumnPlot("a", "whole", "histogram", (), (), ())) == ""
    assert column_plot(ColumnPlot("a", "category", "bars", ("x",), (0.5, 0.5), (0.5, 0.5))) == ""
    assert "NaN" not in column_plot(ColumnPlot("a", "whole", "histogram", ("0", "1"), (0.0,), (0.0,)))


def test_evaluations_of_tables_are_compared(fresh: Evaluation, tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        fresh.write(tmp_path / name)
    comparison = read_comparison([tmp_path / "one", tmp_path / "other"])
    assert any("worth to learn from" in line for line in comparison_lines(comparison, 120))
    assert draw_comparison(comparison).width > 100


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (3.0, "whole", "3"),
        (0.123456789, "decimal", "0.123457"),
        (float("nan"), "whole", "(missing)"),
        (None, "category", "(missing)"),
        ("", "category", '""'),
        ("a\x1bb", "category", "a?b"),
        (1.5778368e15, "date", "2020-01-01"),
        (1.5778368e15 + 3.6e9, "date", "2020-01-01 01:00:00"),
    ],
)
def test_cells_are_written_for_people(value: float | str | None, kind: str, text: str) -> None:
    assert cell_text(value, kind) == text


def test_of_many_columns_the_first_are_drawn_beside_their_neighbours() -> None:
    names = [f"column {i} with a name that is much too long to stand in a line" for i in range(80)]
    table = TableRows({name: np.arange(3.0) * 1e6 for name in names}, dict.fromkeys(names, "whole"))
    picture = draw_rows(table, table.take(np.array([0, 2, 2])), 2)
    assert picture.height < 1400
    assert len(np.unique(np.asarray(picture).reshape(-1, 3), axis=0)) > 5


def test_a_table_of_one_column_is_evaluated() -> None:
    draw = np.random.default_rng(0)
    one, other = (pd.DataFrame({"height": draw.normal(170, 8, 300).round(2)}) for _ in range(2))
    found = evaluate(one, other)
    assert "shapes" in found.measurements
    assert {"trends", "utility", "rare"} <= set(found.failed)
    assert json.dumps(found.plain())


def test_rows_of_others_are_measured_though_they_break_what_holds_in_all_real_rows() -> None:
    train = rows(600, 0)
    train["district"] = train["city"].replace({"Kyiv": "north", "Lviv": "west", "Sumy": "east"})
    fake = train.sample(frac=1, random_state=0).reset_index(drop=True)
    fake["district"] = np.random.default_rng(0).permutation(fake["district"])
    found = evaluate(train, fake)
    assert found.counts["samples"] == 600
    assert next(iter(found.by_pair)) == "city with district"


def test_samples_that_are_left_out_are_told_of() -> None:
    fake = rows(300, 2)
    fake.loc[:9, "city"] = "Atlantis"
    (note,) = [note for note in evaluate(rows(600, 0), fake).notes if "left out" in note]
    assert note.startswith("Of 300 samples 10 are left out: ")
