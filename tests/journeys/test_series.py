"""From a table of stations to new stations, as a user goes: gaps, words, different lengths, a question."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from support import station_rows

from ganwright import GAN, Series
from ganwright.cli.app import run

pytestmark = pytest.mark.costly

SAID = ["--time-column", "day", "--series-column", "station"]


@pytest.fixture(scope="module")
def stations(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the table, and a run that was trained on it for a few steps."""
    folder = tmp_path_factory.mktemp("stations")
    (folder / "stations.csv").write_text("\n".join(station_rows(240)), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("GANWRIGHT_CACHE", str(folder / "cache"))
        assert run(["train", "stations.csv", *SAID, "--steps", "4", "--batch", "16", "--run", "runs/weather"]) == 0
    return folder


@pytest.fixture(autouse=True)
def there(stations: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(stations)
    monkeypatch.setenv("GANWRIGHT_CACHE", str(stations / "cache"))


def test_what_was_found_is_said(stations: Path) -> None:
    notes = " | ".join(json.loads((stations / "runs/weather/data_report.json").read_text(encoding="utf-8"))["notes"])
    assert "a step is 1 day (day)" in notes
    assert "the same in all of a series: city (3)" in notes
    assert "missing in some steps, and in samples too: temp" in notes
    assert "8 to 12 steps" in notes


def test_new_series_are_a_table_like_the_old_one(stations: Path) -> None:
    assert run(["sample", "runs/weather", "-n", "70", "-o", "new/made.csv", "--seed", "3"]) == 0
    made, old = pd.read_csv("new/made.csv"), pd.read_csv("stations.csv")
    assert list(made.columns) == list(old.columns)
    assert made["station"].unique().tolist() == list(range(1, 71))
    assert set(made.groupby("station")["city"].nunique().tolist()) == {1}
    assert set(made["sky"]) <= {"clear", "grey"}
    days = pd.to_datetime(made["day"]).groupby(made["station"]).diff().dropna()
    assert set(days.tolist()) == {pd.Timedelta(days=1)}
    assert run(["sample", "runs/weather", "-n", "5", "-o", "new/few.csv", "--seed", "3"]) == 0
    few = pd.read_csv("new/few.csv")
    assert few.to_csv() == made.head(len(few)).to_csv()


def test_series_are_measured_and_drawn_beside_real_ones(stations: Path) -> None:
    assert run(["evaluate", "runs/weather", "-n", "60", "--seed", "1"]) == 0
    found = json.loads((stations / "runs/weather/evaluation.json").read_text(encoding="utf-8"))
    measured = found["measurements"]
    assert {"told_apart", "discriminative", "predictive", "autocorrelation", "cross_correlation", "marginals"} <= set(
        measured
    )
    assert all(
        each["floor"] is not None for name, each in measured.items() if name in ("told_apart", "predictive", "marginals")
    )
    assert any(note.startswith("Looks real?") for note in found["notes"])
    assert any(note.startswith("Moves alike?") for note in found["notes"])
    assert (stations / "runs/weather/grid.png").stat().st_size > 5_000


def test_a_run_goes_on_for_six_steps_more(stations: Path) -> None:
    assert run(["resume", "runs/weather", "--steps", "6"]) == 0
    status = json.loads((stations / "runs/weather/status.json").read_text(encoding="utf-8"))
    assert status["step"] == 10


def test_a_table_that_looks_like_series_is_asked_about(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["train", "stations.csv", "--steps", "2"]) == 2
    said = capsys.readouterr().err
    assert "E-SERIES-09" in said
    assert "--time-column 'day' --series-column 'station'" in said
    assert run(["preview", "stations.csv", "--rows", "-o", "rows.png"]) == 0
    assert "rows" in capsys.readouterr().out


def test_rows_are_one_thing_or_the_other(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["train", "stations.csv", "--rows", *SAID, "--steps", "2"]) == 2
    assert "E-SERIES-03" in capsys.readouterr().err


def test_samples_in_python_are_data_frames() -> None:
    gan = GAN("conv_series", batch=8, modality=Series(time_column="day", series_column="station"))
    gan.fit("stations.csv", steps=2)
    frames = gan.sample(3)
    assert [list(each.columns) for each in frames] == [["day", "city", "temp", "sky", "hum"]] * 3
