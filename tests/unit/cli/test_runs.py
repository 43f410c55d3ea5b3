"""`ganwright runs` and `ganwright show`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ganwright import GAN
from ganwright.cli.app import run as command
from ganwright.model.run_summary import read_summary, runs_in
from ganwright.runtime.lock import held


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run that is finished and scored."""
    folder = tmp_path_factory.mktemp("here")
    np.save(folder / "pictures.npy", np.random.default_rng(0).integers(0, 256, (300, 8, 8, 1), np.uint8))
    settings = {"scoring": {"every_samples": 64 * 6, "samples": 60}}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANWRIGHT_CACHE", str(folder / "cache"))
        GAN("mlp", seed=5, batch=64, settings=settings).fit(folder / "pictures.npy", steps=12, run=folder / "runs" / "first")
    return folder


@pytest.fixture
def here(trained: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(trained)
    return trained


def say_of(run: Path, **changes: object) -> None:
    status = json.loads((run / "status.json").read_text())
    (run / "status.json").write_text(json.dumps({**status, **changes}))


def test_runs_are_listed_with_how_they_stand(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["runs"]) == 0
    head, first, *_ = capsys.readouterr().out.splitlines()
    assert head.split()[:5] == ["run", "state", "step", "score", "trained"]
    kept = json.loads((here / "runs/first/scores.jsonl").read_text().splitlines()[-1])["kept_frechet"]
    assert first.split()[:6] == ["first", "finished", "12", "of", "12", f"{kept:.3g}"]


def test_a_program_gets_the_same(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["runs", "--json"]) == 0
    (run,) = json.loads(capsys.readouterr().out)["runs"]
    assert (run["state"], run["step"], run["steps"], run["resumable"]) == ("finished", 12, 12, False)
    assert run["picture"] == "runs/first/samples/000012.png"
    assert run["kept_score"] == pytest.approx(run["scores"][-1]["kept_frechet"])


def test_no_runs_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    assert command(["runs"]) == 0
    assert "ganwright train PATH" in capsys.readouterr().out


def test_one_run_is_shown_with_what_comes_next(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["show"]) == 0
    said = capsys.readouterr().out
    for line in (
        "run       runs/first",
        "trained   12 of 12 steps (100%)",
        "seed 5",
        "copies    step",
        "ganwright sample runs/first",
    ):
        assert line in said
    assert "ganwright resume" not in said
    assert command(["show", "nowhere"]) == 4
    assert "no run 'nowhere'" in capsys.readouterr().err


@pytest.mark.parametrize("state", ["stopped", "preempted", "diverged", "failed", "running"])
def test_a_run_that_did_not_finish_can_be_gone_on_with(state: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = here / "runs" / "first"
    before = (run / "status.json").read_text()
    try:
        say_of(run, state=state)
        found = read_summary(run)
        assert found.state == ("killed" if state == "running" else state), "who says that it runs and does not was killed"
        assert command(["show", "first"]) == 0
        assert "ganwright resume runs/first" in capsys.readouterr().out
    finally:
        (run / "status.json").write_text(before)


def test_a_run_that_trains_is_running(here: Path) -> None:
    code = "import sys; from pathlib import Path; from ganwright.runtime.lock import held\n"
    code += "with held(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    lock = here / "runs/first/.lock"
    with subprocess.Popen([sys.executable, "-c", code, lock], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        assert read_summary(here / "runs/first").state == "running"
        holder.communicate()
    assert read_summary(here / "runs/first").state == "finished"
    with held(lock):
        pass


def test_a_damaged_folder_is_told(here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "config.toml").write_text("train = [")
    assert command(["show", str(tmp_path / "bad")]) == 4
    assert "E-RUN-09" in capsys.readouterr().err


def test_what_a_stranger_wrote_steers_no_terminal(here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = (here / "runs/first/config.toml").read_text()
    run = tmp_path / "runs" / "x"
    run.mkdir(parents=True)
    (run / "config.toml").write_text(config.replace('name = "pictures"', 'name = "a\\u001b[2Jb"', 1))
    (run / "status.json").write_text('{"state": "fin\\u001b[31mished", "why": "\\u001b]0;x"}')
    (run / "metrics.jsonl").write_text('{"step": "many", "samples_seen": [1]}\n[[[\n{"step": 1e400}\n')
    assert command(["show", str(run)]) == 0
    assert command(["runs", str(run.parent)]) == 0
    assert "\x1b" not in capsys.readouterr().out


def test_runs_without_torch() -> None:
    code = "import sys; from ganwright.cli.app import run; run(['runs', '/nowhere']); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_last_run_comes_last(here: Path) -> None:
    assert [run.path.name for run in runs_in(here / "runs")] == ["first"]
