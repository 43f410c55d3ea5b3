"""Runs that were killed, damaged or meddled with go on, and end as the run that nothing happened to.

Names begin with the row of the fault list that they are about.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from ganwright import GAN, Model, load
from ganwright.cli.app import run as command
from ganwright.core.errors import DataError, GanwrightError, ModelFileError, UsageError
from ganwright.milestones import Resuming
from ganwright.runtime.lock import held
from ganwright.training import loop
from ganwright.training.events import Checkpointed, Scored, Warned

pytestmark = pytest.mark.costly

STEPS = 24
SETTINGS = {"scoring": {"every_samples": 128 * 6, "samples": 60}}


class Killed(BaseException):
    """What no handler of ours may catch."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With pictures, the run that nothing happened to ("whole"), and one that ended in its middle ("half")."""
    folder = tmp_path_factory.mktemp("runs")
    pictures = np.random.default_rng(0).integers(0, 256, (300, 8, 8, 1), np.uint8)
    np.save(folder / "pictures.npy", pictures)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANWRIGHT_CACHE", str(folder / "cache"))
        patch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
        patch.setattr(loop, "CHECKPOINT_SHARE", 1e9)
        gan().fit(folder / "pictures.npy", steps=STEPS, run=folder / "whole")

        def kill(event: object) -> None:
            if isinstance(event, Checkpointed) and event.step == 14:
                raise Killed

        with pytest.raises(Killed):
            gan().fit(folder / "pictures.npy", steps=STEPS, run=folder / "half", subscribers=[kill])
    assert checkpoints(folder / "half") == ["step-0000000013", "step-0000000014"]
    return folder


def gan() -> GAN:
    return GAN("mlp", seed=5, batch=128, settings=SETTINGS)


def checkpoints(run: Path) -> list[str]:
    return sorted(path.name for path in (run / "checkpoints").glob("step-*"))


@pytest.fixture
def half(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the run that was killed at step 14."""
    monkeypatch.setenv("GANWRIGHT_CACHE", str(folder / "cache"))
    shutil.copytree(folder / "half", tmp_path / "half")
    return tmp_path / "half"


def same(one: Model, other: Model) -> bool:
    pairs = zip(one.generator.state_dict().values(), other.generator.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def lines(path: Path, *names: str) -> list[list[Any]]:
    return [[json.loads(line)[name] for name in names] for line in path.read_text().splitlines()]


def ends_as_the_whole_one(run: Path, folder: Path) -> None:
    assert same(load(run), load(folder / "whole"))
    facts = ("step", "frechet", "recall", "kept_step")
    assert lines(run / "scores.jsonl", *facts) == lines(folder / "whole" / "scores.jsonl", *facts)
    steps = [step for (step,) in lines(run / "metrics.jsonl", "step")]
    assert steps == sorted(set(steps))
    assert json.loads((run / "status.json").read_text())["state"] == "finished"


def test_p1_a_run_that_was_killed_goes_on_exactly(half: Path, folder: Path) -> None:
    heard: list[object] = []
    again = GAN.resume(half, subscribers=[heard.append])
    assert not [event.text for event in heard if isinstance(event, Warned) and "exactly" in event.text]
    assert again.ended_.step == STEPS
    assert again.run_ == half
    ends_as_the_whole_one(half, folder)


def test_p1_a_process_that_was_killed_anywhere_goes_on_exactly(folder: Path, tmp_path: Path) -> None:
    """Killed three times on its way, at moments that differ."""
    head = "import sys; from ganwright import GAN; from ganwright.training import loop; "
    head += "loop.CHECKPOINT_SECONDS = 0.0; loop.CHECKPOINT_SHARE = 1e9; "
    first = f"GAN('mlp', seed=5, batch=128, settings={json.dumps(SETTINGS)})"
    first += f".fit(sys.argv[1], steps={STEPS}, run=sys.argv[2])"
    later = "GAN.resume(sys.argv[2])"
    environment = {**os.environ, "GANWRIGHT_CACHE": str(folder / "cache"), "OMP_NUM_THREADS": str(torch.get_num_threads())}
    run, place = tmp_path / "run", str(folder / "pictures.npy")
    ended = -1
    for number, (code, at) in enumerate(((first, 3), (later, 9), (later, 15), (later, STEPS + 1))):
        process = subprocess.Popen([sys.executable, "-c", head + code, place, str(run)], env=environment)
        while process.poll() is None and not any(int(name[5:]) >= at for name in checkpoints(run)):
            time.sleep(0.003 * (number + 1))
        process.kill()
        ended = process.wait()
    assert ended == 0
    ends_as_the_whole_one(run, folder)


def test_p5_killed_five_times_while_it_goes_on_it_goes_on(half: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As soon as the checkpoint is read, and after its first steps."""
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    for number in range(5):

        def kill(event: object, at: int = number) -> None:
            if isinstance(event, Resuming) if at < 2 else isinstance(event, Checkpointed):
                raise Killed

        with pytest.raises(Killed):
            GAN.resume(half, subscribers=[kill])
    GAN.resume(half)
    ends_as_the_whole_one(half, folder)


def test_p18_a_run_that_vanished_is_told_of_memory(half: Path) -> None:
    status = json.loads((half / "status.json").read_text())
    (half / "status.json").write_text(json.dumps({**status, "state": "running"}))
    heard: list[object] = []
    GAN.resume(half, subscribers=[heard.append])
    assert any("killed or cut off" in event.text and "--batch" in event.text for event in heard if isinstance(event, Warned))


def test_n1_a_run_that_diverged_goes_on_in_another_order(half: Path, folder: Path) -> None:
    """With the draws that it took before it would only diverge again."""
    status = json.loads((half / "status.json").read_text())
    (half / "status.json").write_text(json.dumps({**status, "state": "diverged", "attempt": 3}))
    again = GAN.resume(half)
    assert again.ended_.step == STEPS
    assert not same(load(half), load(folder / "whole"))
    newest = sorted((half / "checkpoints").glob("step-*"))[-1]
    assert json.loads((newest / "manifest.json").read_text())["facts"]["state"]["attempt"] == 4


def test_n1_lines_of_steps_that_were_undone_are_not_kept(folder: Path, tmp_path: Path, half: Path) -> None:
    undone: list[int] = []

    def poison(event: object) -> None:
        if isinstance(event, Checkpointed) and event.step == 9 and not undone:
            undone.append(event.step)
            for parameter in trained[0].state.generator.parameters():
                parameter.fill_(torch.nan)

    trained: list[loop.Loop] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
        patch.setattr(loop, "CHECKPOINT_SHARE", 1e9)
        real = loop.Loop.__post_init__
        patch.setattr(loop.Loop, "__post_init__", lambda self: (real(self), trained.append(self)))
        whole = gan().fit(folder / "pictures.npy", steps=STEPS, run=tmp_path / "run", subscribers=[poison])
    assert undone
    steps = [step for (step,) in lines(tmp_path / "run" / "metrics.jsonl", "step")]
    assert steps == sorted(set(steps))
    assert [each.step for each in whole.history_] == steps
    assert json.loads((tmp_path / "run" / "status.json").read_text())["state"] == "finished"


def test_more_checkpoints_are_kept_where_they_are_asked_for(folder: Path, tmp_path: Path, half: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
        patch.setattr(loop, "CHECKPOINT_SHARE", 1e9)
        gan().fit(folder / "pictures.npy", steps=8, run=tmp_path / "run", keep=4)
    assert len(checkpoints(tmp_path / "run")) == 4
    with pytest.raises(UsageError, match="2 checkpoints at least"):
        gan().fit(folder / "pictures.npy", steps=8, run=tmp_path / "other", keep=1)


def test_p3_a_run_that_was_killed_before_its_first_checkpoint_starts_over(half: Path, folder: Path) -> None:
    shutil.rmtree(half / "checkpoints")
    (half / "checkpoints").mkdir()
    (half / "checkpoints" / ".tmp-step-0000000001-1-abc").mkdir()
    heard: list[object] = []
    GAN.resume(half, subscribers=[heard.append])
    assert any("starts over" in event.text for event in heard if isinstance(event, Warned))
    ends_as_the_whole_one(half, folder)


def _cut_off(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


def _flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[-5] ^= 1
    file.write_bytes(bytes(content))


@pytest.mark.parametrize("damage", [_cut_off, _flip, Path.unlink])
def test_p10_a_damaged_checkpoint_is_put_aside_for_an_older_one(
    damage: Callable[[Path], None], half: Path, folder: Path
) -> None:
    newest = half / "checkpoints" / checkpoints(half)[-1]
    damage(newest / "state.safetensors")
    heard: list[object] = []
    GAN.resume(half, subscribers=[heard.append])
    said = [event.text for event in heard if isinstance(event, Warned)]
    assert any(newest.name in text and "put aside" in text for text in said)
    assert (half / "checkpoints" / f".damaged-{newest.name}").is_dir()
    ends_as_the_whole_one(half, folder)


def test_p11_what_lies_about_does_not_matter(half: Path, folder: Path) -> None:
    (half / "checkpoints" / "latest").write_text("step-9999999999\n")
    (half / "checkpoints" / "notes.txt").write_text("mine")
    (half / "checkpoints" / ".tmp-step-0000000099-1-abc").mkdir()
    (half / ".tmp-model.safetensors").write_text("half")
    GAN.resume(half)
    assert not list(half.rglob(".tmp-*"))
    ends_as_the_whole_one(half, folder)


def _empty(run: Path) -> None:
    shutil.rmtree(run)
    run.mkdir()


def _only_config(run: Path) -> None:
    config = (run / "config.toml").read_bytes()
    _empty(run)
    (run / "config.toml").write_bytes(config)


def _bad_config(run: Path) -> None:
    (run / "config.toml").write_text("train = [")


def _bad_request(run: Path) -> None:
    (run / "request.json").write_text('{"place": 3}')


@pytest.mark.parametrize("spoil", [_empty, _only_config, _bad_config, _bad_request])
def test_p12_a_folder_without_a_run_is_refused(spoil: Callable[[Path], None], half: Path) -> None:
    spoil(half)
    before = {path: path.stat().st_mtime_ns for path in half.rglob("*")}
    with pytest.raises(DataError, match="holds no run that could go on") as caught:
        GAN.resume(half)
    assert caught.value.exit_code == 3
    assert {path: path.stat().st_mtime_ns for path in half.rglob("*")} == before


def test_p12_a_run_that_does_not_exist_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelFileError, match="no run 'nowhere'"):
        GAN.resume("nowhere")
    with pytest.raises(ModelFileError, match="no run under runs/ or here"):
        GAN.resume()


def test_p13_two_in_one_folder_are_one_too_many(half: Path) -> None:
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys; from pathlib import Path; from ganwright.runtime.lock import held\n"
            "with held(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()",
            str(half / ".lock"),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(UsageError, match=f"in use by another process .{holder.pid}"):
            GAN.resume(half)
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.communicate()
    with held(half / ".lock"):
        pass


def test_p15_a_run_that_was_asked_to_stop_goes_on_exactly(folder: Path, tmp_path: Path, half: Path) -> None:
    """Ctrl-C once: the step is finished, everything is saved; the discarded end of it is not part of the run."""

    def ask(event: object) -> None:
        if isinstance(event, Scored) and event.step == 12:
            os.kill(os.getpid(), signal.SIGINT)

    stopped = gan().fit(folder / "pictures.npy", steps=STEPS, run=tmp_path / "run", subscribers=[ask], handle_signals=True)
    assert stopped.ended_.ending == "stopped"
    assert json.loads((tmp_path / "run" / "status.json").read_text())["state"] == "stopped"
    GAN.resume(tmp_path / "run")
    ends_as_the_whole_one(tmp_path / "run", folder)


def test_a_run_that_is_finished_is_left_alone(folder: Path, half: Path) -> None:
    with pytest.raises(UsageError, match="is finished"):
        GAN.resume(folder / "whole")


def test_p22_a_checkpoint_of_other_networks_is_refused(half: Path) -> None:
    config = (half / "config.toml").read_text()
    (half / "config.toml").write_text(config.replace("latent = ", "latent = 1"))
    with pytest.raises(GanwrightError, match="of another run"):
        GAN.resume(half)


def test_p23_data_that_changed_are_refused(half: Path, folder: Path, tmp_path: Path) -> None:
    pictures = np.load(folder / "pictures.npy")
    pictures[7] = 0
    np.save(tmp_path / "changed.npy", pictures)
    with pytest.raises(DataError, match="not those of"):
        GAN.resume(half, tmp_path / "changed.npy")


def test_data_that_moved_are_taken_from_where_they_are(half: Path, folder: Path, tmp_path: Path) -> None:
    shutil.copy(folder / "pictures.npy", tmp_path / "moved.npy")
    request = json.loads((half / "request.json").read_text())
    (half / "request.json").write_text(json.dumps({**request, "place": "/gone.npy"}))
    with pytest.raises(GanwrightError):
        GAN.resume(half)
    GAN.resume(half, tmp_path / "moved.npy")
    ends_as_the_whole_one(half, folder)


def test_what_differs_is_said(half: Path) -> None:
    newest = half / "checkpoints" / checkpoints(half)[-1] / "manifest.json"
    manifest = json.loads(newest.read_text())
    manifest["facts"]["environment"]["threads"] = 99
    newest.write_text(json.dumps(manifest))
    heard: list[object] = []
    GAN.resume(half, subscribers=[heard.append])
    said = [event.text for event in heard if isinstance(event, Warned)]
    assert any("not exactly: threads: 99 then" in text for text in said)


def test_the_command_goes_on(half: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["resume", str(half)]) == 0
    said = "".join(capsys.readouterr())
    assert "from step 14: 58% of the planned steps" in said
    ends_as_the_whole_one(half, folder)


def own_pair() -> tuple[nn.Module, nn.Module]:
    """With dropout and batch statistics: what a module keeps and draws by itself."""
    generator = nn.Sequential(nn.Linear(100, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 64), nn.Tanh())
    discriminator = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.LeakyReLU(0.2), nn.Dropout(0.3), nn.Linear(32, 1))
    return nn.Sequential(generator, nn.Unflatten(1, (1, 8, 8))), discriminator


def test_modules_of_a_user_go_on_exactly(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, half: Path) -> None:
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(loop, "CHECKPOINT_SHARE", 1e9)
    torch.manual_seed(0)
    generator, discriminator = own_pair()

    def kill(event: object) -> None:
        if isinstance(event, Checkpointed) and event.step == 7:
            raise Killed

    def train(name: str, *subscribers: Callable[[object], None]) -> GAN:
        new = GAN(generator=generator, discriminator=discriminator, batch=64, seed=1)
        return new.fit(folder / "pictures.npy", steps=12, run=tmp_path / name, subscribers=subscribers)

    whole = train("whole")
    with pytest.raises(Killed):
        train("cut", kill)
    with pytest.raises(ModelFileError, match="author's own networks"):
        GAN.resume(tmp_path / "cut")
    generator, discriminator = own_pair()
    again = GAN.resume(tmp_path / "cut", generator=generator, discriminator=discriminator)
    assert again.ended_.step == 12
    assert same(again.model_, whole.model_)


@pytest.mark.parametrize("at", [1, 5, 11, 18, 23])
def test_n8_gone_on_with_from_any_step_it_is_the_same_run(
    at: int, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GANWRIGHT_CACHE", str(folder / "cache"))
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(loop, "CHECKPOINT_SHARE", 1e9)

    def kill(event: object) -> None:
        if isinstance(event, Checkpointed) and event.step == at:
            raise Killed

    with pytest.raises(Killed):
        gan().fit(folder / "pictures.npy", steps=STEPS, run=tmp_path / "run", subscribers=[kill])
    GAN.resume(tmp_path / "run")
    ends_as_the_whole_one(tmp_path / "run", folder)


def test_p20_the_clock_of_the_wall_has_no_say(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, half: Path
) -> None:
    """It jumps back an hour whenever someone looks: no time is negative, and no two runs get one name."""
    now = [2e9]

    def jumping() -> float:
        now[0] -= 3600
        return now[0]

    monkeypatch.setattr(time, "time", jumping)
    ends = iter("aab")
    monkeypatch.setattr("ganwright.training.run_folder.secrets.token_hex", lambda size: next(ends))
    monkeypatch.chdir(tmp_path)
    runs = [gan().fit(folder / "pictures.npy", steps=6, run=True) for _ in range(2)]
    assert [str(run.run_)[-2:] for run in runs] == ["-a", "-b"]
    for run in runs:
        assert all(each.seconds_left >= 0 and each.elapsed_seconds >= 0 for each in run.history_)
    assert command(["runs"]) == 0


def test_p21_a_checkpoint_of_an_earlier_version_is_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a run that an earlier Ganwright left, kept in `tests/golden/run-v1`."""
    golden = Path(__file__).resolve().parents[1] / "golden" / "run-v1"
    run = tmp_path / "run"
    shutil.copytree(golden, run)
    pictures = np.random.default_rng(21).integers(0, 256, (40, 8, 8, 1), np.uint8)
    np.save(tmp_path / "pictures.npy", pictures)
    heard: list[object] = []
    again = GAN.resume(run, tmp_path / "pictures.npy", subscribers=[heard.append])
    assert [event.step for event in heard if isinstance(event, Resuming)] == [7]
    assert again.ended_.step == 12
    assert [each.step for each in again.scores_] == [4, 8, 12]


def test_p21_a_checkpoint_of_a_later_version_is_put_aside(half: Path, folder: Path) -> None:
    manifest = half / "checkpoints" / checkpoints(half)[-1] / "manifest.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "version": 99}))
    heard: list[object] = []
    GAN.resume(half, subscribers=[heard.append])
    assert any("it is of version 99" in event.text for event in heard if isinstance(event, Warned))
    ends_as_the_whole_one(half, folder)


def test_p22_a_run_can_be_made_longer_and_says_what_that_changes(half: Path, folder: Path, tmp_path: Path) -> None:
    heard: list[object] = []
    again = GAN.resume(half, steps=20, subscribers=[heard.append])
    assert again.ended_.step == 14 + 20
    said = [event.text for event in heard if isinstance(event, Warned)]
    assert any("24 steps were planned, 34 are now" in text for text in said)
    assert f"total_samples = {34 * 128}" in (half / "config.toml").read_text()


@pytest.mark.parametrize(("flag", "value", "steps"), [("--steps", "6", 30), ("--images", "1280", 34), ("--epochs", "2", 29)])
def test_p22_a_finished_run_goes_on_where_more_is_asked_for(
    flag: str, value: str, steps: int, folder: Path, tmp_path: Path, half: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(folder / "whole", tmp_path / "whole")
    assert command(["resume", str(tmp_path / "whole")]) == 2
    assert "--time 20m" in capsys.readouterr().err
    assert command(["resume", str(tmp_path / "whole"), flag, value]) == 0
    status = json.loads((tmp_path / "whole" / "status.json").read_text())
    assert (status["state"], status["step"]) == ("finished", steps)
    found = [step for (step,) in lines(tmp_path / "whole" / "metrics.jsonl", "step")]
    assert found == sorted(set(found))
    assert found[-1] == steps


def test_p22_a_run_of_minutes_gets_minutes_more(half: Path) -> None:
    again = GAN.resume(half, seconds=10)
    assert again.ended_.step > 14
    assert json.loads((half / "request.json").read_text())["train_seconds"] > 10
