"""`ganwright evaluate MODEL DATA`"""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from ganwright.cli.options import Debug, Device, Json
from ganwright.cli.output import Output
from ganwright.core.budget import parse_count
from ganwright.core.config import from_plain
from ganwright.core.errors import GanwrightError, UsageError
from ganwright.data.tables.asked import Asked

if TYPE_CHECKING:
    from ganwright.evaluation.result import Evaluation

REPORT = "data_report.json"


def evaluate(
    model: str | None = None,
    data: str | None = None,
    /,
    *,
    real: str | None = None,
    fake: str | None = None,
    held_out: str | None = None,
    n: Annotated[str | None, Parameter(name=["-n", "--count"])] = None,
    features: str | None = None,
    weights: str | None = None,
    seed: int = 0,
    out: Annotated[Path | None, Parameter(name=["-o", "--out"])] = None,
    device: Device = "cpu",
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Say how good a model is: do its samples look real, cover the data, copy it?

    Writes evaluation.json, nearest.png, grid.png and report.html into the run folder. Without MODEL, two folders of pictures
    or two tables are compared: --real what was learned from, --fake what was made, by whatever tool.

    Parameters
    ----------
    model
        A model file, a run folder, a run's name or the beginning of it, or last.
    data
        What it was trained on. Default: where the run folder says that it lay.
    real
        Instead of MODEL: real records.
    fake
        Instead of MODEL: records that were made from them.
    held_out
        Real records that were not learned from. Default: those that training kept back.
    n
        How many samples. Default: 5000, or all of --fake.
    features
        In what records are compared: self, random, courses, encoded, ngrams, inception, dinov2. Figures of one never compare
        with those of another. Default: encoded for tables, courses for series, ngrams for texts, self for all else.
    weights
        Of inception or dinov2: the file or folder they lie in. Default: where their libraries keep them.
    seed
        Which samples, and every random choice.
    out
        The folder for what is written. Default: the run folder, or evaluation/ where there is none.
    """
    output = Output(json)
    count = parse_count(n) if n is not None else None
    if weights is not None and features is None:
        hints = ("--features inception --weights FILE", "--features dinov2 --weights FOLDER")
        raise UsageError("E-EVALUATE-12", "--weights of which features?", hints=hints)
    chosen = features if weights is None else {"name": features, "weights": weights}
    shared: dict[str, Any] = {"features": chosen, "seed": seed, "held_out": held_out}
    if real is not None or fake is not None:
        if model is not None or real is None or fake is None:
            hints = ("ganwright evaluate --real photos/ --fake made/", "ganwright evaluate last")
            raise UsageError("E-EVALUATE-10", "give a model, or both --real and --fake", hints=hints)
        folder = out or Path("evaluation")
        _evaluate_folders(real, fake, count, folder, {**shared, "device": device}, output)
    else:
        _evaluate_model(model or "last", data, count, out, shared, device, output)


def _evaluate_model(
    reference: str,
    data: str | None,
    count: int | None,
    out: Path | None,
    shared: dict[str, Any],
    device: Device,
    output: Output,
) -> None:
    from ganwright.cli.watching import watched
    from ganwright.model.locate import find_model
    from ganwright.model.model import Model
    from ganwright.runtime.device import find_machine

    path = find_model(reference)
    in_a_run = (path.parent / REPORT).is_file()
    folder = out or (path.parent if in_a_run else Path("evaluation"))
    reading: dict[str, Any] = {} if data is not None else _reading_of(path)
    place = data or _place_of_data(path)
    check_folder(folder)
    loaded = Model.load(path, find_machine(device).device)
    shared = {**reading, **shared, "folder": folder, "name": str(path)}
    with watched(output) as progress:
        found = loaded.evaluate(place, n=count or 5_000, progress=progress, **shared)
    tell(found, folder, output)


def _evaluate_folders(
    real: str, fake: str, count: int | None, folder: Path, options: dict[str, Any], output: Output
) -> None:
    from ganwright.cli.watching import watched
    from ganwright.evaluation.folders import evaluate as evaluate_folders
    from ganwright.runtime.device import find_machine

    check_folder(folder)
    options = {**options, "device": find_machine(options["device"]).device}
    with watched(output) as progress:
        found = evaluate_folders(real, fake, n=count, folder=folder, progress=progress, **options)
    tell(found, folder, output)


def tell(found: Evaluation, folder: Path, output: Output) -> None:
    """The findings for people, or as the JSON document."""
    from ganwright.evaluation.telling import lines

    for line in lines(found):
        output.line(line)
    output.line(f"pictures  {folder / 'nearest.png'}")
    output.line(f"report    {folder / 'report.html'}")
    output.document({"folder": str(folder), **found.plain()})


def check_folder(folder: Path) -> None:
    """Raise DataError if a picture of someone else's lies where one would be written."""
    from ganwright.cli.writing import check_ours

    for name in ("nearest.png", "grid.png"):
        check_ours(folder / name)


def _reading_of(model: Path) -> dict[str, Any]:
    """How much of the data the run took, and what it did about duplicates, as `Model.evaluate` wants to be told."""
    from ganwright.training.request import REQUEST, Request

    try:
        request = from_plain(Request, json_module.loads((model.parent / REQUEST).read_bytes()), "request")
    except (OSError, ValueError, GanwrightError):  # of another version, or no run: then all there is
        return {}
    return {"limit": request.limit, "modality": request.modality}


def _place_of_data(model: Path) -> Any:
    """Where the run folder says that its data lay, with how they were to be read.

    Raises:
        UsageError: there is no run folder, the data were no files, or they are gone.
    """
    from ganwright.data.sources.tables import TableFile

    report = model.parent / REPORT
    hints = ("ganwright evaluate MODEL DATA",)
    try:
        told = json_module.loads(report.read_text(encoding="utf-8"))
        place, reading = told["place"], from_plain(Asked, told.get("reading", {}), "reading")
        labels = told.get("labels", "")
    except (OSError, ValueError, KeyError, TypeError):
        raise UsageError("E-EVALUATE-11", f"what was {model} trained on?", why="no run folder tells", hints=hints) from None
    if not isinstance(place, str) or not Path(place).expanduser().exists():
        raise UsageError("E-EVALUATE-11", f"the data are not at {place} any more", hints=hints)
    if labels and isinstance(labels, str) and Path(labels).expanduser().exists():
        return place, labels
    return place if reading == Asked() else TableFile(place, reading)
