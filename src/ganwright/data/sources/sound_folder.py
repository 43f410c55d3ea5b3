"""Recordings in a folder and the folders below it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from ganwright.data.file_folder import FileFolder
from ganwright.data.sound_names import mostly_sounds, why_no_sound


class SoundFolder(FileFolder):
    """Every recording below a folder that holds more of them than pictures."""

    specificity: ClassVar[int] = 5
    opens: ClassVar[str] = "a folder of recordings (.wav, .flac, .ogg)"
    noun: ClassVar[str] = "sounds"
    seal: ClassVar[bytes] = b"sound_folder"

    @classmethod
    def can_open(cls, data: Any) -> bool:
        return isinstance(data, Path) and data.is_dir() and mostly_sounds(_names(data))

    @classmethod
    def why_not(cls, name: str) -> str:
        return why_no_sound(name)


def _names(root: Path) -> Iterator[str]:
    """Of the files below a folder, as they come; links to folders are not followed, what cannot be read is passed over.

    A large folder is not listed to its end for the first of its names.
    """
    waiting = [os.fspath(root)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.name.startswith("."):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    else:
                        yield entry.name
        except OSError:
            continue
