"""A command that is carried out by several processes."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Annotated

from cyclopts import Group, Parameter

from ganwright.cli.output import Output

PROCESSES = Group("Several processes", sort_key=14)

_words: list[str] = []


@Parameter(name="*")
@dataclass(frozen=True)
class Shared:
    """Who shares the work."""

    processes: Annotated[int | None, Parameter(group=PROCESSES)] = None
    """On this machine, that share each batch; another number than before will do. Default: one for each GPU."""
    nodes: Annotated[int, Parameter(group=PROCESSES)] = 1
    """Machines that train together; the same command is given on each of them."""
    rendezvous: Annotated[str, Parameter(group=PROCESSES)] = ""
    """Where they meet: HOST:PORT, with HOST one of the machines."""
    max_restarts: Annotated[int, Parameter(group=PROCESSES)] = 0
    """When a process dies, start all of them anew so many times, from the newest checkpoint."""


ALONE = Shared()
"""Nothing was said: one process, or one for each GPU."""


def remember(words: list[str]) -> None:
    """The words of the command that is being carried out, so that other processes can carry it out, too."""
    _words[:] = words


def launched(shared: Shared, output: Output) -> int | None:
    """The exit code of this very command, carried out by several processes; None in one that is to do it itself."""
    if "RANK" in os.environ:
        return None  # torchrun or another launcher has started this process
    processes = _gpus() if shared.processes is None else shared.processes
    if processes == 1 and shared.nodes == 1:
        return None
    from ganwright.runtime.launching import launch

    where = shared.nodes, shared.rendezvous, shared.max_restarts
    return launch(_words, processes, *where, lambda text: output.line(text, problem=True))


def _gpus() -> int:
    import torch

    return max(1, torch.cuda.device_count())
