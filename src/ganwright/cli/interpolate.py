"""`ganwright interpolate MODEL`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from ganwright.cli.options import Debug, Device, Json, Noise
from ganwright.cli.output import Output
from ganwright.core.budget import parse_count
from ganwright.core.errors import UsageError


def interpolate(
    model: str = "last",
    /,
    *,
    n: Annotated[str | None, Parameter(name=["-n", "--count"])] = None,
    seed: int = 0,
    samples: str | None = None,
    seeds: str | None = None,
    frames: int = 24,
    loop: Annotated[bool, Parameter(negative=())] = False,
    fps: float = 24,
    out: Annotated[Path, Parameter(name=["-o", "--out"])] = Path("interpolation.gif"),
    label: str | None = None,
    noise: Noise = None,
    truncation: float = 1.0,
    device: Device = "cpu",
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Make a film of the way from sample to sample.

    The latents between two samples lie on the arc that joins them, or on the straight line where they are uniform.

    Parameters
    ----------
    model
        A model file, a run folder, a run's name or the beginning of it, or last.
    n
        How many samples lie on the way: the first ones of the seed. Default: 6.
    seed
        Whose samples they are.
    samples
        Instead: their numbers within the seed, as `sample` names its files: 1,5,9.
    seeds
        Instead: of these seeds the first sample each: 1,5,9.
    frames
        Pictures from one sample to the next.
    loop
        Lead back to the first sample.
    fps
        Pictures a second, up to 50.
    out
        A .gif or .webp film; a .png or .jpg with a row for each part of the way; or a folder for a file each.
    label
        Of which class, for a model that was trained with --conditional. Default: that of the first sample.
    truncation
        How far samples vary, above 0 and up to 1: 0.7 gives more typical, less varied ones.
    """
    output = Output(json)
    if sum(given is not None for given in (n, samples, seeds)) > 1:
        raise UsageError("E-SAMPLE-16", "-n, --samples and --seeds: choose one of them")
    keys: dict[str, Any] = {
        name: _numbers(text, name) for name, text in (("samples", samples), ("seeds", seeds)) if text is not None
    }
    count = parse_count(n) if n is not None else 6

    from ganwright.cli.writing import write_film
    from ganwright.data.spec import asked_class
    from ganwright.model.interpolation import check_film
    from ganwright.model.locate import find_model
    from ganwright.model.model import Model
    from ganwright.runtime.device import find_machine

    check_film(out, fps)
    path = find_model(model)
    loaded = Model.load(path, find_machine(device).device)
    asked: dict[str, Any] = {} if label is None else asked_class(loaded.spec.conditions, label)
    way = loaded.interpolate(count, seed=seed, frames=frames, loop=loop, noise=noise, truncation=truncation, **keys, **asked)
    film = write_film(way, out, fps, measure=json)
    place = film.files[0] if len(film.files) == 1 else out
    output.line(
        f"{film.frames:,} pictures ({loaded.codec.describe()}), {film.frames / fps:.1f} s → {place}   (model {path})"
    )
    output.document(
        {
            "model": str(path),
            "frames": film.frames,
            "fps": fps,
            "files": [str(file) for file in film.files],
            "largest_step_over_median": film.largest_step_over_median,
        }
    )


def _numbers(text: str, name: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        what = f"--{name} {text!r} are no whole numbers"
        raise UsageError("E-SAMPLE-16", what, hints=(f"--{name} 1,5,9",)) from None
