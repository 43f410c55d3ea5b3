"""Puts what the loop says into the run folder."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ganwright.core.budget import format_duration
from ganwright.core.config import from_plain, to_plain
from ganwright.core.errors import DivergedError, GanwrightError, ResourceError
from ganwright.core.text import counted, in_shell
from ganwright.evaluation.report import write_report
from ganwright.model.locate import MODEL_NAME
from ganwright.model.model import Model
from ganwright.runtime.background import background_thread
from ganwright.runtime.commit import commit, prune
from ganwright.runtime.events import Events
from ganwright.runtime.files import require_room, write_atomically
from ganwright.training.checkpoint import TENSORS, Checkpoint
from ganwright.training.curves import draw_curves
from ganwright.training.events import (
    Ended,
    Kept,
    Pictures,
    Progress,
    Reconfigured,
    Scored,
    Snapshot,
    Warned,
    WentBack,
)
from ganwright.training.memory import Memory
from ganwright.training.run_folder import RunFolder
from ganwright.training.state import TrainState

KEPT = "kept.safetensors"
CHECKPOINTS = 2
"""That are kept at least, the newest ones."""
MARGIN = 1.2
"""Room that a checkpoint must find, in parts of its size."""


@dataclass
class Recorder:
    """A subscriber of the loop, and the writer of its checkpoints.

    What cannot be written is warned of once and tried again when its turn comes; but at the end the model must be written.
    """

    run: RunFolder
    events: Events
    environment: dict[str, Any] = field(default_factory=dict)
    """What decides whether going on from a checkpoint is exact."""
    keep_discriminator: bool = False
    """Whether the model file gets the discriminator too, for `Model.score`."""
    keep: int = CHECKPOINTS
    """Checkpoints that are kept."""
    history: list[Progress] = field(default_factory=list)
    scores: list[Scored] = field(default_factory=list)
    _latest: Model | None = None
    _kept: Model | None = None
    _kept_step: int = 0
    _writing: Future[Path] | None = None
    _unwritten: bool = False
    _failed: set[str] = field(default_factory=set)
    _thread: ThreadPoolExecutor = field(default_factory=lambda: background_thread("ganwright-recorder"))

    def __call__(self, event: object) -> None:
        """Write what the event asks for."""
        match event:
            case Progress():
                self.history.append(event)
                self._try("metrics.jsonl", lambda: append_line(self.run.metrics_path, event))
            case Scored():
                self.scores.append(event)
                self._try("scores.jsonl", lambda: append_line(self.run.scores_path, event))
            case Pictures():
                self._try("samples", lambda: self._write_pictures(event))
            case Kept():
                self._kept, self._kept_step = event.model, event.step
                self._write_kept()
            case WentBack():
                self._try("metrics.jsonl", lambda: self.cut_back(event.to_step, self.scores))
            case Reconfigured():
                self._try("config.toml", lambda: self.run.change_config(micro_batches=event.config.micro_batches))
            case Snapshot():
                self._latest = event.model
                if self._unwritten:
                    self._write_kept()
                status = {"step": event.step, "saved_step": self._kept_step}
                self._try("status.json", lambda: self.run.write_status("running", **status))
                if self.history:
                    self._try("curves.png", lambda: draw_curves(self.history, self.scores, self.run.path / "curves.png"))
            case Ended():
                self._end(event)
            case _:
                pass

    def commit(self, checkpoint: Checkpoint, memory: Memory, kept: Model | None) -> None:
        """Write a checkpoint, then remove those that are older than is kept; safe beside the training.

        Raises:
            OSError: the disk refuses; the older ones stay.
        """
        place = self.run.checkpoints_path
        files: dict[str, Callable[[Path], object]] = {TENSORS: checkpoint.write}
        need = checkpoint.bytes
        if kept is not None:
            files[KEPT] = lambda path: kept.save(path, discriminator=self.keep_discriminator)
            need += kept.bytes
        require_room(place, int(MARGIN * need))
        facts = {"state": checkpoint.facts, "memory": to_plain(memory), "environment": self.environment}
        commit(place, f"step-{checkpoint.facts['step']:010d}", files, facts)
        prune(place, self.keep)

    def cut_back(self, step: int, scores: Sequence[Scored]) -> None:
        """The course in the folder, and in memory, as it was at `step`, with these scores."""
        self.history[:] = [each for each in _progress_in(self.run.metrics_path) if each.step <= step]
        self.scores[:] = scores
        for path, memory in ((self.run.metrics_path, self.history), (self.run.scores_path, self.scores)):
            write_atomically(path, "".join(map(as_line, memory)).encode())

    def failed(self, error: BaseException, state: TrainState) -> None:
        """The run has ended with `error`."""
        name = "diverged" if isinstance(error, DivergedError) else "failed"
        why = error.what if isinstance(error, GanwrightError) else str(error) or type(error).__name__
        facts = {"why": why, "step": state.step, "attempt": state.attempt, "saved_step": self._kept_step}
        self._try("status.json", lambda: self.run.write_status(name, **facts))

    def close(self) -> None:
        """Wait for what is being written."""
        self._thread.shutdown()

    def _write_pictures(self, event: Pictures) -> None:
        path = self.run.picture_path(event.step)
        event.grid.save(path)
        if event.sound:
            path.with_suffix(".wav").write_bytes(event.sound)
        if event.lines:
            self.run.lines_path(event.step).write_text("".join(f"{line}\n" for line in event.lines), encoding="utf-8")

    def _write_kept(self) -> None:
        """Begin to write the model to keep; the one before it is written by now."""
        self._try(MODEL_NAME, self._wait_for_kept)
        kept = self._kept
        assert kept is not None
        self._unwritten = True
        self._writing = self._thread.submit(kept.save, self.run.model_path, discriminator=self.keep_discriminator)

    def _wait_for_kept(self) -> None:
        """Until it is written.

        Raises:
            OSError: it could not be.
        """
        if self._writing is None:
            return
        writing, self._writing = self._writing, None
        writing.result()
        self._unwritten = False

    def _end(self, ended: Ended) -> None:
        self._try(MODEL_NAME, self._wait_for_kept)
        if self._unwritten:
            self._write_kept()
            self._must_be_written()
        facts = {"why": ended.why, "step": ended.step, "samples_seen": ended.samples_seen, "health": ended.health}
        seconds = round(ended.elapsed_seconds, 1)
        self.run.write_status(ended.ending, saved_step=ended.kept_step, seconds=seconds, **facts)
        if ended.ending == "preempted":
            return
        self.run.final_path.unlink(missing_ok=True)  # of an earlier end of the same run
        if ended.kept_step != ended.step and (latest := self._latest) is not None:
            self._try("the last model", lambda: latest.save(self.run.final_path, discriminator=self.keep_discriminator))
        self._try("MODEL_CARD.md", self._write_card)
        self._try("report.html", lambda: write_report(self.run.path))

    def _must_be_written(self) -> None:
        """
        Raises:
            ResourceError: the model to keep cannot be written.
        """
        try:
            self._wait_for_kept()
        except OSError as error:
            path = self.run.model_path
            why = error.strerror or str(error)
            hints = (f"free some space, then ganwright resume {in_shell(self.run.path)}",)
            raise ResourceError("E-DISK-02", "the model cannot be written", where=str(path), why=why, hints=hints) from error

    def _write_card(self) -> None:
        assert self._kept is not None
        (self.run.path / "MODEL_CARD.md").write_text(model_card(self._kept), encoding="utf-8")

    def _try(self, what: str, write: object) -> None:
        assert callable(write)
        try:
            write()
        except OSError as error:
            if what not in self._failed:
                self._failed.add(what)
                self.events.emit(Warned(f"could not write {what} ({error.strerror or error}); training goes on"))


def append_line(path: Path, event: Progress | Scored) -> None:
    """The event as a line of JSON at the end of a file."""
    with path.open("a", encoding="utf-8") as file:
        file.write(as_line(event))


def as_line(event: Progress | Scored) -> str:
    """The event as JSON."""
    return json.dumps(dataclasses.asdict(event)) + "\n"


def _progress_in(path: Path) -> Iterator[Progress]:
    """What the lines tell that are whole: a kill may have cut the last one."""
    for line in path.read_bytes().splitlines() if path.is_file() else []:
        try:
            yield from_plain(Progress, json.loads(line))
        except (ValueError, GanwrightError):
            continue


def model_card(model: Model) -> str:
    """What someone who is handed the model should know, as Markdown."""
    data, training = model.facts["data"], model.facts["training"]
    config = training["config"]
    lines = [
        f"# {data['name']}: {model.codec.describe()}",
        "",
        "A generative adversarial network made with Ganwright. What it makes is synthetic.",
        "",
        f"* Trained on {data['records']:,} records of `{data['name']}` (fingerprint `{data['fingerprint'][:16]}`).",
        f"* Recipe `{config['recipe']}`, network `{config['network']['name']}`, loss `{config['loss']['name']}`,"
        f" seed {config['seed']}, {config['precision']} on {config['device']}.",
        f"* {counted(training['steps'], 'steps')}, {training['samples_seen']:,} samples seen,"
        f" {format_duration(training['seconds'])}.",
        *_origin_lines(config.get("trained_from")),
        *_score_lines(model.facts.get("scores", {})),
        "",
        "```",
        "ganwright sample model.safetensors -n 16 --seed 7 -o out/",
        "```",
        "",
        "It may repeat what it was trained on, and it shares the biases and the licence terms of those data.",
        "",
    ]
    return "\n".join(lines)


def _origin_lines(origin: dict[str, Any] | None) -> list[str]:
    if origin is None:
        return []
    data = f", trained on `{origin['data']}`" if origin["data"] else ""
    return [f"* It began with the weights of `{origin['model']}` (`{origin['fingerprint'][:16]}`){data}."]


def _score_lines(scores: dict[str, Any]) -> list[str]:
    if not scores:
        return ["* Not scored while it trained; `ganwright evaluate` says how good it is."]
    measure = scores.get("measure", "Fréchet distance")
    return [
        f"* The best of its run, but for chance, by the {measure} between {scores['samples']:,} samples and"
        f" real records: {scores['frechet']:.3g} in the features `{scores['features']}`. It compares with scores of"
        " this run only;"
        " `ganwright evaluate` says more.",
    ]
