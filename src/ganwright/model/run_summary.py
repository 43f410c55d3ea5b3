"""What a run folder says of its run, read without torch: for lists of runs, while they train too."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganwright.core.errors import ModelFileError
from ganwright.model.locate import MODEL_NAME
from ganwright.runtime.lock import is_held

CONFIG = "config.toml"
STATUS = "status.json"
LOCK = ".lock"
LONGEST = 16 << 20
"""Bytes of a file of a run folder that are read; a stranger's folder may hold anything."""
LAST_LINES = 1 << 16
"""Bytes at the end of a file of lines, within which its last line lies."""


@dataclass(frozen=True)
class RunSummary:
    """One run; what its folder does not say is None, or empty."""

    path: Path
    state: str
    """"running", "finished", "stopped", "preempted", "diverged", "failed", or "killed": it ended without a word."""
    why: str
    time: str
    """When the state was written, ISO 8601."""
    step: int | None
    steps: int | None
    """Planned."""
    samples_seen: int | None
    seconds: float | None
    """Trained."""
    health: str
    scores: tuple[dict[str, Any], ...]
    """The lines of scores.jsonl."""
    data: dict[str, Any]
    """Name, records, held_out, as config.toml has them."""
    train: dict[str, Any]
    """The config."""
    checkpoints: tuple[str, ...]
    """That can be gone on from, the oldest first."""
    model: Path | None
    picture: Path | None
    """The last grid of samples."""
    pictures: int

    @property
    def kept_score(self) -> float | None:
        """The Fréchet distance of the model that is kept, where it was scored."""
        return self.scores[-1].get("kept_frechet") if self.scores else None

    @property
    def resumable(self) -> bool:
        """Whether `ganwright resume` would go on with it."""
        return self.state in ("stopped", "preempted", "diverged", "failed", "killed")


def runs_in(folder: Path) -> list[RunSummary]:
    """The runs in a folder, the last one last."""
    if not folder.is_dir():
        return []
    found = [path for path in folder.iterdir() if (path / CONFIG).is_file()]
    return [read_summary(path) for path in sorted(found, key=lambda path: ((path / CONFIG).stat().st_mtime, path.name))]


def read_summary(path: Path) -> RunSummary:
    """What the run folder at `path` says.

    Raises:
        ModelFileError: it is no run folder, or a damaged one.
    """
    try:
        table = tomllib.loads(_text(path / CONFIG))
        data, train = dict(table["data"]), dict(table["train"])
        per_step = int(train["batch"]) * int(train.get("discriminator_steps", 1))
        steps = -(-int(train["total_samples"]) // per_step)
    except (OSError, ValueError, KeyError, TypeError, ZeroDivisionError, RecursionError) as error:
        hints = ("ganwright runs",)
        raise ModelFileError("E-RUN-09", f"{path} is no run folder", why=str(error), hints=hints) from error
    status = _json(path / STATUS)
    progress = _last(_lines(path / "metrics.jsonl"))
    state = str(status.get("state", ""))
    held = is_held(path / LOCK)
    if held or state in ("running", ""):
        state = "running" if held else "killed"
    samples = path / "samples"
    pictures = sorted(samples.glob("*.png")) if samples.is_dir() else []
    checkpoints = path / "checkpoints"
    return RunSummary(
        path=path,
        state=state,
        why=str(status.get("why", "")) if state != "running" else "",
        time=str(status.get("time", "")),
        step=_whole(max(_whole(progress.get("step")) or 0, _whole(status.get("step")) or 0)),
        steps=steps,
        samples_seen=_whole(progress.get("samples_seen")) or _whole(status.get("samples_seen")),
        seconds=_number(progress.get("elapsed_seconds")) or _number(status.get("seconds")),
        health=str(progress.get("health", "")),
        scores=tuple(_lines(path / "scores.jsonl")),
        data=data,
        train=train,
        checkpoints=tuple(sorted(each.name for each in checkpoints.glob("step-*"))) if checkpoints.is_dir() else (),
        model=path / MODEL_NAME if (path / MODEL_NAME).is_file() else None,
        picture=pictures[-1] if pictures else None,
        pictures=len(pictures),
    )


def _text(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(LONGEST).decode("utf-8", "replace")


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(_text(path))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _lines(path: Path) -> list[dict[str, Any]]:
    """The last lines of a file of JSON lines; those that are cut off are left out."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - LAST_LINES))
            lines = file.read(LAST_LINES).splitlines()
    except OSError:
        return []
    found: list[dict[str, Any]] = []
    for line in lines:
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            found.append(value)
    return found


def _last(lines: list[dict[str, Any]]) -> dict[str, Any]:
    return lines[-1] if lines else {}


def _whole(value: Any) -> int | None:
    return int(value) if isinstance(value, int | float) and abs(value) < 1e15 else None


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None
