"""Runs that are told to end: by a person, a scheduler, a terminal that closes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from pathlib import Path

import numpy as np
import pytest
import torch

from ganwright import GAN, load
from ganwright.training import loop
from ganwright.training.events import Progress, Scored
from ganwright.training.recorder import Recorder
from ganwright.training.scorer import Score, Scorer

STEPS = 24
SETTINGS = {"scoring": {"every_samples": 64 * 6, "samples": 60}, "network": {"name": "mlp", "generator_widths": [16]}}


@pytest.fixture(autouse=True)
def as_in_a_terminal() -> Generator[None]:
    """Tests that run in the background may have been told to ignore what is sent here."""
    handlers = {signal.SIGHUP: signal.SIG_DFL, signal.SIGINT: signal.default_int_handler}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GANWRIGHT_CACHE", str(tmp_path / "cache"))
    np.save(tmp_path / "pictures.npy", np.random.default_rng(0).integers(0, 256, (300, 8, 8, 1), np.uint8))
    return tmp_path / "pictures.npy"


def gan() -> GAN:
    return GAN("mlp", seed=5, batch=64, settings=SETTINGS)


def status(run: Path) -> dict[str, object]:
    return json.loads((run / "status.json").read_text())


def scores(run: Path) -> list[float]:
    return [json.loads(line)["frechet"] for line in (run / "scores.jsonl").read_text().splitlines()]


def at(kind: type, step: int, number: int) -> Callable[[object], None]:
    """A subscriber that sends this process a signal."""

    def watch(event: object) -> None:
        if isinstance(event, kind) and getattr(event, "step", 0) == step:
            os.kill(os.getpid(), number)

    return watch


def goes_on_as_if_nothing_had_happened(run: Path, pictures: Path, whole: Path) -> None:
    gan().fit(pictures, steps=STEPS, run=whole)
    GAN.resume(run)
    one, other = load(run).generator.state_dict(), load(whole).generator.state_dict()
    assert all(torch.equal(a, b) for a, b in zip(one.values(), other.values(), strict=True))
    scores = [
        [json.loads(line)["frechet"] for line in (each / "scores.jsonl").read_text().splitlines()] for each in (run, whole)
    ]
    assert scores[0] == scores[1]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1])
def test_p14_told_to_end_within_a_step_it_saves_and_says_so(number: int, pictures: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    trained = gan().fit(pictures, steps=STEPS, run=run, subscribers=[at(Scored, 12, number)], handle_signals=True)
    assert trained.ended_.ending == "preempted"
    assert status(run)["state"] == "preempted"
    assert status(run)["step"] == 12
    assert load(run).tensor(2).isfinite().all()
    assert signal.getsignal(number) is signal.SIG_DFL
    goes_on_as_if_nothing_had_happened(run, pictures, tmp_path / "whole")


def test_p14_told_to_end_while_it_is_scored_it_leaves_that_for_later(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, real, times = tmp_path / "run", Scorer.score, list[int]()

    def score(self: Scorer, *rest: object) -> Score:
        times.append(1)
        if len(times) == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        return real(self, *rest)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(Scorer, "score", score)
        gan().fit(pictures, steps=STEPS, run=run, handle_signals=True)
    assert status(run)["state"] == "preempted"
    assert len(scores(run)) == 1
    goes_on_as_if_nothing_had_happened(run, pictures, tmp_path / "whole")


def test_p14_told_to_end_while_it_is_planned_it_ends_at_once_and_leaves_nothing(pictures: Path, tmp_path: Path) -> None:
    code = "import os, signal, sys; import ganwright.gan as gan; from ganwright.cli.app import run\n"
    code += "gan.make_plan = lambda *_, **__: (os.kill(os.getpid(), signal.SIGTERM), print('went on'))\n"
    code += "sys.exit(run(['train', sys.argv[1]]))"
    ended = subprocess.run([sys.executable, "-c", code, str(pictures)], cwd=tmp_path, capture_output=True, text=True)
    assert ended.returncode == -signal.SIGTERM
    assert "went on" not in ended.stdout
    assert not (tmp_path / "runs").exists()


def test_p15_a_signal_while_a_copy_is_written_waits_for_it(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ganwright.training.recorder import Recorder

    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    run, real = tmp_path / "run", Recorder.commit

    def slow(self: Recorder, *rest: object) -> None:
        if not (run / "checkpoints").is_dir():
            os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.1)
        real(self, *rest)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(Recorder, "commit", slow)
        trained = gan().fit(pictures, steps=STEPS, run=run, handle_signals=True)
    saved = sorted(path.name for path in (run / "checkpoints").glob("step-*"))
    assert saved[-1] == f"step-{trained.ended_.step:010d}"
    assert trained.ended_.step < STEPS
    goes_on_as_if_nothing_had_happened(run, pictures, tmp_path / "whole")


COMMAND = "import sys; from ganwright.cli.app import run; sys.exit(run(sys.argv[1:]))"


def started(pictures: Path, folder: Path, **options: object) -> subprocess.Popen[bytes]:
    """A command that trains for long, once it has begun."""
    command = [sys.executable, "-c", COMMAND, "train", str(pictures), "--recipe", "mlp", "--time", "5m", "--run", "run"]
    process = subprocess.Popen(command, cwd=folder, stderr=subprocess.STDOUT, **options)  # type: ignore[call-overload]
    while not (folder / "run" / "metrics.jsonl").is_file():
        assert process.poll() is None
        time.sleep(0.05)
    return process


@pytest.mark.parametrize(
    ("number", "code", "state"),
    [(signal.SIGINT, 130, "stopped"), (signal.SIGTERM, 75, "preempted"), (signal.SIGHUP, 75, "preempted")],
)
def test_p15_the_command_says_how_to_go_on(number: int, code: int, state: str, pictures: Path, tmp_path: Path) -> None:
    process = started(pictures, tmp_path, stdout=subprocess.PIPE)
    process.send_signal(number)
    said = process.communicate()[0].decode()
    assert process.returncode == code
    assert status(tmp_path / "run")["state"] == state
    assert "go on     ganwright resume run" in said
    assert "Traceback" not in said


def test_p15_asked_twice_it_stops_at_once(pictures: Path, tmp_path: Path) -> None:
    process = started(pictures, tmp_path, stdout=subprocess.PIPE)
    os.kill(process.pid, signal.SIGSTOP)
    process.send_signal(signal.SIGTERM)
    os.kill(process.pid, signal.SIGCONT)
    process.send_signal(signal.SIGTERM)
    process.communicate()
    assert process.returncode in (-signal.SIGTERM, 75), "at once, or it was through"


def test_p16_killed_right_after_it_was_told_to_end_it_loses_no_older_copy(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    code = "import sys; from ganwright.training import loop; loop.CHECKPOINT_SECONDS = 0.0; loop.CHECKPOINT_SHARE = 1e9\n"
    code += COMMAND
    command = [sys.executable, "-c", code, "train", str(pictures), "--recipe", "mlp", "--time", "5m", "--run", "run"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while len(list((tmp_path / "run" / "checkpoints").glob("step-*"))) < 2:
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    time.sleep(0.01)
    process.kill()
    process.wait()

    def enough(event: object) -> None:
        if isinstance(event, Progress):
            os.kill(os.getpid(), signal.SIGINT)

    saved = max(int(path.name[5:]) for path in (tmp_path / "run" / "checkpoints").glob("step-*"))
    again = GAN.resume(tmp_path / "run", subscribers=[enough], handle_signals=True)
    assert again.ended_.step >= saved


def test_p17_a_reader_who_leaves_does_not_end_the_run(pictures: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", COMMAND, "train", str(pictures), "--recipe", "mlp", "--steps", "40", "--run", "run"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    complaint = process.stderr.read().decode()
    process.stderr.close()
    assert process.wait() == 0, complaint
    assert complaint == ""
    assert status(tmp_path / "run")["state"] == "finished"


@pytest.mark.skipif(shutil.which("nohup") is None, reason="needs nohup")
def test_p17_under_nohup_a_closed_terminal_changes_nothing(pictures: Path, tmp_path: Path) -> None:
    command = ["nohup", sys.executable, "-c", COMMAND, "train", str(pictures), "--recipe", "mlp", "--steps", "3000"]
    process = subprocess.Popen(
        [*command, "--run", "run"], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while not (tmp_path / "run" / "metrics.jsonl").is_file():
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGHUP)
    time.sleep(0.3)
    assert status(tmp_path / "run")["state"] == "running"
    process.kill()
    process.wait()
