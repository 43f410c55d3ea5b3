"""The cores that this process may use."""

from __future__ import annotations

import os


def usable_cores() -> int:
    """How many: of a machine's cores a container, a scheduler or `taskset` may leave fewer."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
