"""Disks that fill, fail or refuse, and processes that are killed while they write."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PillowImage

from ganwright import GAN, load
from ganwright.core.errors import ResourceError
from ganwright.model.model import Model
from ganwright.runtime.commit import newest, verify
from ganwright.training import loop
from ganwright.training.events import Checkpointed, Warned

WRITER = """
import os, signal, sys
from pathlib import Path
from ganwright.runtime.commit import commit, prune

place, at = Path(sys.argv[1]), int(sys.argv[2])
count = 0

def moment(*_):
    global count
    count += 1
    if count == at:
        os.kill(os.getpid(), signal.SIGKILL)

def write(path):
    with path.open("wb") as file:
        file.write(b"a" * 5000)
        file.flush()
        moment()  # half written
        file.write(b"b" * 5000)

sync = os.fsync
os.fsync = lambda handle: (moment(), sync(handle), moment())
EVENTS = ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "shutil.rmtree")
sys.addaudithook(lambda name, about: moment() if name in EVENTS and str(place) in str(about[0]) else None)
commit(place, "step-3", {"state": write, "kept": write}, {"step": 3})
prune(place, 2)
"""


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """A folder with two good checkpoints, and a third writer's rubbish."""
    place = tmp_path / "checkpoints"
    child = WRITER.replace("count == at", "False").replace("step-3", "step-{n}").replace('{"step": 3}', '{"step": {n}}')
    for number in (1, 2):
        code = child.replace("{n}", str(number))
        subprocess.run([sys.executable, "-c", code, str(place), "0"], check=True)
    return place


def test_p2_p4_killed_at_every_moment_of_saving_and_pruning(two: Path, tmp_path: Path) -> None:
    """After each open, half write, sync, rename and removal two whole checkpoints are there, and the newest one loads."""
    seen: set[int] = set()
    moment = 0
    while True:
        moment += 1
        place = tmp_path / f"at-{moment}"
        shutil.copytree(two, place)
        ended = subprocess.run([sys.executable, "-c", WRITER, str(place), str(moment)], check=False).returncode
        found, wrong = newest(place)
        assert found is not None, f"moment {moment}"
        assert not wrong, f"moment {moment}: what has a name is whole"
        whole = [folder for folder in place.glob("step-*") if verify(folder)]
        assert len(whole) >= 2, f"moment {moment}"
        seen.add(int(found.facts["step"]))
        shutil.rmtree(place)
        if ended == 0:
            break
        assert ended == -9
        assert moment < 200
    assert moment > 25, "there are that many moments at least"
    assert seen == {2, 3}


@pytest.fixture
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GANWRIGHT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(loop, "CHECKPOINT_SHARE", 1e9)
    np.save(tmp_path / "pictures.npy", np.random.default_rng(0).integers(0, 256, (300, 8, 8, 1), np.uint8))
    return tmp_path / "pictures.npy"


def gan() -> GAN:
    return GAN("mlp", seed=5, batch=64, settings={"network": {"name": "mlp", "generator_widths": [16]}})


FULL = """
import json, sys
from pathlib import Path
import ganwright.training.loop as loop
from ganwright import GAN
from ganwright.training.events import Checkpointed, Warned
from ganwright.runtime.commit import newest

loop.CHECKPOINT_SECONDS, loop.CHECKPOINT_SHARE = 0.0, 1e9
run, said, written = Path(sys.argv[2]) / "run", [], []

def watch(event):
    if isinstance(event, Warned):
        said.append(event.text)
    if isinstance(event, Checkpointed):
        written.append(event.step)
        if event.step == 4:
            free = __import__("shutil").disk_usage(run).free
            (run / "ballast").write_bytes(b"0" * (free - 4096))
    if getattr(event, "step", 0) == 9 and (run / "ballast").exists():
        found, wrong = newest(run / "checkpoints")
        said.append(f"while full: step {found.facts['state']['step']}, {len(wrong)} damaged")
        if sys.argv[3] == "freed":
            (run / "ballast").unlink()

gan = GAN("mlp", seed=5, batch=64, settings={"network": {"name": "mlp", "generator_widths": [16]}})
try:
    gan.fit(sys.argv[1], steps=12, run=run, subscribers=[watch], save_every_epochs=64 / 270)
    end = gan.ended_.ending
except Exception as error:
    end = f"{type(error).__name__}: {error}"
found, wrong = newest(run / "checkpoints")
told = {"end": end, "said": said, "written": written, "newest": found.facts["state"]["step"], "wrong": len(wrong)}
print(json.dumps(told))
"""


def in_a_small_disk(command: list[str], place: Path, mount: str) -> subprocess.CompletedProcess[str]:
    """The command with a file system of its own at `place`; skipped where that is not allowed."""
    place.mkdir(exist_ok=True)
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode != 0:
        pytest.skip("mounting is not allowed here")
    script = f'{mount} && exec "$@"'
    return subprocess.run(["unshare", "-m", "sh", "-c", script, "sh", *command], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("then", ["freed", "full"])
def test_p6_a_full_disk_loses_nothing_that_was_saved(then: str, pictures: Path, tmp_path: Path) -> None:
    """Filled after the checkpoint of step 4; made free again at step 9, or never."""
    place = tmp_path / "disk"
    command = [sys.executable, "-c", FULL, str(pictures), str(place), then]
    ended = in_a_small_disk(command, place, f"mount -t tmpfs -o size=12m tmpfs {place}")
    assert ended.stdout, ended.stderr
    told = json.loads(ended.stdout.splitlines()[-1])
    assert any("could not write a checkpoint (disk full: it needs" in text for text in told["said"]), told
    assert any(text.startswith("while full: step 4, 0 damaged") for text in told["said"])
    assert told["wrong"] == 0
    if then == "freed":
        assert told["end"] == "finished"
        assert told["newest"] == 12
    else:
        assert "error[E-DISK-02]: the model cannot be written" in told["end"]
        assert "ganwright resume" in told["end"]
        assert told["newest"] == 4


def test_p7_pictures_that_cannot_be_written_are_told_once(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(PillowImage.Image, "save", full)
    said: list[str] = []
    trained = gan().fit(
        pictures,
        steps=12,
        run=tmp_path / "run",
        save_every_epochs=64 / 270,
        subscribers=[lambda event: said.append(event.text) if isinstance(event, Warned) else None],
    )
    assert trained.ended_.ending == "finished"
    assert [text for text in said if "samples" in text] == [
        "could not write samples (No space left on device); training goes on"
    ]
    assert load(tmp_path / "run").tensor(2).isfinite().all()


def test_p8_a_disk_that_fails_once_is_asked_again(pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failed: list[int] = []
    real = os.fsync

    def once(handle: int) -> None:
        if not failed and "checkpoints" in os.readlink(f"/proc/self/fd/{handle}"):
            failed.append(handle)
            raise OSError(errno.EIO, "Input/output error")
        real(handle)

    monkeypatch.setattr(os, "fsync", once)
    written: list[int] = []
    gan().fit(
        pictures,
        steps=4,
        run=tmp_path / "run",
        subscribers=[lambda event: written.append(event.step) if isinstance(event, Checkpointed) else None],
    )
    assert failed
    assert written == [1, 2, 3, 4]


def test_p9_a_folder_that_cannot_be_written_is_refused_before_the_first_step(pictures: Path, tmp_path: Path) -> None:
    place = tmp_path / "disk"
    code = "import sys; from ganwright.cli.app import run; sys.exit(run(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "train", str(pictures), "--steps", "3", "--run", str(place / "run")]
    ended = in_a_small_disk(command, place, f"mount -t tmpfs tmpfs {place} && mount -o remount,ro {place}")
    assert ended.returncode == 3, ended.stderr
    assert "error[E-RUN-02]: cannot write to" in ended.stderr
    assert "step 1" not in ended.stdout


def test_a_model_that_cannot_be_written_at_first_is_written_later(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, failures = Model.save, 2

    def save(self: Model, path: Path, *, discriminator: bool = False) -> Path:
        nonlocal failures
        if failures and Path(path).name == "model.safetensors":
            failures -= 1
            raise OSError(errno.EIO, "Input/output error")
        return real(self, path, discriminator=discriminator)

    monkeypatch.setattr(Model, "save", save)
    trained = gan().fit(pictures, steps=8, run=tmp_path / "run", save_every_epochs=64 / 270)
    assert failures == 0
    assert load(tmp_path / "run").facts["training"]["steps"] == trained.ended_.step


def test_a_model_that_can_never_be_written_is_an_error(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def save(self: Model, path: Path, *, discriminator: bool = False) -> Path:
        raise OSError(errno.EDQUOT, "Disk quota exceeded")

    monkeypatch.setattr(Model, "save", save)
    with pytest.raises(ResourceError, match="the model cannot be written") as caught:
        gan().fit(pictures, steps=4, run=tmp_path / "run")
    assert caught.value.exit_code == 5
    assert "Disk quota exceeded" in caught.value.why
