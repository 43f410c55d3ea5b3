"""The folder of one run: config, data report, metrics, pictures, curves, the model, and how it stands."""

from __future__ import annotations

import datetime
import json
import os
import re
import secrets
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w

from ganwright.core.config import to_plain
from ganwright.core.errors import DataError, UsageError
from ganwright.core.text import in_shell
from ganwright.model.locate import MODEL_NAME, RUNS
from ganwright.runtime.files import write_atomically
from ganwright.training.config import TrainConfig


@dataclass(frozen=True)
class RunFolder:
    """Paths of a run and the writing of its small files; large ones are written by whoever makes them."""

    path: Path

    @classmethod
    def create(cls, path: Path | None, data_name: str, shape: str) -> RunFolder:
        """A new folder at `path`, or under runs/ with a name that says what is in it.

        Raises:
            UsageError: there is something at `path` already; nothing is ever overwritten.
            DataError: the folder cannot be written to; nothing was created.
        """
        while path is None:
            words = [datetime.date.today().isoformat(), _slug(data_name), _slug(shape), secrets.token_hex(2)]
            named = RUNS / "-".join(word for word in words if word)
            path = None if named.exists() else named
        if path.is_file() or (path.is_dir() and any(path.iterdir())):
            hints = (f"ganwright resume {in_shell(path)}", "another --run")
            raise UsageError("E-RUN-01", f"{path} exists already; a run never overwrites", hints=hints)
        try:
            (path / "samples").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            hint = "--run with a folder that you may write to"
            raise DataError(
                "E-RUN-02", f"cannot write to {path}", why=error.strerror or str(error), hints=(hint,)
            ) from error
        return cls(path)

    @property
    def model_path(self) -> Path:
        """Where the model is kept."""
        return self.path / MODEL_NAME

    @property
    def metrics_path(self) -> Path:
        """One JSON object a line."""
        return self.path / "metrics.jsonl"

    @property
    def scores_path(self) -> Path:
        """One JSON object a line: the scores on the way."""
        return self.path / "scores.jsonl"

    @property
    def checkpoints_path(self) -> Path:
        """Where the run can go on from."""
        return self.path / "checkpoints"

    @property
    def final_path(self) -> Path:
        """Where the last model goes, if a better one is kept."""
        return self.path / "final.safetensors"

    def picture_path(self, step: int) -> Path:
        """Of the samples at `step`."""
        return self.path / "samples" / f"{step:06d}.png"

    def lines_path(self, step: int) -> Path:
        """Of the samples at `step` as text."""
        return self.picture_path(step).with_suffix(".txt")

    def write_config(self, config: TrainConfig, data: dict[str, Any]) -> None:
        """config.toml: everything resolved, with the data that it was resolved for."""
        text = tomli_w.dumps({"data": data, "train": to_plain(config)})
        write_atomically(self.path / "config.toml", text.encode())

    def change_config(self, **changes: Any) -> None:
        """Other values of fields of the config."""
        path = self.path / "config.toml"
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        table["train"] |= changes
        write_atomically(path, tomli_w.dumps(table).encode())

    def write_json(self, name: str, value: Any) -> None:
        """A small JSON file, for people and programs."""
        write_atomically(self.path / name, (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode())

    @property
    def status(self) -> dict[str, Any]:
        """What status.json says, "state" at least; that is empty where it says nothing."""
        try:
            found = json.loads((self.path / "status.json").read_bytes())
            return {**found, "state": str(found["state"])}
        except (OSError, ValueError, KeyError, TypeError):
            return {"state": ""}

    def write_status(self, state: str, **facts: Any) -> None:
        """status.json: "running", "finished", "stopped", "preempted", "diverged" or "failed", with the step and why."""
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        self.write_json("status.json", {"state": state, "time": now, "pid": os.getpid(), **facts})


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40]
