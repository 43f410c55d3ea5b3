"""Puts what the loop says into the run folder."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ganwright.core.budget import format_duration
from ganwright.core.config import to_plain
from ganwright.evaluation.report import write_report
from ganwright.model.model import Model
from ganwright.runtime.commit import commit, prune
from ganwright.runtime.events import Events
from ganwright.training.checkpoint import TENSORS
from ganwright.training.curves import draw_curves
from ganwright.training.events import Checkpointed, Ended, Kept, Pictures, Progress, Scored, Snapshot, Warned
from ganwright.training.run_folder import RunFolder

KEPT = "kept.safetensors"
CHECKPOINTS = 2
"""That are kept, the newest ones."""


@dataclass
class Recorder:
    """A subscriber of the loop. A picture or a curve that cannot be written is warned of once; the model must be written."""

    run: RunFolder
    events: Events
    environment: dict[str, Any] = field(default_factory=dict)
    """What decides whether going on from a checkpoint is exact."""
    keep_discriminator: bool = False
    """Whether the model file gets the discriminator too, for `Model.score`."""
    history: list[Progress] = field(default_factory=list)
    scores: list[Scored] = field(default_factory=list)
    _latest: Model | None = None
    _kept: Model | None = None
    _kept_step: int = 0
    _failed: set[str] = field(default_factory=set)

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
                self._try("samples", lambda: event.grid.save(self.run.picture_path(event.step)))
            case Kept():
                event.model.save(self.run.model_path, discriminator=self.keep_discriminator)
                self._kept, self._kept_step = event.model, event.step
            case Checkpointed():
                self._try("a checkpoint", lambda: self._commit(event))
            case Snapshot():
                self._latest = event.model
                self.run.write_status("running", step=event.step, saved_step=self._kept_step)
                if self.history:
                    self._try("curves.png", lambda: draw_curves(self.history, self.scores, self.run.path / "curves.png"))
            case Ended():
                self._end(event)
            case _:
                pass

    def _commit(self, event: Checkpointed) -> None:
        files: dict[str, Callable[[Path], object]] = {TENSORS: event.checkpoint.write}
        if (kept := event.kept) is not None:
            files[KEPT] = lambda path: kept.save(path, discriminator=self.keep_discriminator)
        facts = {
            "state": event.checkpoint.facts,
            "memory": to_plain(event.memory),
            "lines": {"metrics": len(self.history), "scores": len(self.scores)},
            "environment": self.environment,
        }
        commit(self.run.checkpoints_path, f"step-{event.step:010d}", files, facts)
        prune(self.run.checkpoints_path, CHECKPOINTS)

    def _end(self, ended: Ended) -> None:
        if ended.kept_step != ended.step and self._latest is not None:
            self._latest.save(self.run.final_path, discriminator=self.keep_discriminator)
        facts = {"why": ended.why, "step": ended.step, "samples_seen": ended.samples_seen, "health": ended.health}
        seconds = round(ended.elapsed_seconds, 1)
        self.run.write_status(ended.ending, saved_step=ended.kept_step, seconds=seconds, **facts)
        self._try("MODEL_CARD.md", self._write_card)
        self._try("report.html", lambda: write_report(self.run.path))

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
        file.write(json.dumps(dataclasses.asdict(event)) + "\n")


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
        f"* {training['steps']:,} steps, {training['samples_seen']:,} samples seen, {format_duration(training['seconds'])}.",
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


def _score_lines(scores: dict[str, Any]) -> list[str]:
    if not scores:
        return ["* Not scored while it trained; `ganwright evaluate` says how good it is."]
    return [
        f"* The best of its run, but for chance, by the Fréchet distance between {scores['samples']:,} samples and"
        f" training records: {scores['frechet']:.3g} in the features `{scores['features']}`. It compares with scores of"
        " this run only;"
        " `ganwright evaluate` says more.",
    ]
