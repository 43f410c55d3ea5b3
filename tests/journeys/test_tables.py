"""From a table to new rows, as a user goes: a file with a semicolon, a decimal comma, gaps, dates and ids."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from ganwright.cli.app import run

pytestmark = pytest.mark.costly

COLUMNS = ["order_id", "price", "qty", "day", "region", "borough", "zone", "vip"]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the table, and a run that was trained on it for a few steps."""
    folder = tmp_path_factory.mktemp("shop")
    random = np.random.default_rng(0)
    towns = {"North": ("A", 11), "South": ("A", 12), "East": ("B", ""), "West": ("C", 14)}
    with (folder / "sales.csv").open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(COLUMNS)
        for number in range(400):
            price = f"{random.lognormal(3, 1):.2f}".replace(".", ",")
            region = random.choice(list(towns))
            day = f"{random.integers(1, 29):02}.{random.integers(1, 13):02}.2024"
            vip = random.choice(["yes", "no"]) if random.random() > 0.2 else ""
            writer.writerow([5000 + number, price, random.integers(1, 60), day, region, *towns[region], vip])
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("GANWRIGHT_CACHE", str(folder / "cache"))
        assert run(["train", "sales.csv", "--steps", "12", "--batch", "64", "--run", "runs/shop"]) == 0
    return folder


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


@pytest.fixture(autouse=True)
def there(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shop)


def test_what_was_found_is_said(shop: Path) -> None:
    report = json.loads((shop / "runs/shop/data_report.json").read_text(encoding="utf-8"))
    notes = " | ".join(report["notes"])
    assert "semicolon" in notes
    assert "decimal comma" in notes
    assert "left out: order_id (different in every row" in notes
    assert "region decides borough" in notes
    assert report["used"] == 400


def test_new_rows_are_written_as_the_old_ones(shop: Path) -> None:
    assert run(["sample", "runs/shop", "-n", "300", "-o", "new/synthetic.csv"]) == 0
    rows = rows_of(shop / "new/synthetic.csv")
    assert len(rows) == 300
    assert list(rows[0]) == COLUMNS[1:]
    for row in rows:
        whole, comma, cents = row["price"].partition(",")
        assert comma
        assert whole.isdigit()
        assert len(cents) == 2
        assert row["qty"].isdigit()
        assert 1 <= int(row["qty"]) <= 59
        assert len(row["day"]) == 10
        assert row["day"].endswith(".2024")
        assert row["vip"] in ("yes", "no", "")
        assert row["borough"] == {"North": "A", "South": "A", "East": "B", "West": "C"}[row["region"]]


def test_rows_as_asked_for(shop: Path) -> None:
    wishes = ["--where", "region=North|East", "--where", "qty=10..20", "--where", "day>=2024-06-01", "--where", "vip="]
    assert run(["sample", "runs/shop", "-n", "50", *wishes, "-o", "some.csv"]) == 0
    for row in rows_of(shop / "some.csv"):
        assert row["region"] in ("North", "East")
        assert 10 <= int(row["qty"]) <= 20
        assert int(row["day"][3:5]) >= 6
        assert row["vip"] == ""


def test_a_wish_that_makes_no_sense_is_answered(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["sample", "runs/shop", "--where", "region=Nort"]) == 2
    assert "never is 'Nort'" in capsys.readouterr().err
    assert run(["sample", "runs/shop", "--where", "colour=red"]) == 2
    assert "no column 'colour'" in capsys.readouterr().err
    assert run(["sample", "runs/shop", "--where", "region"]) == 2
    assert "asks for nothing" in capsys.readouterr().err


def test_rows_are_completed(shop: Path) -> None:
    (shop / "known.csv").write_text("region;qty\nSouth;7\nWest;\n", encoding="utf-8")
    assert run(["sample", "runs/shop", "--match", "known.csv", "-o", "completed.csv"]) == 0
    rows = rows_of(shop / "completed.csv")
    assert [row["region"] for row in rows] == ["South", "West"]
    assert rows[0]["qty"] == "7"
    assert rows[1]["qty"].isdigit()
    assert all(row["price"] and row["day"] for row in rows)


def test_ids_are_made_anew(shop: Path) -> None:
    assert run(["sample", "runs/shop", "-n", "20", "--ids", "-o", "ids.csv"]) == 0
    ids = [int(row["order_id"]) for row in rows_of(shop / "ids.csv")]
    assert len(set(ids)) == 20
    assert min(ids) > 5399


def test_a_table_can_be_evaluated(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["evaluate", "runs/shop", "-n", "300"]) == 0
    said = capsys.readouterr().out
    assert "runs/shop" in said
    assert (shop / "runs/shop/report.html").is_file()
    assert "region" in (shop / "runs/shop/report.html").read_text(encoding="utf-8")


def test_another_mans_table_is_not_written_over(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["sample", "runs/shop", "-n", "5", "-o", "sales.csv"]) == 3
    assert "was not made by Ganwright" in capsys.readouterr().err
    assert "5000;" in (shop / "sales.csv").read_text(encoding="utf-8-sig")
