"""`ganwright demo`"""

from __future__ import annotations

import time as clock
from pathlib import Path
from typing import Any

from ganwright.cli.options import Debug, Device, Json
from ganwright.cli.output import Output
from ganwright.core.budget import Budget, parse_duration

SECONDS = 50.0
"""Of training and all, so that a slow start still ends within a minute and a half."""


def demo(
    *,
    time: str | None = None,
    run: Path | None = None,
    seed: int = 0,
    device: Device = "auto",
    json: Json = False,
    debug: Debug = False,
) -> int:
    """Train on the hand-written digits that come with scikit-learn, and show new ones, in about a minute.

    Parameters
    ----------
    time
        How long it may take, as 90s or 5m. Default: 50s.
    run
        Where the run goes. Default: runs/<date>-digits-<shape>-<id>.
    seed
        Every random number follows from it.
    """
    began = clock.monotonic()
    from ganwright.cli.drawing import draw_in_text
    from ganwright.cli.train import run_training

    output = Output(json)
    settings = {"recipe": "dcgan", "seed": seed, "device": device}
    budget = Budget(seconds=parse_duration(time) if time is not None else SECONDS)
    gan, code = run_training(digits(), settings, budget, {}, run, output, began)
    output.line()
    output.line(draw_in_text(gan.sample(12, seed=seed), columns=4))
    return code


def digits() -> Any:
    """scikit-learn's digits as a source: uint8 (1797, 8, 8) with their labels."""
    import numpy as np
    from sklearn.datasets import load_digits

    from ganwright.data.sources.memory import Memory

    bunch: Any = load_digits()
    images = np.round(bunch.images * (255 / 16)).astype(np.uint8)
    source = Memory(images, bunch.target)
    source.name = source.place = "digits"
    return source
