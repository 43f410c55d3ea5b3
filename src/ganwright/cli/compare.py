"""`ganwright compare RUN RUN ...`"""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ganwright.cli.options import Debug, Json
from ganwright.cli.output import Output
from ganwright.core.errors import DataError, ModelFileError
from ganwright.core.text import in_shell

PICTURE = "compare.png"
NARROWEST, WIDEST = 60, 120
"""Columns: below, nothing can be set out; above, lines are too long to read."""


def compare(
    *models: str,
    out: Annotated[Path, Parameter(name=["-o", "--out"])] = Path(PICTURE),
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Hold evaluated runs against each other: a table, and a picture with the samples of each.

    Each has to be evaluated first, with `ganwright evaluate`. Figures of other features, data or counts are kept apart.

    Parameters
    ----------
    models
        Two or more: run folders, runs' names or the beginnings of them, last, or folders that `ganwright evaluate -o` wrote.
    out
        The picture: a .png or .jpg file, or a folder for it.
    """
    from ganwright.evaluation.comparison import comparison_lines, read_comparison

    output = Output(json)
    folders = [_folder_of(model) for model in models]
    comparison = read_comparison(folders)

    from ganwright.cli.writing import check_ours
    from ganwright.data.ownership import picture_path, save_picture
    from ganwright.evaluation.comparison_picture import draw_comparison

    path = picture_path(out, PICTURE)
    check_ours(path)
    for line in comparison_lines(comparison, min(max(shutil.get_terminal_size().columns, NARROWEST), WIDEST)):
        output.line(line)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_picture(draw_comparison(comparison), path)
    except OSError as error:
        hints = ("another -o",)
        raise DataError("E-COMPARE-02", f"cannot write to {path}", why=error.strerror or str(error), hints=hints) from error
    output.line()
    for line in _older(folders):
        output.line(line)
    output.line(f"picture   {path}")
    output.document({**comparison.plain(), "picture": str(path)})


def _older(folders: list[Path]) -> list[str]:
    """A line for each run whose model has gone on training since it was evaluated."""
    from ganwright.evaluation.result import Evaluation
    from ganwright.model.locate import MODEL_NAME
    from ganwright.model.model_file import read_facts, samples_seen

    lines: list[str] = []
    for folder in dict.fromkeys(folders):
        then, now = Evaluation.read(folder).samples_seen, 0
        with suppress(ModelFileError):  # of samples of other makers, or of a model that is damaged now
            now = samples_seen(read_facts(folder / MODEL_NAME)["facts"])
        if then and now and then != now:
            lines.append(f"older     {folder}: evaluated after {then:,} samples, its model has seen {now:,} now")
            lines.append(f"          ganwright evaluate {in_shell(folder)}")
    return lines


def _folder_of(model: str) -> Path:
    """Where the evaluation of what the user calls `model` lies; for samples of other makers there is no model file."""
    from ganwright.evaluation.result import FILE
    from ganwright.model.locate import find_model

    folder = Path(model).expanduser()
    return folder if (folder / FILE).is_file() else find_model(model).parent
