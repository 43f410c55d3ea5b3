"""What is left of a run in its folder, read so that it can go on."""

from __future__ import annotations

import json
import math
import os
import tomllib
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ganwright.core.budget import Budget
from ganwright.core.config import from_plain, to_plain
from ganwright.core.errors import DataError, GanwrightError, ModelFileError, UsageError
from ganwright.core.text import in_shell
from ganwright.data.dataset import Dataset
from ganwright.data.held_out import Split
from ganwright.data.opening import is_labelled_path
from ganwright.data.sources.tables import TableFile
from ganwright.model.model import Model
from ganwright.model.model_file import stored_family
from ganwright.model.run_summary import LOCK
from ganwright.networks.base import NetworkFamily
from ganwright.networks.mlp import Mlp
from ganwright.runtime.commit import newest, set_aside, sweep
from ganwright.runtime.device import versions
from ganwright.runtime.distributed import world_size
from ganwright.runtime.lock import Taken, held
from ganwright.training.checkpoint import TENSORS, Checkpoint
from ganwright.training.config import TrainConfig
from ganwright.training.memory import Memory
from ganwright.training.recorder import KEPT
from ganwright.training.request import REQUEST, Request
from ganwright.training.run_folder import RunFolder

Half = nn.Module | NetworkFamily | None


@dataclass(frozen=True)
class Interrupted:
    """A run that did not come to its end."""

    folder: RunFolder
    config: TrainConfig
    request: Request
    data: dict[str, Any]
    """What config.toml says of the data."""


@dataclass(frozen=True)
class GoingOn:
    """Where it goes on from."""

    checkpoint: Checkpoint | None = None
    """None where there is none yet: it starts over."""
    memory: Memory = field(default_factory=Memory)
    kept: Model | None = None
    attempt: int | None = None
    """To take, where the run diverged at each one before; None for the checkpoint's own."""
    environment: Mapping[str, Any] | None = None
    notes: tuple[str, ...] = ()
    """What was passed over, and why."""


def request_of(data: Any, **facts: Any) -> Request:
    """The request for these data: a path, a `TableFile`, or objects in memory, which nobody can find again."""
    if isinstance(data, TableFile):
        return Request(str(Path(data.path).expanduser().absolute()), asked=data.asked, **facts)
    if is_labelled_path(data) and isinstance(data[1], str | os.PathLike):
        place, labels = (str(Path(each).expanduser().absolute()) for each in data)
        return Request(place, labels, **facts)
    place = str(Path(data).expanduser().absolute()) if isinstance(data, str | os.PathLike) else ""
    return Request(place, **facts)


def data_of(request: Request, given: Any = None) -> Any:
    """The data of a run, as `fit` takes them.

    Raises:
        UsageError: they were in memory, and are not given again.
    """
    if given is not None:
        # Pictures that were moved still have their file of labels.
        labels = isinstance(given, str | os.PathLike) and request.labels
        return (given, request.labels) if labels else given
    if not request.place:
        raise UsageError("E-RUN-04", "the data of this run were in memory", hints=("pass them again: resume(run, data)",))
    if request.labels:
        return Path(request.place), Path(request.labels)
    return Path(request.place) if request.asked is None else TableFile(request.place, request.asked)


def read_run(path: Path, generator: Half = None, discriminator: Half = None, finished: bool = False) -> Interrupted:
    """What the folder of a run says of it.

    Args:
        finished: whether one that is finished will do.
        generator, discriminator: modules like those that are trained, where they are a user's own.

    Raises:
        DataError: it is no run folder, or a damaged one.
        ModelFileError: it is of a user's own modules, which are not given.
        UsageError: it is finished.
    """
    try:
        table = tomllib.loads((path / "config.toml").read_text(encoding="utf-8"))
        request = json.loads((path / REQUEST).read_bytes())
        config = config_from(table["train"], path / "config.toml", (generator, discriminator))
        found = from_plain(Request, request, "request")
        run = Interrupted(RunFolder(path), config, found, dict(table["data"]))
    except ModelFileError:
        raise
    except (OSError, ValueError, KeyError, TypeError, RecursionError, GanwrightError) as error:
        why = error.what if isinstance(error, GanwrightError) else str(error)
        hints = ("a folder that ganwright train has made, such as runs/...",)
        raise DataError("E-RUN-03", f"{path} holds no run that could go on", why=why, hints=hints) from error
    if run.folder.status["state"] == "finished" and not finished:
        hints = (
            f"ganwright resume {in_shell(path)} --time 20m to train it for longer",
            f"ganwright sample {in_shell(path)} -n 100",
        )
        raise UsageError("E-RUN-05", f"{path} is finished", hints=hints)
    return run


def config_from(plain: Mapping[str, Any], where: Path, halves: tuple[Half, Half]) -> TrainConfig:
    """The config again, from its plain form; of a user's own networks, with `halves` in their place.

    Raises:
        ModelFileError: it is of a user's own modules, which are not given.
        UsageError: no such setting.
    """
    train = dict(plain)
    network = train.pop("network")
    family = stored_family(where, network, *halves)
    # Modules are no plain values: the config is read with others in their place.
    return replace(from_plain(TrainConfig, {**train, "network": to_plain(Mlp())}, "train"), network=family)


def going_on(run: Interrupted, generator: Half = None) -> GoingOn:
    """The newest checkpoint that is whole; damaged ones are put aside."""
    found, wrong = newest(run.folder.checkpoints_path)
    notes = [f"{error.what} ({error.why}) and was put aside" for error in wrong.values()]
    status = run.folder.status
    if status["state"] == "running":
        notes.append("it was killed or cut off; if that was for want of memory, train with a smaller --batch")
    for folder in wrong:
        set_aside(folder)
    sweep(run.folder.path)
    sweep(run.folder.checkpoints_path)
    # What failed in every order that it tried is not tried in the same orders again.
    attempt = int(status.get("attempt", 0)) + 1 if status["state"] == "diverged" else None
    if found is None:
        return GoingOn(attempt=attempt, notes=(*notes, "there is no checkpoint yet: the run starts over"))
    facts = found.facts
    kept = found.path / KEPT
    return GoingOn(
        checkpoint=Checkpoint.read(found.path / TENSORS, facts["state"]),
        memory=from_plain(Memory, facts["memory"], "memory"),
        kept=Model.load(kept, run.config.device, generator=generator) if kept.is_file() else None,
        attempt=attempt,
        environment={"processes": 1, **facts["environment"]},
        notes=tuple(notes),
    )


def check_data(run: Interrupted, split: Split) -> None:
    """
    Raises:
        DataError: the records are not those that the run had.
    """
    whole = split.train.whole
    if whole.fingerprint != run.data.get("fingerprint"):
        what = f"the data are not those of {run.folder.path}"
        why = f"{len(split.train):,} records of {whole.report.place}, {run.data.get('records')!r} then; other content"
        hints = ("pass the data as they were: resume(run, data)", "or train anew")
        raise DataError("E-RUN-07", what, why=why, hints=hints)


def lengthened(run: Interrupted, start: GoingOn, more: Budget, records: int) -> tuple[Interrupted, str]:
    """The run with so much more to do from where it is, and what that changes, in words.

    Args:
        more: in addition to what was trained; without any it is left as it is.
        records: that a pass has.
    """
    if more == Budget():
        return run, ""
    config, trained = run.config, start.memory.seconds
    seen = 0 if start.checkpoint is None else int(start.checkpoint.facts["samples_seen"])
    further: dict[str, float | None] = {
        "seconds": None if more.seconds is None else seen / max(trained, 1e-9) * more.seconds,
        "epochs": None if more.epochs is None else more.epochs * records,
        "steps": None if more.steps is None else more.steps * config.samples_per_step,
        "images": more.images,
    }
    samples = next(value for value in further.values() if value is not None)
    steps = math.ceil((seen + samples) / config.samples_per_step)
    # At the pace of nothing at all, a run of seconds keeps its plan; the clock ends it all the same.
    total = steps * config.samples_per_step if samples else config.total_samples
    # Patience has run out in one that ended for want of it.
    longer = replace(config, total_samples=total, scoring=replace(config.scoring, patience=None))
    request = replace(run.request, train_seconds=None if more.seconds is None else trained + more.seconds)
    run.folder.change_config(total_samples=total)
    run.folder.write_json(REQUEST, to_plain(request))
    said = f"{config.total_steps:,} steps were planned, {longer.total_steps:,} are now; schedules are stretched to them"
    return replace(run, config=longer, request=request), said


def environment(config: TrainConfig, dataset: Dataset) -> dict[str, Any]:
    """What has to be the same for going on to be exact."""
    facts = {"device": config.device, "threads": torch.get_num_threads(), "precision": config.precision, **versions()}
    facts["processes"] = world_size()
    return {**facts, "records": len(dataset), "data": dataset.whole.fingerprint}


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What is not the same any more, for people."""
    return [
        f"{name}: {'others' if name == 'data' else f'{then.get(name)} then, {value} now'}"
        for name, value in now.items()
        if then.get(name) != value
    ]


@contextmanager
def alone(folder: RunFolder) -> Generator[None]:
    """Train in this folder and nobody else.

    Raises:
        UsageError: another process does.
    """
    try:
        with held(folder.path / LOCK):
            yield
    except Taken as error:
        what = f"{folder.path} is in use by another process" + (f" ({error})" if str(error) else "")
        raise UsageError("E-RUN-06", what, hints=("wait for it, or stop it",)) from None
