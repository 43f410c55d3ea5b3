"""`ganwright pack DATA`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from ganwright.cli.options import Debug, Json, parse_size
from ganwright.cli.output import Output
from ganwright.cli.reading import NO_SERIES_SAID, NOTHING_SAID, SeriesFlags, TableFlags, image_modality
from ganwright.core.budget import parse_count


def pack(
    path: Path,
    /,
    *,
    out: Annotated[Path, Parameter(name=["-o", "--out"])],
    shards: int = 64,
    size: str | None = None,
    channels: Literal[1, 3, 4] | None = None,
    background: Literal["white", "black", "grey"] = "white",
    dedupe: Annotated[bool, Parameter(negative=())] = False,
    limit: str | None = None,
    holdout: Annotated[bool, Parameter(name="--holdout", negative="--no-holdout")] = True,
    table: TableFlags = NOTHING_SAID,
    series: SeriesFlags = NO_SERIES_SAID,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Pack data into shards that machines can share, for training on several of them: `ganwright train SHARDS`.

    The order in which records are seen does not depend on the number of processes. Of W processes, where W divides the
    number of shards and the batch, rank r reads the shards r, r + W, r + 2W, ... and no others; a machine needs those of its
    ranks, and all the small files beside them.

    Parameters
    ----------
    path
        The data, as for `ganwright train`.
    out
        A new folder.
    shards
        Files to deal the records out to.
    size
        A side in pixels, or height x width as 48x64. Default: the pictures' own when all are alike and small, else 64.
    channels
        1 grey, 3 colour, 4 colour with transparency. Default: what most pictures have.
    background
        What shows through transparent pictures when transparency is not kept.
    dedupe
        Keep one of each set of identical pictures.
    limit
        Use this many records only.
    holdout
        Keep 5% of the records (at least 200, at most 10%) from training, for `ganwright evaluate`.
    """
    reading = {"size": parse_size(size) if size else None, "channels": channels, "background": background, "dedupe": dedupe}
    output = Output(json)

    from ganwright.cli.watching import watched
    from ganwright.core.config import to_plain
    from ganwright.data.preparation import prepare
    from ganwright.data.shards import write_shards

    count = parse_count(limit) if limit is not None else None
    with watched(output) as progress:
        modality = series.modality(table) or table.modality() or image_modality(reading)
        dataset = prepare(table.data(path), modality, limit=count, progress=progress)
        write_shards(dataset, out, shards, holdout, progress)
    for line in dataset.report.lines():
        output.line(line)
    output.line(f"shards    {out}   {shards} of about {len(dataset) / shards:,.0f} records each")
    output.line(f"next      ganwright train {out}")
    output.document({"shards": shards, "folder": str(out), "data": to_plain(dataset.report)})
