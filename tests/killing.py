"""Trainings that are killed again and again, at any moment and within saving, until they end all the same.

Processes are forked from one that has imported everything, so that a kill takes a fraction of a second. Nothing here may be
used where threads were started before.
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import matplotlib.backends.backend_agg
import matplotlib.figure
import numpy as np
import torch._dynamo
from safetensors.torch import load_file

from ganwright import GAN
from ganwright.runtime.commit import newest
from ganwright.training import loop
from ganwright.training.events import Checkpointed

# Imported before anything is forked: else each child would take seconds to.
WARM = (matplotlib.backends.backend_agg, matplotlib.figure, torch._dynamo)

FILE_EVENTS = ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "shutil.rmtree")
STEPS = 150
LONGEST_DELAY = 2.0
"""Seconds after which a process is killed at the latest, where that is not aimed."""
SETTINGS = {
    "network": {"name": "mlp", "generator_widths": [32], "discriminator_widths": [32]},
    "scoring": {"every_samples": 32 * 40, "samples": 60},
}


@dataclass
class Tally:
    """What came of it."""

    kills: int = 0
    in_saving: int = 0
    """Of the kills, those at a file event of a checkpoint."""
    resumes: int = 0
    finished: int = 0
    losses: list[str] = field(default_factory=list)
    """Runs that did not end as the one that nothing happened to, and checkpoints that were announced and not found."""

    def line(self) -> dict[str, object]:
        """For a line of JSON."""
        return {**asdict(self), "losses": len(self.losses), "what_was_lost": self.losses}


def kill_often(folder: Path, kills: int, seed: int = 0) -> Tally:
    """Kill runs in `folder` until that many kills were survived, or not."""
    draw, tally = random.Random(seed), Tally()
    data = folder / "pictures.npy"
    np.save(data, np.random.default_rng(seed).integers(0, 256, (300, 8, 8, 1), np.uint8))
    number = 0
    while tally.kills < kills:
        oracle, run = folder / f"oracle-{number}", folder / f"run-{number}"
        assert in_child(Sitting(data, oracle, number).train) == 0
        announced = folder / f"announced-{number}"
        while True:
            aimed = tally.kills % 2 == 1
            delay, moment = draw.uniform(0.0, LONGEST_DELAY), draw.randrange(1, 200)
            begun = (run / "request.json").is_file() and (run / "config.toml").is_file()
            sitting = Sitting(data, run, number, begun, announced, moment if aimed else None)
            ended = in_child(sitting.train, None if aimed else delay)
            tally.resumes += begun
            if ended == 0:
                break
            if ended != -signal.SIGKILL:
                tally.losses.append(f"run {number} ended with {ended}")
                break
            tally.kills += 1
            tally.in_saving += aimed
            tally.losses += lost(run, announced)
            if not begun and not (run / "request.json").is_file():
                remove(run)  # killed before there was a run
        tally.finished += 1
        if digest(oracle) != digest(run):
            tally.losses.append(f"run {number} ended as another one")
        for each in (oracle, run):
            remove(each)
        announced.unlink(missing_ok=True)
        number += 1
    return tally


@dataclass(frozen=True)
class Sitting:
    """One process that trains, or goes on."""

    data: Path
    run: Path
    seed: int
    begun: bool = False
    announced: Path | None = None
    """Where it says of each checkpoint that it was written."""
    moment: int | None = None
    """The file event of its checkpoints at which it dies."""

    def train(self) -> None:
        """To the end, or as far as it gets."""
        loop.CHECKPOINT_SECONDS, loop.CHECKPOINT_SHARE = 0.02, 1e9
        if self.moment is not None:
            kill_within_saving(self.run / "checkpoints", self.moment)
        if self.begun:
            GAN.resume(self.run, subscribers=[self.hear])
        else:
            GAN("mlp", seed=self.seed, batch=32, settings=SETTINGS).fit(
                self.data, steps=STEPS, run=self.run, subscribers=[self.hear]
            )

    def hear(self, event: object) -> None:
        """Say what was announced."""
        if isinstance(event, Checkpointed) and self.announced is not None:
            self.announced.write_text(str(event.step))


def in_child(act: Callable[[], None], kill_after: float | None = None) -> int:
    """Do it in a forked process, which is killed after so many seconds; its exit code, negative for a signal."""
    process = os.fork()
    if process == 0:
        code = 1
        try:
            act()
            code = 0
        finally:
            os._exit(code)
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(process, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def kill_within_saving(place: Path, moment: int) -> None:
    """Have this process die at that file event, or sync, of the checkpoints' folder."""
    count = 0

    def pass_moment() -> None:
        nonlocal count
        count += 1
        if count == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if event in FILE_EVENTS and str(place) in str(arguments[0]):
            pass_moment()

    real = os.fsync

    def sync(handle: int) -> None:
        pass_moment()
        real(handle)
        pass_moment()

    os.fsync = sync
    sys.addaudithook(watch)


def lost(run: Path, announced: Path) -> Iterator[str]:
    """Checkpoints that were announced, when none as new is found whole."""
    if not announced.is_file() or not (text := announced.read_text()):
        return
    found, _ = newest(run / "checkpoints")
    step = found.facts["state"]["step"] if found is not None else -1
    if step < int(text):
        yield f"{run.name}: step {text} was announced, step {step} is the newest"


def digest(run: Path) -> str:
    """Of the state that the run ended in, of the models that it left, and of its scores.

    Batch statistics of the average generator are left out of the state: they are estimated anew whenever it is looked at,
    and are in the models as they were estimated for them.
    """
    found, _ = newest(run / "checkpoints")
    if found is None:
        return "nothing"
    content = hashlib.sha256()
    for path in (found.path / "state.safetensors", run / "model.safetensors", run / "final.safetensors"):
        for name, value in sorted(load_file(path).items()) if path.is_file() else ():
            if not (name.startswith("average/") and ("running_" in name or "num_batches" in name)):
                content.update(f"{path.name}/{name}/{value.dtype}/{tuple(value.shape)}".encode())
                content.update(value.numpy().tobytes())
    for line in (run / "scores.jsonl").read_bytes().splitlines():
        content.update(line.split(b', "seconds"')[0])  # the seconds that a score took are no part of what it says
    return content.hexdigest()


def remove(folder: Path) -> None:
    """A folder and all in it."""
    shutil.rmtree(folder, ignore_errors=True)
