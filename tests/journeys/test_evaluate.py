"""How good is it? From the command line, in processes of its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.costly

Run = Callable[..., subprocess.CompletedProcess[str]]
QUICK = ("-n", "120", "--features", "random")


def run_in(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """A command line in a folder, and what came out of it."""
    command = [sys.executable, "-m", "ganwright", *map(str, arguments)]
    # Said here, since a folder that several tests share is filled before any of them has a cache of its own.
    environment = {**os.environ, "GANWRIGHT_CACHE": str(folder / ".cache")}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600, check=False)


@pytest.fixture
def ganwright(tmp_path: Path) -> Run:
    """`ganwright("evaluate", "run")` in an empty folder."""
    return lambda *arguments: run_in(tmp_path, *arguments)


def draw_pictures(folder: Path, count: int, seed: int, noise: float = 0.0) -> Path:
    """`count` little pictures of a square somewhere on a colour, in two classes."""
    random = np.random.default_rng(seed)
    for number in range(count):
        warm = number % 2
        home = folder / ("warm" if warm else "cold")
        home.mkdir(parents=True, exist_ok=True)
        pixels = np.full((12, 12, 3), (220, 90, 40) if warm else (40, 90, 220), np.float64)
        x, y = random.integers(0, 7, 2)
        pixels[y : y + 5, x : x + 5] = random.integers(0, 256, 3)
        pixels += noise * random.standard_normal(pixels.shape)
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(home / f"{number}.png")
    return folder


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return draw_pictures(tmp_path / "photos", 400, 0)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with photos, a run that learned from them, and its model alone elsewhere; nothing is to be written there."""
    folder = tmp_path_factory.mktemp("trained")
    draw_pictures(folder / "photos", 60, 0)
    done = run_in(folder, "train", "photos", "--steps", 1, "--batch", 8, "--run", "run", "--recipe", "mlp")
    assert done.returncode == 0, done.stderr
    (folder / "elsewhere").mkdir()
    shutil.copy(folder / "run" / "model.safetensors", folder / "elsewhere")
    return folder


def test_from_a_run_to_its_report(ganwright: Run, photos: Path, tmp_path: Path) -> None:
    trained = ganwright("train", photos, "--steps", 4, "--batch", 8, "--run", "run", "--recipe", "mlp")
    assert trained.returncode == 0, trained.stderr
    assert "keep  40 of them from training" in trained.stdout
    # The next command that is printed works as printed, but for its length.
    offered = re.search(r"ganwright (evaluate \S+)", trained.stdout)
    assert offered is not None
    found = ganwright(*offered[1].split(), *QUICK)
    assert found.returncode == 0, found.stderr
    assert "Looks real?" in found.stdout
    assert "Covers the data?" in found.stdout
    assert "Copies?" in found.stdout
    run = tmp_path / "run"
    assert {"evaluation.json", "nearest.png", "grid.png", "report.html"} <= {path.name for path in run.iterdir()}
    evaluation = json.loads((run / "evaluation.json").read_text())
    assert evaluation["counts"] == {"train": 360, "samples": 120, "held_out": 40}
    assert "precision" in (run / "report.html").read_text()

    # Again, over files of ours: allowed.
    assert ganwright("evaluate", "run", *QUICK).returncode == 0


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What two evaluations of a run say, the first with its data named."""
    folder = tmp_path_factory.mktemp("evaluated")
    draw_pictures(folder / "photos", 400, 0)
    done = run_in(folder, "train", "photos", "--steps", 4, "--batch", 8, "--run", "run", "--recipe", "mlp")
    assert done.returncode == 0, done.stderr
    found = [run_in(folder, "evaluate", "run", *data, *QUICK, "--json") for data in (("photos",), ())]
    assert [each.returncode for each in found] == [0, 0], found[0].stderr + found[1].stderr
    return [json.loads(each.stdout) for each in found]


def test_json_gives_every_measurement_with_interval_counts_and_protocol(documents: list[dict[str, Any]]) -> None:
    document = documents[0]
    assert document["features"].startswith("random")
    assert document["seed"] == 0
    assert document["failed"] == {}
    assert document["measurements"]["frechet"]["error"] > 0
    for name in ("frechet", "kernel_distance", "cmmd", "precision", "recall", "density", "coverage", "copying"):
        measurement = document["measurements"][name]
        assert measurement["count"] == 120
        assert measurement["protocol"]
        assert measurement["error"] is None or measurement["error"] >= 0
    for name in ("frechet", "kernel_distance", "precision", "coverage"):
        assert document["measurements"][name]["floor"] is not None
        assert document["measurements"][name]["floor_count"] == 40


def test_evaluating_twice_gives_the_same_figures(documents: list[dict[str, Any]]) -> None:
    first, second = documents
    assert first["measurements"] == second["measurements"]


def test_two_folders_and_no_model(ganwright: Run, photos: Path, tmp_path: Path) -> None:
    good = draw_pictures(tmp_path / "good", 300, 1)
    bad = draw_pictures(tmp_path / "bad", 300, 2, noise=40.0)
    answers = [
        ganwright("evaluate", "--real", photos, "--fake", fake, "--features", "random", "-o", f"of-{fake.name}", "--json")
        for fake in (good, bad)
    ]
    assert [answer.returncode for answer in answers] == [0, 0], answers[0].stderr + answers[1].stderr
    measured = [json.loads(answer.stdout)["measurements"] for answer in answers]
    for name in ("frechet", "kernel_distance"):
        assert measured[0][name]["value"] < measured[1][name]["value"]
    assert measured[0]["precision"]["value"] > measured[1]["precision"]["value"]
    assert "copying" not in measured[0], "whoever made them may have seen every record"
    assert "memorisation" in json.loads(answers[0].stdout)["failed"]
    assert (tmp_path / "of-good" / "report.html").is_file()

    copied = ganwright(
        "evaluate", "--real", photos, "--fake", photos, "--held-out", good, "--features", "random", "-o", "of-copies"
    )
    assert copied.returncode == 0, copied.stderr
    assert "Copies? Yes" in copied.stdout


def test_a_part_of_the_data_is_evaluated_as_that_part(ganwright: Run, photos: Path, tmp_path: Path) -> None:
    """With --limit and --dedupe, the records are those that the run had."""
    for number in range(2, 42, 2):
        shutil.copy(photos / "cold" / "0.png", photos / "cold" / f"{number}.png")
    flags = ("--limit", 300, "--dedupe", "--steps", 1, "--batch", 8, "--recipe", "mlp")
    trained = ganwright("train", photos, *flags, "--run", "run")
    assert trained.returncode == 0, trained.stderr
    found = ganwright("evaluate", "run", *QUICK, "--json")
    assert found.returncode == 0, found.stderr
    document = json.loads(found.stdout)
    used = json.loads((tmp_path / "run" / "data_report.json").read_text())["used"]
    assert used < 300
    assert document["counts"]["train"] + document["counts"]["held_out"] == used
    assert "not quite the records" not in found.stdout


def test_a_run_without_holdout_cannot_tell_copies(ganwright: Run, photos: Path) -> None:
    trained = ganwright("train", photos, "--steps", 2, "--batch", 8, "--run", "run", "--recipe", "mlp", "--no-holdout")
    assert "from training" not in trained.stdout
    found = ganwright("evaluate", "run", *QUICK)
    assert found.returncode == 0, found.stderr
    assert "Copies? Not known" in found.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("evaluate", "nowhere"), 4, "there is no model"),
        (("evaluate", "--real", "photos"), 2, "both --real and --fake"),
        (("evaluate", "run", "--real", "photos", "--fake", "photos"), 2, "both --real and --fake"),
        (("evaluate", "run", "--features", "rondom"), 2, "random"),
        (("evaluate", "run", "missing"), 3, "missing"),
        (("evaluate", "run", "-n", "3"), 3, "too few"),
        (("evaluate", "elsewhere/model.safetensors"), 2, "ganwright evaluate MODEL DATA"),
        (("compare", "run", "elsewhere"), 3, "ganwright evaluate"),
        (("train", "photos", "--patience", "0"), 2, "patience"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_mistakes_are_told_in_a_few_lines(trained: Path, arguments: tuple[str, ...], code: int, said: str) -> None:
    found = run_in(trained, *arguments)
    assert found.returncode == code, found.stdout + found.stderr
    assert said in found.stderr
    assert "Traceback" not in found.stderr
    assert len(found.stderr.splitlines()) <= 6


def test_an_evaluation_of_an_earlier_model_is_told_of(ganwright: Run, photos: Path) -> None:
    for run in ("one", "two"):
        assert ganwright("train", photos, "--steps", 2, "--batch", 8, "--run", run, "--recipe", "mlp").returncode == 0
        assert ganwright("evaluate", run, *QUICK).returncode == 0
    assert "older" not in ganwright("compare", "one", "two").stdout
    assert ganwright("resume", "one", "--steps", 3).returncode == 0
    said = ganwright("compare", "one", "two").stdout
    assert "one: evaluated after 16 samples, its model has seen 40 now" in said
    assert "ganwright evaluate one" in said
