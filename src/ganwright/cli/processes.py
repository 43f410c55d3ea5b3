"""A command that is carried out by several processes."""

from __future__ import annotations

import os

from ganwright.cli.output import Output

_words: list[str] = []


def remember(words: list[str]) -> None:
    """The words of the command that is being carried out, so that other processes can carry it out, too."""
    _words[:] = words


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

    return launch(_words, processes, nodes, rendezvous, max_restarts, lambda text: output.line(text, problem=True))


def _gpus() -> int:
    import torch

    return max(1, torch.cuda.device_count())
