"""A run as a person follows it: a live line in a terminal, plain lines elsewhere."""

from __future__ import annotations

import time

from rich.console import Console as RichConsole
from rich.live import Live
from rich.text import Text

from ganwright.cli.output import Output
from ganwright.core.budget import format_duration
from ganwright.milestones import CarriedOver, DataReady, PlanReady, Preparing, Resuming
from ganwright.training.events import Ended, Kept, Progress, Scored, Warned

PLAIN_SECONDS = (2.0, 5.0, 10.0, 20.0, 30.0)
"""Seconds between plain lines, the last one repeated: often at first, when one wonders whether it works."""


class _Rich(RichConsole):
    """One that says when nobody reads any more, where rich would end the program."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


class Console:
    """A subscriber that tells what `fit` does; health and time left come first, losses last."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._rich: RichConsole = _Rich(file=output.stream, highlight=False)
        self._live: Live | None = None
        self._plain_lines = 0
        self._next_plain = 0.0
        self._began = time.monotonic()
        self._preparing_said = 0.0
        self._saved_at: float | None = None
        self._score: Scored | None = None
        self._deaf = False

    def __call__(self, event: object) -> None:
        """Show the event, if it is one for people; that nobody listens any more is no reason to stop training."""
        if self._deaf:
            return
        try:
            self._show(event)
        except OSError:
            self._deaf, self._live = True, None
            self._output.mute()

    def _show(self, event: object) -> None:
        match event:
            case Preparing():
                self._preparing(event)
            case DataReady():
                self._still()
                for line in event.report.lines():
                    self._say(line)
                if event.held_out is not None:
                    self._say(f"  keep  {len(event.held_out):,} of them from training, to evaluate with (--no-holdout)")
                self._update(Text("timing a few steps ...", style="dim"))
            case PlanReady():
                self._still()
                self._plan(event)
            case CarriedOver():
                for number, line in enumerate(event.carriage.lines()):
                    self._say(f"{'' if number else 'Carried':9}{line}")
            case Resuming():
                self._still()
                share = event.step * 100 // max(1, event.total_steps)
                trained = f"{share}% of the planned steps, after {format_duration(event.seconds)} of training"
                self._say(f"{'Resume':9}{event.run.path} from step {event.step:,}: {trained}")
            case Progress():
                self._progress(event)
            case Scored():
                self._score = event
            case Kept():
                self._saved_at = time.monotonic()
            case Warned():
                self._say(f"warning  {event.text}", style="yellow")
            case Ended():
                self._still()
                self._say(f"{event.ending} after {format_duration(event.elapsed_seconds)} of training: {event.why}")
            case _:
                pass

    def close(self) -> None:
        """End the live line, whatever happened."""
        self._still()

    def _preparing(self, event: Preparing) -> None:
        now = time.monotonic()
        share = f"{event.done:,} of {event.total:,}" if event.total else f"{event.done:,}"
        if self._rich.is_terminal:
            self._update(Text(f"{event.what} {share}", style="dim"))
        elif now - max(self._began, self._preparing_said) > 10:
            self._preparing_said = now
            self._say(f"{event.what} {share}")

    def _plan(self, event: PlanReady) -> None:
        for number, line in enumerate(event.plan.lines()):
            self._say(f"{'' if number else 'Plan':9}{line}")
        self._say(f"{'Machine':9}{event.plan.machine.name}")
        if event.run is not None:
            self._say(f"{'Run':9}{event.run.path}      Ctrl-C saves and stops")
            self._say(f"{'':9}look at  {event.run.path / 'samples'}")

    def _progress(self, event: Progress) -> None:
        now = time.monotonic()
        if self._rich.is_terminal:
            self._update(progress_text(event, None if self._saved_at is None else now - self._saved_at, self._score))
        elif now >= self._next_plain or event.epoch_ended:
            self._next_plain = now + PLAIN_SECONDS[min(self._plain_lines, len(PLAIN_SECONDS) - 1)]
            self._plain_lines += 1
            self._say(progress_text(event, None, self._score).plain)

    def _say(self, text: str, style: str = "") -> None:
        self._rich.print(Text(text, style=style), soft_wrap=True)

    def _update(self, text: Text) -> None:
        if not self._rich.is_terminal:
            return
        text.no_wrap, text.overflow = True, "ellipsis"
        if self._live is None:
            self._live = Live(text, console=self._rich, refresh_per_second=4, transient=True)
            self._live.start()
        else:
            self._live.update(text)

    def _still(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None


def progress_text(event: Progress, saved_seconds_ago: float | None, score: Scored | None = None) -> Text:
    """One line, the most important first, so that a narrow terminal cuts the least."""
    share = event.elapsed_seconds / max(event.elapsed_seconds + event.seconds_left, 1e-9)
    parts = [
        (f"{share:4.0%}", "bold"),
        (f"{format_duration(event.seconds_left)} left", "bold"),
        (event.health, "green" if event.health == "ok" else "yellow"),
        (f"step {event.step:,}", ""),
        (f"{event.records_per_second:,.0f} records/s", ""),
    ]
    if event.epoch is not None:
        parts.append((f"epoch {event.epoch:.1f}", ""))
    if score is not None:
        kept = "kept" if score.kept else f"kept {score.kept_frechet:.3g}"
        parts.append((f"{score.measure.removesuffix(' distance')} {score.frechet:.3g} ({kept})", ""))
    if event.diversity is not None:
        parts.append((f"diversity {event.diversity:.2f}", ""))
    if saved_seconds_ago is not None:
        parts.append((f"saved {format_duration(saved_seconds_ago)} ago", "dim"))
    if "generator_loss" in event.numbers:
        parts.append((f"loss G {event.numbers['generator_loss']:.2f} D {event.numbers['discriminator_loss']:.2f}", "dim"))
    return Text(" · ").join(Text(text, style=style) for text, style in parts)
