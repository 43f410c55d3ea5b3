"""A command that is carried out by several processes."""

from __future__ import annotations

import os
import sys

from ganwright.cli.output import Output


def launched(processes: int | None, nodes: int, rendezvous: str, max_restarts: int, output: Output) -> int | None:
    """The exit code of this very command, carried out by so many processes; None in a process that is to do it itself.

    Args:
        processes: None for as many as there are GPUs.
    """
    if "RANK" in os.environ:
        return None  # torchrun or another launcher has started this process
    if processes is None:
        processes = _gpus()
    if processes == 1 and nodes == 1:
        return None
    from ganwright.runtime.launching import launch

    return launch(sys.argv[1:], processes, nodes, rendezvous, max_restarts, lambda text: output.line(text, problem=True))


def _gpus() -> int:
    import torch

    return max(1, torch.cuda.device_count())
