"""`ganwright preview DATA`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from ganwright.cli.options import Augment, Debug, Json, Recipe, parse_size
from ganwright.cli.output import Output
from ganwright.cli.reading import NO_SERIES_SAID, NOTHING_SAID, SeriesFlags, TableFlags, image_modality
from ganwright.cli.settings import parse_settings
from ganwright.core.budget import parse_count


def preview(
    path: Path,
    /,
    *,
    out: Annotated[Path, Parameter(name=["-o", "--out"])] = Path("preview.png"),
    n: Annotated[int, Parameter(name=["-n", "--count"])] = 12,
    recipe: Recipe = None,
    augment: Augment = None,
    set_: Annotated[tuple[str, ...], Parameter(name="--set")] = (),
    seed: int = 0,
    size: str | None = None,
    channels: Literal[1, 3, 4] | None = None,
    background: Literal["white", "black", "grey"] = "white",
    dedupe: Annotated[bool, Parameter(negative=())] = False,
    limit: str | None = None,
    table: TableFlags = NOTHING_SAID,
    series: SeriesFlags = NO_SERIES_SAID,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Draw what the networks will see of your data, and what augmentation makes of it, before you train.

    One picture: records as they are read, then changed at several strengths by the recipe's augmentations, by those that
    you choose, or by the pipeline where there are none. Rows of a table are drawn as they are read.

    Parameters
    ----------
    path
        The data, as for `ganwright train`, which then finds them ready.
    out
        The picture.
    n
        Records in a row.
    set_
        Any setting of the run, as for `ganwright train`: 'augmentations=["flip"]'. May be repeated.
    seed
        Which changes.
    size
        A side in pixels, or height x width as 48x64. Default: the pictures' own when all are alike and small, else 64.
    channels
        1 grey, 3 colour, 4 colour with transparency. Default: what most pictures have.
    background
        What shows through transparent pictures when transparency is not kept.
    dedupe
        Keep one of each set of identical pictures.
    limit
        Use this many records only, for a quick check.
    """
    reading = {"size": parse_size(size) if size else None, "channels": channels, "background": background, "dedupe": dedupe}
    output, settings = Output(json), parse_settings(set_)
    count = parse_count(limit) if limit is not None else None

    from ganwright.cli.watching import watched
    from ganwright.cli.writing import check_ours, write_picture
    from ganwright.core.config import to_plain
    from ganwright.data.preparation import prepare
    from ganwright.defaults import recipe_for
    from ganwright.plan import config_for
    from ganwright.runtime.device import find_machine
    from ganwright.training.augmenting import augmenting
    from ganwright.training.previewing import STRENGTHS, draw_preview

    check_ours(out)
    with watched(output) as progress:
        modality = series.modality(table) or table.modality() or image_modality(reading)
        dataset = prepare(table.data(path), modality, limit=count, progress=progress)
    for line in dataset.report.lines():
        output.line(line)
    parts = augmenting(augment) if augment is not None else {}
    config = config_for(dataset, find_machine("cpu"), recipe or recipe_for(dataset)[0], parts=parts, settings=settings)
    shown, used = config.augmentations, bool(config.augmentations)
    if not used and augment is None and dataset.codec.spec.kind == "image":
        shown = augmenting("pipeline")["augmentations"]
    names = ", ".join(each.registry.name_of(each) for each in shown)
    write_picture(draw_preview(dataset, shown, names, max(1, n), seed), out)

    if shown and not used:
        output.line(f"recipe    {config.recipe} changes nothing; drawn is the pipeline of --augment pipeline")
    elif shown:
        output.line(f"augment   {names}; strength {_strength(config)}")
    output.line(f"picture   {out}")
    document: dict[str, Any] = {"picture": str(out), "data": to_plain(dataset.report), "recipe": config.recipe, "used": used}
    document |= {"augmentations": to_plain(shown), "strengths": list(STRENGTHS) if shown else []}
    output.document(document)


def _strength(config: Any) -> str:
    """How strong the run's augmentation is, in words."""
    from ganwright.core.schedule import Schedule
    from ganwright.training.adaptive import Adaptive

    match config.augmentation_strength:
        case Adaptive(most=most):
            return f"adapted, between 0 and {most:g}"
        case Schedule() as schedule:
            return f"from {schedule.start:g} to {schedule.last:g}"
        case strength:
            return f"{strength:g}"
