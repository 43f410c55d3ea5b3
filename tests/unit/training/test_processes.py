"""One, two and four processes train the same, up to the order of sums."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import process_worker
import pytest

pytestmark = pytest.mark.costly

WORKER = Path(process_worker.__file__)
CASES = tuple(process_worker.cases())


@pytest.fixture(scope="module")
def alone() -> dict[str, Any]:
    """What a lone process trains."""
    return process_worker.all_of_them()


@pytest.fixture(scope="module", params=[2, pytest.param(4, marks=pytest.mark.long)])
def together(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What so many processes train."""
    folder = tmp_path_factory.mktemp("processes")
    arguments = [str(request.param), str(folder / "store"), str(folder / "out.json")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(WORKER.parent), *sys.path]), "OMP_NUM_THREADS": "1"}
    workers = [
        subprocess.Popen([sys.executable, str(WORKER), str(rank), *arguments], env=environment)
        for rank in range(request.param)
    ]
    codes = [worker.wait(timeout=600) for worker in workers]
    assert not any(codes)
    found: dict[str, Any] = json.loads((folder / "out.json").read_text())
    return found


@pytest.mark.parametrize("recipe", process_worker.recipes())
def test_every_recipe_trains_in_several_processes_as_in_one(
    recipe: str, alone: dict[str, Any], together: dict[str, Any]
) -> None:
    check(alone[f"recipe {recipe}"], together[f"recipe {recipe}"], 1e-6)


@pytest.mark.parametrize(("precision", "most"), [("double", 1e-6), ("single", 1e-3)])
@pytest.mark.parametrize("case", CASES)
def test_processes_that_share_a_batch_train_as_one(
    case: str, precision: str, most: float, alone: dict[str, Any], together: dict[str, Any]
) -> None:
    check(alone[f"{case}, {precision}"], together[f"{case}, {precision}"], most)


def check(mine: dict[str, Any], theirs: dict[str, Any], most: float) -> None:
    """Numbers of every step, samples, and weights."""
    for step, (one, other) in enumerate(zip(mine["trace"], theirs["trace"], strict=True)):
        assert one.keys() == other.keys()
        for name, value in one.items():
            assert other[name] == pytest.approx(value, rel=most, abs=most), f"{name} of step {step}"
    assert theirs["samples"] == pytest.approx(mine["samples"], rel=most, abs=most)
    assert theirs["weights"] == pytest.approx(mine["weights"], rel=most, abs=most)
