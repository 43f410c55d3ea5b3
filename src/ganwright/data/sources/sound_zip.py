"""Recordings in a zip archive."""

from __future__ import annotations

import zipfile
from typing import Any, ClassVar

from ganwright.data.file_zip import FileZip
from ganwright.data.sound_names import mostly_sounds, why_no_sound


class SoundZip(FileZip):
    """Every recording in a zip archive that holds more of them than pictures."""

    specificity: ClassVar[int] = 15
    opens: ClassVar[str] = "a .zip of recordings"
    noun: ClassVar[str] = "sounds"
    seal: ClassVar[bytes] = b"sound_zip"

    @classmethod
    def can_open(cls, data: Any) -> bool:
        if not super().can_open(data):
            return False
        try:
            with zipfile.ZipFile(data) as archive:
                return mostly_sounds(archive.namelist())
        except (zipfile.BadZipFile, zipfile.LargeZipFile, OSError, ValueError, NotImplementedError):
            return False  # Whoever opens any archive says what is wrong with it.

    @classmethod
    def why_not(cls, name: str) -> str:
        return why_no_sound(name)
