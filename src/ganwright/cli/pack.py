"""`ganwright pack DATA`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ganwright.cli.options import Debug, Json
from ganwright.cli.output import Output
from ganwright.cli.reading import AS_FOUND, Reading


def pack(
    path: Path,
    /,
    *,
    out: Annotated[Path, Parameter(name=["-o", "--out"])],
    shards: int = 64,
    holdout: Annotated[bool, Parameter(name="--holdout", negative="--no-holdout")] = True,
    reading: Reading = AS_FOUND,
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
    holdout
        Keep 5% of the records (at least 200, at most 10%) from training, for `ganwright evaluate`.
    """
    output = Output(json)

    from ganwright.cli.watching import watched
    from ganwright.core.config import to_plain
    from ganwright.data.preparation import prepare
    from ganwright.data.shards import write_shards

    with watched(output) as progress:
        dataset = prepare(reading.data(path), reading.modality(path), limit=reading.count, progress=progress)
        write_shards(dataset, out, shards, holdout, progress)
    for line in dataset.report.lines():
        output.line(line)
    output.line(f"shards    {out}   {shards} of about {len(dataset) / shards:,.0f} records each")
    output.line(f"next      ganwright train {out}")
    output.document({"shards": shards, "folder": str(out), "data": to_plain(dataset.report)})
