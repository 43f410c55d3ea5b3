"""Memory that stays with the process instead of going back to the kernel after every tensor."""

from __future__ import annotations

import ctypes
import sys

# From glibc's malloc.h.
_M_MXFAST = 1
_M_TRIM_THRESHOLD = -1
_M_TOP_PAD = -2
_M_MMAP_MAX = -4


def keep_freed_memory() -> bool:
    """Ask glibc to keep freed blocks for reuse; whether it agreed.

    By default glibc maps every large block afresh and unmaps it when freed, so each training step pays for page faults on
    its activations: 12-40% of a convolutional step on a CPU. Elsewhere than on glibc nothing is done.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    kept = [mallopt(_M_MMAP_MAX, 0), mallopt(_M_TRIM_THRESHOLD, 2**31 - 1), mallopt(_M_TOP_PAD, 64 << 20)]
    mallopt(_M_MXFAST, 0)  # Small freed pieces join what lies beside them at once, or they would part large blocks.
    return all(kept)
