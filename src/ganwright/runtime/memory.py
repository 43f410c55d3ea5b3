"""Memory: that which ran out, as each device and library says it, and that which should not be held for long."""

from __future__ import annotations

import gc
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import torch

SIGNS = ("out of memory", "can't allocate memory", "unable to allocate", "cannot allocate memory")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether this is about memory: of a GPU, of the machine, or of a process that may not have more."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error).lower() for sign in SIGNS)


def give_back(device: str) -> None:
    """Have what nobody holds any more given back, before less is asked for."""
    gc.collect()
    if device == "cuda":
        torch.cuda.empty_cache()


def peak_bytes(device: str = "cpu") -> int | None:
    """The most that this process has held of the device's memory since it began; None where nobody can say.

    On a CPU that is its largest resident set, from Linux's own account of it: what `getrusage` says is inherited from the
    process that started this one.
    """
    if device == "cuda":
        return torch.cuda.max_memory_reserved()
    status = Path("/proc/self/status")
    if device != "cpu" or not status.is_file():
        return None
    _, found, rest = status.read_text(encoding="utf-8").partition("VmHWM:")
    return 1024 * int(rest.split()[0]) if found else None


@contextmanager
def garbage_collected() -> Generator[None]:
    """Free at the end what was made within and only holds itself, such as a figure, which Python would keep for long.

    Everything older is left out of the search (`gc.freeze`), which makes it milliseconds instead of half a second.
    """
    frozen_by_others = gc.get_freeze_count() > 0
    if not frozen_by_others:
        gc.freeze()
    try:
        yield
    finally:
        gc.collect()
        if not frozen_by_others:
            gc.unfreeze()
