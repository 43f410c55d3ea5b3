"""`ganwright preview DATA`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from ganwright.cli.options import Augment, Debug, Json, Recipe
from ganwright.cli.output import Output
from ganwright.cli.reading import AS_FOUND, Reading
from ganwright.cli.settings import parse_settings

PICTURE = "preview.png"
USUAL: dict[str, Literal["pipeline", "masks"]] = {"image": "pipeline", "spectrogram": "masks"}
"""What is drawn where a recipe changes nothing, by what the records are."""


def preview(
    path: Path,
    /,
    *,
    out: Annotated[Path, Parameter(name=["-o", "--out"])] = Path(PICTURE),
    n: Annotated[int, Parameter(name=["-n", "--count"])] = 12,
    recipe: Recipe = None,
    augment: Augment = None,
    set_: Annotated[tuple[str, ...], Parameter(name="--set", negative=())] = (),
    seed: int = 0,
    reading: Reading = AS_FOUND,
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
        The picture, or the folder for it.
    n
        Records in a row.
    set_
        Any setting of the run, as for `ganwright train`: 'augmentations=["flip"]'. May be repeated.
    seed
        Which changes.
    """
    output, settings = Output(json), parse_settings(set_)

    from ganwright.cli.watching import watched
    from ganwright.cli.writing import check_ours, write_picture
    from ganwright.core.config import to_plain
    from ganwright.data.ownership import picture_path
    from ganwright.data.preparation import prepare
    from ganwright.defaults import read_as, recipe_for
    from ganwright.plan import config_for
    from ganwright.runtime.device import find_machine
    from ganwright.training.augmenting import augmenting
    from ganwright.training.previewing import STRENGTHS, draw_preview

    out = picture_path(out, PICTURE)
    check_ours(out)
    with watched(output) as progress:
        modality = read_as(recipe, reading.modality(path))
        dataset = prepare(reading.data(path), modality, limit=reading.count, progress=progress)
    for line in dataset.report.lines():
        output.line(line)
    parts = augmenting(augment) if augment is not None else {}
    config = config_for(dataset, find_machine("cpu"), recipe or recipe_for(dataset)[0], parts=parts, settings=settings)
    shown, used = config.augmentations, bool(config.augmentations)
    usual = USUAL.get(dataset.codec.spec.kind)
    if not used and augment is None and usual is not None:
        shown = augmenting(usual)["augmentations"]
    names = ", ".join(each.registry.name_of(each) for each in shown)
    write_picture(draw_preview(dataset, shown, names, max(1, n), seed), out)

    if shown and not used:
        output.line(f"recipe    {config.recipe} changes nothing; drawn is what --augment {usual} does")
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
