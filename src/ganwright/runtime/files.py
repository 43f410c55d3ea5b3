"""Files that are whole or not there: the cache's place, atomic writing, and room on the disk."""

from __future__ import annotations

import errno
import os
import shutil
import uuid
from pathlib import Path

from ganwright.core.errors import ResourceError

SPARE_BYTES = 64 << 20
"""Left free on a disk, so that nothing else fails because of us."""


def cache_root() -> Path:
    """Where packed data is kept: $GANWRIGHT_CACHE, else $XDG_CACHE_HOME/ganwright, else ~/.cache/ganwright."""
    if chosen := os.environ.get("GANWRIGHT_CACHE"):
        return Path(chosen).expanduser()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "ganwright"


def temporary_beside(path: Path) -> Path:
    """A name of its own on the same disk, hidden, for what will be renamed to `path`."""
    return path.with_name(f".tmp-{path.name}-{os.getpid()}-{uuid.uuid4().hex[:8]}")


def write_atomically(path: Path, content: bytes) -> None:
    """Writes a file so that a reader, or a power cut, finds the old content or the new, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_beside(path)
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def require_space(folder: Path, need_bytes: int, what: str) -> None:
    """Checks that `need_bytes` fit beside `folder`, which need not exist yet.

    Raises:
        ResourceError: they do not; it says how much is needed and free.
    """
    there = _there(folder)
    free = shutil.disk_usage(there).free
    if free < need_bytes + SPARE_BYTES:
        why = f"it needs {format_bytes(need_bytes)}, and {format_bytes(free)} are free"
        hints = ("free some space", "or put the cache elsewhere: GANWRIGHT_CACHE=/another/disk")
        raise ResourceError("E-DISK-01", f"not enough disk space for {what}", where=str(there), why=why, hints=hints)


def require_room(folder: Path, need_bytes: int) -> None:
    """As `require_space`, for writers that go on without: it raises what a disk does that is full.

    Raises:
        OSError: (ENOSPC) they do not fit; it says how much is needed and free.
    """
    free = shutil.disk_usage(_there(folder)).free
    if free < need_bytes:
        raise OSError(
            errno.ENOSPC, f"disk full: it needs {format_bytes(need_bytes)}, and {format_bytes(free)} are free", str(folder)
        )


def _there(folder: Path) -> Path:
    """The folder, or the first above it that exists."""
    there = folder.absolute()
    while not there.exists():
        there = there.parent
    return there


def format_bytes(count: int) -> str:
    """For people: "1.5 GB" or "20 MB"."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"
