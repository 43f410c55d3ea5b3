"""Flags that several verbs share, and how their words are read."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from cyclopts import Parameter

from ganwright.core.errors import UsageError
from ganwright.recipes.registry import RECIPES

Recipe = Annotated[
    str | None,
    Parameter(name="--recipe", help=f"A whole GAN by name: {', '.join(RECIPES)}. Default: what suits the data."),
]
Noise = Annotated[
    Literal["normal", "uniform", "truncated", "sphere", "signs"] | None,
    Parameter(
        name="--noise",
        help="What the latent is drawn from; uniform is in -1..1, truncated is normal within two deviations, "
        "signs are -1 or 1.",
    ),
]
Augment = Annotated[
    Literal["none", "adaptive", "diffaugment", "ada", "pipeline", "masks"] | None,
    Parameter(
        name="--augment",
        help="Changes to what the discriminator sees of pictures: adaptive for as much as is needed, diffaugment always, "
        "ada and pipeline with turns and sizes too; masks for sounds. Default: the recipe's.",
    ),
]
Device = Annotated[Literal["auto", "cpu", "cuda", "mps"], Parameter(name="--device", help="Where to compute.")]
Json = Annotated[
    bool,
    Parameter(name="--json", negative=(), help="Print one JSON document on standard output; messages go to standard error."),
]
Debug = Annotated[bool, Parameter(name="--debug", negative=(), help="Show the traceback of a bug.")]


def parse_size(text: str) -> int | tuple[int, int]:
    """ "64" as a side, "48x64" as (height, width).

    Raises:
        UsageError: neither.
    """
    match = re.fullmatch(r"(\d{1,5})(?:[x×](\d{1,5}))?", text.strip().lower())
    if match is None or 0 in (int(side) for side in match.groups() if side is not None):
        raise UsageError(
            "E-SIZE-01", f"--size {text!r} is no picture size", hints=("--size 64", "--size 48x64 (height x width)")
        )
    return (int(match[1]), int(match[2])) if match[2] else int(match[1])


def parse_grid(text: str) -> tuple[int, int]:
    """ "5x5" as (rows, columns).

    Raises:
        UsageError: it is not of that form, or has more than 10,000 places.
    """
    match = re.fullmatch(r"(\d{1,4})[x×](\d{1,4})", text.strip().lower())
    if match is None or not 1 <= int(match[1]) * int(match[2]) <= 10_000:
        why = "" if match is None else "a grid has 1 to 10,000 places"
        raise UsageError("E-SIZE-02", f"--grid {text!r} is no grid", why=why, hints=("--grid 5x5 (rows x columns)",))
    return int(match[1]), int(match[2])
