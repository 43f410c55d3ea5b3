"""What the disk refuses, told to people."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from ganwright.core.errors import ResourceError


@contextmanager
def disk_errors(root: Path) -> Generator[None]:
    """Turns every OSError within into a ResourceError about the cache at `root`."""
    try:
        yield
    except OSError as error:
        hints = ("put the cache elsewhere: GANWRIGHT_CACHE=/another/folder",)
        what = "cannot write the packed data"
        raise ResourceError("E-DISK-02", what, where=str(root), why=str(error), hints=hints) from None
