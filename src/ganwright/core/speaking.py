"""Which of several processes speaks to the user."""

from __future__ import annotations

import os


def speaks() -> bool:
    """Whether this is a lone process, or the first of those that torchrun, or whoever uses its variables, has started."""
    return os.environ.get("RANK", "0") == "0" or os.environ.get("WORLD_SIZE", "1") == "1"
