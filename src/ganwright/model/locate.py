"""From what a user calls a model to its file."""

from __future__ import annotations

from pathlib import Path

from ganwright.core.errors import ModelFileError
from ganwright.core.suggest import nearest

RUNS = Path("runs")
MODEL_NAME = "model.safetensors"
REQUEST = "request.json"
"""What was asked of a run, in its folder; by it one of `--run NAME` is known, too."""


def find_model(reference: str, runs: Path = RUNS) -> Path:
    """The model file that `reference` names: a file, a run folder, a run's name or unique prefix under runs/, or "last".

    Raises:
        ModelFileError: there is none, or several runs begin so; the nearest names are given.
    """
    path = Path(reference).expanduser()
    return path if path.is_file() else _model_in(find_run(reference, runs, MODEL_NAME, "model"))


def find_run(reference: str, runs: Path = RUNS, holding: str = "config.toml", what: str = "run") -> Path:
    """The run folder that `reference` names: a folder, a run's name or unique prefix under runs/, or "last", which is the
    newest one there or beside it.

    Args:
        holding: a file that the last run must have.
        what: is looked for, for messages.

    Raises:
        ModelFileError: as `find_model`.
    """
    path = Path(reference).expanduser()
    if path.is_dir():
        return path
    known = sorted(run for run in runs.iterdir() if run.is_dir()) if runs.is_dir() else []
    if reference == "last":
        saved = [run for run in [*known, *_beside(runs)] if (run / holding).is_file()]
        if not saved:
            hints = ("ganwright train PATH", "ganwright demo")
            which = "run with a model" if what == "model" else what
            raise ModelFileError("E-MODEL-04", f"there is no {which} under {runs}/ or here yet", hints=hints)
        return max(saved, key=lambda run: (run / holding).stat().st_mtime)
    matches = [run for run in known if run.name == reference] or [run for run in known if run.name.startswith(reference)]
    if len(matches) == 1:
        return matches[0]
    if matches:
        names = ", ".join(run.name for run in matches[:4])
        raise ModelFileError(
            "E-MODEL-05", f"{len(matches)} runs begin with {reference!r}: {names}", hints=("more of the name",)
        )
    guess = nearest(reference, [run.name for run in known])
    places = "a model file, a run folder" if what == "model" else "a run folder"
    hints = (f"did you mean {guess}?",) if guess else (f"{places}, a run's name, or last",)
    raise ModelFileError("E-MODEL-04", f"there is no {what} {reference!r}", hints=hints)


def _beside(runs: Path) -> list[Path]:
    """Folders of runs beside the one that most of them lie in."""
    found: list[Path] = []
    for folder in runs.parent.iterdir() if runs.parent.is_dir() else ():
        try:
            if folder != runs and (folder / REQUEST).is_file():
                found.append(folder)
        except OSError:  # a folder that may not be looked into
            continue
    return found


def _model_in(run: Path) -> Path:
    model = run / MODEL_NAME
    if model.is_file():
        return model
    raise ModelFileError(
        "E-MODEL-04", f"{run} holds no {MODEL_NAME}", hints=("the run may have stopped before its first save",)
    )
