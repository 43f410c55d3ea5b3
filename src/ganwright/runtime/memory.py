"""Memory that ran out, as each device and library says it."""

from __future__ import annotations

import gc

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
