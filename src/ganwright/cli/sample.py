"""`ganwright sample MODEL`"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from ganwright.cli.options import Debug, Device, Json, Noise, parse_grid
from ganwright.cli.output import Output
from ganwright.core.budget import parse_count
from ganwright.core.errors import UsageError
from ganwright.core.text import counted, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ganwright.model.model import Model

NAMED = 30
"""Classes of rows that are told by name."""


def sample(
    model: str = "last",
    /,
    *,
    n: Annotated[str | None, Parameter(name=["-n", "--count"])] = None,
    seed: int = 0,
    out: Annotated[Path, Parameter(name=["-o", "--out"])] = Path("out"),
    grid: str | None = None,
    title: str = "",
    label: str | None = None,
    where: Annotated[tuple[str, ...], Parameter(negative=())] = (),
    beyond: Annotated[bool, Parameter(negative=())] = False,
    match: Path | None = None,
    ids: Annotated[bool, Parameter(negative=())] = False,
    by_class: Annotated[bool, Parameter(negative=())] = False,
    noise: Noise = None,
    truncation: float = 1.0,
    format: Literal["png", "jpg"] | None = None,
    device: Device = "cpu",
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Make new pictures, sounds or rows with a trained model: files, or one grid.

    The same model, seed and count give the same samples on any machine of one kind, and sample i does not depend on how
    many are asked for.

    Parameters
    ----------
    model
        A model file, a run folder, a run's name or the beginning of it, or last.
    n
        How many. Default: 16.
    seed
        Which ones.
    out
        The folder they go to; or a file: a .csv for rows, a .png or .jpg for one picture or a grid, a .wav for one sound.
    grid
        Rows x columns, as 5x5: one picture with all of them.
    title
        Written above the grid.
    label
        Of which class, for a model that was trained with --conditional. Default: as the data had them.
    where
        What samples are to be, of what a model was told or of a row's columns: "breed=siamese", "glasses=yes",
        "sex=Male|Female", "age=30..40", "age>=50", of rows "city=" for missing cells. May be repeated; all of them hold.
    beyond
        With --where, numbers may lie outside what the data had.
    ids
        Rows get new ids in the columns that were left out because they only name rows.
    match
        A table with some of the columns: its rows are completed, with columns that it lacks and cells that are empty.
    by_class
        One picture with a row for each class; --grid then says how many classes and columns.
    truncation
        How far samples vary, above 0 and up to 1: 0.7 gives more typical, less varied ones.
    format
        Of the picture files. Default: png.
    """
    output = Output(json)
    shape = parse_grid(grid) if grid is not None else None
    if by_class and (label is not None or n is not None):
        raise UsageError("E-SAMPLE-01", "--by-class shows every class; leave --label and -n out")
    together = shape is not None or by_class
    if title and not together:
        raise UsageError("E-SAMPLE-01", "--title is written above a grid", hints=("--grid 5x5",))
    if format is not None and together:
        raise UsageError("E-SAMPLE-01", "--format is that of single pictures", hints=(f"-o grid.{format}",))
    if beyond and not where:
        raise UsageError("E-SAMPLE-01", "--beyond what?", hints=("--where age=90..100 --beyond",))
    if n is not None and parse_count(n) < 1:
        raise UsageError("E-SAMPLE-01", f"-n must be at least 1, not {n}")
    if shape is not None and n is not None and parse_count(n) != shape[0] * shape[1]:
        raise UsageError(
            "E-SAMPLE-01", f"--grid {grid} has {shape[0] * shape[1]} places, -n asks for {n}", hints=("leave -n out",)
        )
    count = shape[0] * shape[1] if shape else parse_count(n) if n is not None else 16

    from ganwright.cli.writing import write_completed, write_grid, write_samples
    from ganwright.model.locate import find_model
    from ganwright.model.model import Model
    from ganwright.runtime.device import find_machine

    if match is not None and (n is not None or where or shape is not None):
        raise UsageError("E-SAMPLE-14", "--match completes the rows it is given; leave -n, --where and --grid out")
    path = find_model(model)
    loaded = Model.load(path, find_machine(device).device)
    if match is not None:
        files, count = write_completed(loaded, match, seed, out)
        output.line(f"{counted(count, 'rows')} of {match} completed → {files[0]}   (model {path}, seed {seed})")
        output.document({"model": str(path), "n": count, "seed": seed, "files": [str(file) for file in files]})
        return
    sampling: dict[str, Any] = {"noise": noise, "truncation": truncation}
    if label is not None:
        from ganwright.data.spec import asked_class

        sampling |= asked_class(loaded.spec.conditions, label)
    if where:
        from ganwright.data.tables.asking import parse_wishes

        sampling |= {"where": parse_wishes(where), "beyond": beyond}
    if together:
        rows_and_columns = shape if shape is not None else (None, None)
        extra = {"title": title, "by_class": by_class}
        files = write_grid(loaded, rows_and_columns, seed, out, {**sampling, **extra})
        output.line(f"{files[0]}   (model {path}, seed {seed})")
        shown = loaded.rows_by_class(rows_and_columns[0]) if by_class else ()
        for line in _told_rows(shown, loaded):
            output.line(line)
        named = {"rows": shown} if by_class else {}
        output.document({"model": str(path), "seed": seed, "files": [str(file) for file in files], **named})
        return
    files = write_samples(loaded, count, seed, out, f".{format}" if format else "", sampling, ids=ids)
    place = files[0] if len(files) == 1 else out
    what = f"{counted(count, f'new {loaded.codec.noun}')} ({loaded.codec.describe()})"
    output.line(f"{what} → {place}   (model {path}, seed {seed})")
    output.document({"model": str(path), "n": count, "seed": seed, "files": [str(file) for file in files]})


def _told_rows(shown: Sequence[str], model: Model) -> list[str]:
    """Which classes the rows of a grid are, from the top; no lines where they are none."""
    if not shown:
        return []
    names = ", ".join(map(printable, shown[:NAMED])) + (", ..." if len(shown) > NAMED else "")
    there = len(model.rows_by_class(None, most=None))
    more = [f"there are {there:,} classes: --by-class --grid {there}x8 shows all"] if len(shown) < there else []
    return [f"rows      {names}", *more]
