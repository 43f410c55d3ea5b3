"""A file that one process at a time holds; the system lets go of it when that process ends, however it ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


class Taken(Exception):
    """Another process holds the file; its argument is that process's number, or "" where it is not known."""


@contextmanager
def held(path: Path) -> Generator[None]:
    """Hold the file, which is made where there is none.

    Raises:
        Taken: someone else does.
        OSError: it cannot be written.
    """
    with path.open("a+b") as file:
        if not _take(file):
            file.seek(0)
            raise Taken(file.read(20).decode("ascii", "replace").strip())
        file.seek(0)
        file.truncate()
        file.write(str(os.getpid()).encode())
        file.flush()
        yield


def _take(file: BinaryIO) -> bool:
    if sys.platform == "win32":
        import msvcrt

        # A place behind the number, which others may still read.
        file.seek(1024)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_held(path: Path) -> bool:
    """Whether some process holds the file right now; it is left as it is."""
    try:
        with path.open("r+b") as file:
            return not _take(file)
    except OSError:
        return False
