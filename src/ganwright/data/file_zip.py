"""Files of one kind in a zip archive, read in place: nothing is ever unpacked to disk."""

from __future__ import annotations

import stat
import threading
import zipfile
import zlib
from pathlib import Path
from typing import Any, Self

from ganwright.core.errors import DataError
from ganwright.data.files_by_path import MOST_LABEL_FILES, FilesByPath
from ganwright.data.label_file import is_label_file
from ganwright.data.picture_names import LARGEST_FILE_BYTES, is_hidden, natural_key, printable
from ganwright.data.record import Skipped

ENCRYPTED = 0x1


class FileZip(FilesByPath):
    """Every file of a kind in a zip archive; reading is safe from several threads.

    Members are read into memory, so a path such as ../../etc/x can do no harm. A member's size is capped twice: by what the
    archive says, and while reading.
    """

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self.path = path
        self.name = path.stem
        self._archive = archive
        self._lock = threading.Lock()
        members: list[tuple[str, zipfile.ZipInfo]] = []
        beside: list[tuple[str, zipfile.ZipInfo]] = []
        others: list[Skipped] = []
        for member in archive.infolist():
            parts = tuple(part for part in member.filename.replace("\\", "/").split("/") if part)
            if member.is_dir() or not parts or is_hidden(parts):
                continue
            inside = "/".join(parts)
            if is_label_file(parts[-1]) and len(beside) < MOST_LABEL_FILES and not _why_closed(member):
                beside.append((inside, member))
            elif reason := self.why_not(parts[-1]) or _why_closed(member):
                others.append(Skipped(printable(inside), reason))
            else:
                members.append((inside, member))
        self._members = sorted(members, key=lambda pair: natural_key(pair[0]))
        found = [(inside, self._read_member(member)) for inside, member in beside]
        labels = [(inside, fault or content) for inside, (content, fault) in found]
        super().__init__([inside for inside, _ in self._members], labels, others)

    @classmethod
    def can_open(cls, data: Any) -> bool:
        return isinstance(data, Path) and data.suffix.lower() == ".zip" and data.is_file()

    @classmethod
    def open(cls, data: Any) -> Self:
        try:
            source = cls(data, zipfile.ZipFile(data))
        except (zipfile.BadZipFile, zipfile.LargeZipFile, OSError, ValueError, NotImplementedError) as error:
            hints = ("copy or download it again",)
            raise DataError("E-DATA-03", f"cannot read the zip archive {data}", why=str(error), hints=hints) from None
        if not source._members and any(skipped.reason == "encrypted" for skipped in source.skipped):
            hints = ("unpack it and train on the folder",)
            raise DataError("E-DATA-03", f"the zip archive {data} is locked with a password", hints=hints)
        if not source._members and not source.skipped:
            raise DataError("E-DATA-02", f"no {cls.noun} in {data}", why="the archive is empty; nothing was created")
        return source

    def _content(self, place: int) -> tuple[bytes, str]:
        return self._read_member(self._members[place][1])

    def _stamp(self, place: int) -> bytes:
        inside, member = self._members[place]
        return f"{inside}\0{member.file_size}\0{member.CRC}\0".encode("utf-8", "surrogateescape")

    def _read_member(self, member: zipfile.ZipInfo) -> tuple[bytes, str]:
        try:
            with self._lock, self._archive.open(member) as file:
                content = file.read(LARGEST_FILE_BYTES + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError):
            return b"", "damaged in the archive"
        except MemoryError:
            return b"", "needs too much memory"
        if len(content) > LARGEST_FILE_BYTES:
            return b"", f"file larger than {LARGEST_FILE_BYTES >> 20} MB"
        return (content, "") if content else (b"", "empty file")


def _why_closed(member: zipfile.ZipInfo) -> str:
    if stat.S_ISLNK(member.external_attr >> 16):
        return "link"
    if member.flag_bits & ENCRYPTED:
        return "encrypted"
    return f"file larger than {LARGEST_FILE_BYTES >> 20} MB" if member.file_size > LARGEST_FILE_BYTES else ""
