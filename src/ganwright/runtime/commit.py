"""Folders of files that are whole or not there, whatever a kill, a power cut or a full disk leaves behind.

A folder is written under a hidden name, its manifest (sizes and SHA-256 of all files) last, everything is synced, and then
it is renamed. So what has a name of its own was complete when it got it, and later faults of the disk show in the digests.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganwright.core.errors import DataError
from ganwright.runtime.files import temporary_beside, write_atomically

MANIFEST = "manifest.json"
LATEST = "latest"
VERSION = 1
TEMPORARY = ".tmp-"
DAMAGED = ".damaged-"
PASSING = (errno.ENOSPC, errno.EIO, errno.EDQUOT, getattr(errno, "ESTALE", errno.EIO))
"""Errors of a disk that may be over in a moment."""
WAITS_SECONDS = (0.2, 1.0)
"""Before the second try to write, and before the third."""
MOST_MANIFEST_BYTES = 1 << 20
CHUNK = 1 << 20


@dataclass(frozen=True)
class Committed:
    """A folder that was found as it was written."""

    path: Path
    facts: dict[str, Any]
    """What its writer said of it."""


def commit(
    parent: Path,
    name: str,
    files: Mapping[str, Callable[[Path], object]],
    facts: Mapping[str, Any],
    sleep: Callable[[float], None] = time.sleep,
) -> Path:
    """A new folder `name` in `parent` with files that these functions write; one of that name is replaced.

    Written again, up to three times in all, when the disk is full or fails for a moment.

    Raises:
        OSError: the disk refuses; what was there before is untouched.
    """
    parent.mkdir(parents=True, exist_ok=True)
    for wait in (*WAITS_SECONDS, None):
        temporary = temporary_beside(parent / name)
        try:
            _write(temporary, files, facts)
            return _publish(parent, name, temporary)
        except OSError as error:
            shutil.rmtree(temporary, ignore_errors=True)
            if error.errno not in PASSING or wait is None:
                raise
            sleep(wait)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
    raise AssertionError("unreachable")


def verify(folder: Path) -> Committed:
    """The folder, after every byte of it was compared with its manifest.

    Raises:
        DataError: it is damaged, or of a newer version; it says where and how.
    """
    path = folder / MANIFEST
    try:
        if path.stat().st_size > MOST_MANIFEST_BYTES:
            raise _damaged(folder, "its manifest is too long")
        manifest = json.loads(path.read_bytes())
        version, files, facts = manifest["version"], manifest["files"], manifest["facts"]
        if not isinstance(files, dict) or not isinstance(facts, dict):
            raise TypeError("files and facts must be tables")
    except DataError:
        raise
    except OSError as error:
        raise _damaged(folder, f"its manifest cannot be read ({error.strerror})") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise _damaged(folder, "its manifest is not one") from None
    if version != VERSION:
        raise _damaged(folder, f"it is of version {version!r}, this Ganwright reads {VERSION}")
    for name, told in files.items():
        file = folder / name
        if Path(name).name != name or not isinstance(told, dict):
            raise _damaged(folder, "its manifest names no files")
        try:
            size, digest = file.stat().st_size, _digest(file)
        except OSError as error:
            raise _damaged(folder, f"{name} cannot be read ({error.strerror})") from None
        if size != told.get("bytes"):
            raise _damaged(folder, f"{name} has {size:,} bytes instead of {told.get('bytes')!r}")
        if digest != told.get("sha256"):
            raise _damaged(folder, f"the SHA-256 of {name} is not that of its manifest")
    return Committed(folder, facts)


def newest(parent: Path) -> tuple[Committed | None, dict[Path, DataError]]:
    """The last folder by name that verifies, and what is wrong with each that was passed over.

    Names must sort as they follow one another. The pointer is only a help for people: it is not asked.
    """
    wrong: dict[Path, DataError] = {}
    for folder in sorted(_named(parent), reverse=True):
        try:
            return verify(folder), wrong
        except DataError as error:
            wrong[folder] = error
    return None, wrong


def set_aside(folder: Path) -> Path:
    """A damaged folder out of the way, not deleted; where it is now."""
    aside = folder.with_name(f"{DAMAGED}{folder.name}")
    number = 2
    while aside.exists():
        aside, number = folder.with_name(f"{DAMAGED}{folder.name}-{number}"), number + 1
    folder.rename(aside)
    return aside


def prune(parent: Path, keep: int) -> None:
    """Remove all folders but the last `keep` by name, the oldest first; a kill in between leaves more, never less."""
    for folder in sorted(_named(parent))[:-keep] if keep else ():
        _remove(folder)


def sweep(parent: Path) -> None:
    """Remove what writers that were killed have left; only for whoever alone may write here."""
    for left in parent.glob(f"{TEMPORARY}*"):
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)


def _named(parent: Path) -> Iterator[Path]:
    if parent.is_dir():
        yield from (path for path in parent.iterdir() if path.is_dir() and not path.name.startswith("."))


def _write(folder: Path, files: Mapping[str, Callable[[Path], object]], facts: Mapping[str, Any]) -> None:
    folder.mkdir()
    written: dict[str, dict[str, Any]] = {}
    for name, write in files.items():
        path = folder / name
        write(path)
        _sync(path)
        written[name] = {"bytes": path.stat().st_size, "sha256": _digest(path)}
    manifest = {"version": VERSION, "files": written, "facts": dict(facts)}
    path = folder / MANIFEST
    path.write_text(json.dumps(manifest, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    _sync(path)
    _sync(folder)


def _publish(parent: Path, name: str, temporary: Path) -> Path:
    place = parent / name
    if place.exists():
        _remove(place)
    os.replace(temporary, place)
    _sync(parent)
    write_atomically(parent / LATEST, f"{name}\n".encode())
    return place


def _remove(folder: Path) -> None:
    """At once for whoever looks, then file by file."""
    hidden = temporary_beside(folder)
    folder.rename(hidden)
    shutil.rmtree(hidden, ignore_errors=True)


def _sync(path: Path) -> None:
    """Have the disk hold it; where a folder cannot be synced (Windows), the rename alone must do."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except PermissionError:
        if path.is_dir():
            return
        raise
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(CHUNK):
            digest.update(piece)
    return digest.hexdigest()


def _damaged(folder: Path, why: str) -> DataError:
    return DataError("E-CHECKPOINT-01", f"{folder} is damaged", why=why)
