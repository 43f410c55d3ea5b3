"""`ganwright resume [RUN]`"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ganwright.cli.options import Debug, Json
from ganwright.cli.output import Output
from ganwright.cli.processes import launched
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
    processes: int | None = None,
    nodes: int = 1,
    rendezvous: str = "",
    max_restarts: int = 0,
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
    processes
        Processes on this machine that share each batch; it may be another number than before. Default: one for each GPU.
    nodes
        Machines that train together; the same command is given on each of them.
    rendezvous
        Where they meet: HOST:PORT, with HOST one of the machines.
    max_restarts
        When a process dies, start all of them anew so many times, from the newest checkpoint.
    """
    if (code := launched(processes, nodes, rendezvous, max_restarts, Output(json))) is not None:
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
