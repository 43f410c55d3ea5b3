"""`ganwright resume [RUN]`"""

from __future__ import annotations

from pathlib import Path

from ganwright.cli.options import Debug, Json
from ganwright.cli.output import Output
from ganwright.cli.train import say_the_end


def resume(run: str = "last", /, *, data: Path | None = None, json: Json = False, debug: Debug = False) -> int:
    """Go on with a run that was stopped, killed or cut off.

    It goes on from its newest checkpoint that is whole. On the same machine the result is the one that a run without
    interruption would have had, to the last bit; what differs otherwise is said.

    Parameters
    ----------
    run
        A run folder, a run's name or its beginning, or last.
    data
        Where the data are now, if they were moved.
    """
    from ganwright.cli.console import Console
    from ganwright.gan import GAN

    output = Output(json)
    console = Console(output)
    try:
        gan = GAN.resume(run, data, subscribers=[console], handle_signals=True)
    finally:
        console.close()
    return say_the_end(gan, output)
