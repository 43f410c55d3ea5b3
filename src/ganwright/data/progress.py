"""How long work over data tells where it is."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""(what is being done, how many are done, how many there are; 0 where nobody can know)"""


def no_progress(what: str, done: int, total: int) -> None:
    """The progress that nobody watches."""
