"""`ganwright runs` and `ganwright show RUN`"""

from __future__ import annotations

import dataclasses
import datetime
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganwright.cli.options import Debug, Json
from ganwright.cli.output import Output
from ganwright.core.budget import format_duration
from ganwright.core.text import in_shell, printable

if TYPE_CHECKING:
    from ganwright.model.run_summary import RunSummary

NARROWEST = 60


def runs(folder: Path = Path("runs"), /, *, json: Json = False, debug: Debug = False) -> None:
    """List the runs of a folder: how they stand, how far they came, how good they are.

    Parameters
    ----------
    folder
        Where the runs are.
    """
    from ganwright.model.run_summary import runs_in

    output = Output(json)
    found = runs_in(folder)
    output.document({"runs": [as_document(run) for run in found]})
    if json:
        return
    if not found:
        output.line(f"there are no runs in {folder}/ yet: ganwright train PATH")
        return
    rows = [("run", "state", "step", "score", "trained", "last picture"), *map(_row, found)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    columns = max(NARROWEST, shutil.get_terminal_size((120, 24)).columns)
    last = widths[:-1]
    for row in rows:
        line = "  ".join(text.ljust(width) for text, width in zip(row[:-1], last, strict=True))
        # The path of the picture is the first to go where a terminal is narrow; show has it.
        output.line(f"{line}  {row[-1]}".rstrip() if len(line) + 2 + widths[-1] <= columns else line.rstrip())
    output.line("")
    output.line("score: Fréchet distance of the model that is kept; it compares within a run. More: ganwright show RUN")


def show(run: str = "last", /, *, json: Json = False, debug: Debug = False) -> None:
    """Say how one run stands, and what can be done with it, while it trains too.

    Parameters
    ----------
    run
        A run folder, a run's name or its beginning, or last.
    """
    from ganwright.model.locate import find_run
    from ganwright.model.run_summary import read_summary

    found = read_summary(find_run(run))
    output = Output(json)
    output.document(as_document(found))
    if not json:
        for name, text in describe(found):
            output.line(f"{name:9} {printable(text)}")


def describe(run: RunSummary) -> list[tuple[str, str]]:
    """A run, line by line; what is not known is left out."""
    ago = _ago(run.time)
    state = f"{run.state}{f' since {ago} ago' if run.state == 'running' and ago else f' {ago} ago' if ago else ''}"
    held_out = f", {run.data['held_out']:,} more held out" if run.data.get("held_out") else ""
    train = run.train
    loss = train["loss"].get("name") if isinstance(train.get("loss"), dict) else None
    recipe = [f"{train.get('recipe')}", f"batch {train.get('batch')}", *([f"loss {loss}"] if loss else [])]
    lines = [
        ("run", str(run.path)),
        ("state", f"{state}: {run.why}" if run.why else state),
        ("data", f"{run.data.get('name')}: {run.data.get('records'):,} records{held_out}"),
        ("recipe", " · ".join([*recipe, f"seed {train.get('seed')}", f"{train.get('precision')} on {train.get('device')}"])),
        ("trained", _trained(run)),
    ]
    if run.scores:
        course = ", ".join(f"{score['frechet']:.3g}" for score in run.scores[-8:] if "frechet" in score)
        more = "... " if len(run.scores) > 8 else ""
        last = list(run.scores)[-1]
        measure = str(last.get("measure", "Fréchet distance")).removesuffix(" distance")
        lines.append(("scores", f"{measure} {more}{course}; kept {run.kept_score:.3g} of step {last.get('kept_step'):,}"))
    if run.health:
        lines.append(("health", run.health))
    if run.picture:
        lines.append(("pictures", f"{run.picture} ({run.pictures} in all)"))
    if run.model:
        lines.append(("model", f"{run.model} ({run.model.stat().st_size / 1e6:.1f} MB)"))
    if run.checkpoints:
        lines.append(("copies", f"{', '.join(f'step {int(name[5:]):,}' for name in run.checkpoints)}, in checkpoints/"))
    following = [f"ganwright resume {in_shell(run.path)}"] if run.resumable else []
    following += [f"ganwright sample {in_shell(run.path)} -n 100 --seed 7 -o out/"] if run.model else []
    return lines + [("next" if number == 0 else "", line) for number, line in enumerate(following)]


def as_document(run: RunSummary) -> dict[str, Any]:
    """The same for programs."""
    plain = {**dataclasses.asdict(run), "kept_score": run.kept_score, "resumable": run.resumable}
    return {name: str(value) if isinstance(value, Path) else value for name, value in plain.items()}


def _row(run: RunSummary) -> tuple[str, ...]:
    step = f"{run.step or 0:,}" + (f" of {run.steps:,}" if run.steps else "")
    score = f"{run.kept_score:.3g}" if run.kept_score is not None else "-"
    seconds = format_duration(run.seconds) if run.seconds else "-"
    return tuple(map(printable, (run.path.name, run.state, step, score, seconds, str(run.picture or "-"))))


def _trained(run: RunSummary) -> str:
    share = f" ({(run.step or 0) / run.steps:.0%})" if run.steps else ""
    parts = [f"{run.step or 0:,} of {run.steps or 0:,} steps{share}"]
    parts += [f"{run.samples_seen:,} samples"] if run.samples_seen else []
    return " · ".join([*parts, *([format_duration(run.seconds)] if run.seconds else [])])


def _ago(time: str) -> str:
    """How long ago an ISO time is, for people; empty where it is none."""
    try:
        then = datetime.datetime.fromisoformat(time)
        seconds = (datetime.datetime.now(datetime.UTC) - then).total_seconds()
    except (ValueError, TypeError):
        return ""
    days = int(seconds // 86_400)
    return f"{days} day{'s' * (days > 1)}" if days else format_duration(seconds)
