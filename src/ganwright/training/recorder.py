"""Puts what the loop says into the run folder."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field

from ganwright.core.budget import format_duration
from ganwright.model.model import Model
from ganwright.runtime.events import Events
from ganwright.training.curves import draw_curves
from ganwright.training.events import Ended, Pictures, Progress, Snapshot, Warned
from ganwright.training.run_folder import RunFolder


@dataclass
class Recorder:
    """A subscriber of the loop. A picture or a curve that cannot be written is warned of once; the model must be written."""

    run: RunFolder
    events: Events
    keep_discriminator: bool = False
    """Whether the model file gets the discriminator too, for `Model.score`."""
    history: list[Progress] = field(default_factory=list)
    _failed: set[str] = field(default_factory=set)

    def __call__(self, event: object) -> None:
        """Write what the event asks for."""
        match event:
            case Progress():
                self.history.append(event)
                self._try("metrics.jsonl", lambda: self._append(event))
            case Pictures():
                self._try("samples", lambda: event.grid.save(self.run.picture_path(event.step)))
            case Snapshot():
                event.model.save(self.run.model_path, discriminator=self.keep_discriminator)
                self.run.write_status("running", step=event.step, saved_step=event.step)
                if self.history:
                    self._try("curves.png", lambda: draw_curves(self.history, self.run.path / "curves.png"))
            case Ended():
                facts = {"why": event.why, "step": event.step, "samples_seen": event.samples_seen, "health": event.health}
                self.run.write_status(event.ending, saved_step=event.step, seconds=round(event.elapsed_seconds, 1), **facts)
                self._try("MODEL_CARD.md", self._write_card)
            case _:
                pass

    def _append(self, progress: Progress) -> None:
        with self.run.metrics_path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(dataclasses.asdict(progress)) + "\n")

    def _write_card(self) -> None:
        model = Model.load(self.run.model_path)
        (self.run.path / "MODEL_CARD.md").write_text(model_card(model), encoding="utf-8")

    def _try(self, what: str, write: object) -> None:
        assert callable(write)
        try:
            write()
        except OSError as error:
            if what not in self._failed:
                self._failed.add(what)
                self.events.emit(Warned(f"could not write {what} ({error.strerror or error}); training goes on"))


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
        "* Not evaluated: no score stands behind it yet.",
        "",
        "```",
        "ganwright sample model.safetensors -n 16 --seed 7 -o out/",
        "```",
        "",
        "It may repeat what it was trained on, and it shares the biases and the licence terms of those data.",
        "",
    ]
    return "\n".join(lines)
