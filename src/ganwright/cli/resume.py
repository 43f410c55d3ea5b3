"""`ganwright resume [RUN]`"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ganwright.cli.options import Debug, Json
from ganwright.cli.output import Output
from ganwright.cli.processes import ALONE, Shared, launched
from ganwright.cli.train import say_the_end
from ganwright.core.budget import parse_count, parse_duration


def resume(
    run: str = "last",
    /,
    *,
    data: Path | None = None,
    time: str | None = None,
    epochs: float | None = None,
    steps: str | None = None,
    images: str | None = None,
    shared: Shared = ALONE,
    json: Json = False,
    debug: Debug = False,
) -> int:
    """Go on with a run that was stopped, killed or cut off.

    It goes on from its newest checkpoint that is whole. On the same machine the result is the one that a run without
    interruption would have had, to the last bit; what differs otherwise is said.

    Parameters
    ----------
    run
        A run folder, a run's name or its beginning, or last.
    data
        Where the data are now, if they were moved.
    time
        Train for so much longer, as 90s, 20m or 1h30m: a run that is finished, too.
    epochs
        Instead: so many more passes over the data.
    steps
        Instead: so many more training steps, as 5000 or 5k.
    images
        Instead: so many more pictures shown to the discriminator, as 2M.
    """
    if (code := launched(shared, Output(json))) is not None:
        return code
    more: dict[str, Any] = {"seconds": parse_duration(time) if time is not None else None, "epochs": epochs}
    more["steps"] = parse_count(steps) if steps is not None else None
    more["images"] = parse_count(images) if images is not None else None
    from ganwright.cli.console import Console
    from ganwright.gan import GAN

    output = Output(json)
    console = Console(output)
    try:
        gan = GAN.resume(run, data, **more, subscribers=[console], handle_signals=True)
    finally:
        console.close()
    return say_the_end(gan, output)
