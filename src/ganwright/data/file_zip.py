"""Files of one kind in a zip archive, read in place: nothing is ever unpacked to disk."""

from __future__ import annotations

import hashlib
import stat
import threading
import zipfile
import zlib
from abc import abstractmethod
from pathlib import Path
from typing import Any, ClassVar, Self

from ganwright.core.errors import DataError
from ganwright.data.label_file import is_label_file
from ganwright.data.path_labels import PathLabels
from ganwright.data.picture_names import LARGEST_FILE_BYTES, is_hidden, natural_key, printable
from ganwright.data.record import Record, Skipped
from ganwright.data.sources.base import Source

ENCRYPTED = 0x1
MOST_LABEL_FILES = 256


class FileZip(Source):
    """Every file of a kind in a zip archive, in natural order of its path; reading is safe from several threads.

    Members are read into memory, so a path such as ../../etc/x can do no harm. A member's size is capped twice: by what the
    archive says, and while reading.
    """

    seal: ClassVar[bytes]
    """Of the fingerprint: the same files read as something else are other records."""

    @classmethod
    @abstractmethod
    def why_not(cls, name: str) -> str:
        """Empty when a member of this name is of the kind; otherwise the reason to skip it."""

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self.path = path
        self.name = path.stem
        self.skipped: list[Skipped] = []
        self.notes: list[str] = []
        self._archive = archive
        self._lock = threading.Lock()
        members: list[tuple[tuple[str, ...], zipfile.ZipInfo]] = []
        beside: list[tuple[str, zipfile.ZipInfo]] = []
        for member in archive.infolist():
            parts = tuple(part for part in member.filename.replace("\\", "/").split("/") if part)
            if member.is_dir() or not parts or is_hidden(parts):
                continue
            if is_label_file(parts[-1]) and len(beside) < MOST_LABEL_FILES and not _why_closed(member):
                beside.append(("/".join(parts), member))
            elif reason := self.why_not(parts[-1]) or _why_closed(member):
                self.skipped.append(Skipped(printable("/".join(parts)), reason))
            else:
                members.append((parts, member))
        members.sort(key=lambda pair: natural_key("/".join(pair[0])))
        self._members = members
        self._labels = PathLabels(["/".join(parts) for parts, _ in members], self.noun.removesuffix("s"))
        found = [(path, self._read_member(member)) for path, member in beside]
        read = self._labels.read_beside([(path, fault or content) for path, (content, fault) in found])
        self.skipped += [Skipped(printable(path), self.why_not(path)) for path, _ in beside if path not in set(read)]
        self.notes += self._labels.notes

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

    def __len__(self) -> int:
        return len(self._members)

    def read(self, start: int, stop: int) -> list[Record]:
        return [self._record(i) for i in range(start, min(stop, len(self)))]

    def take_labels(self, labels: Any) -> None:
        noted = len(self._labels.notes)
        self._labels.take(labels)
        self.notes += self._labels.notes[noted:]

    def fingerprint(self) -> str:
        digest = hashlib.sha256(self.seal + self._labels.digest())
        for parts, member in self._members:
            digest.update(f"{'/'.join(parts)}\0{member.file_size}\0{member.CRC}\0".encode("utf-8", "surrogateescape"))
        for skipped in self.skipped:
            digest.update(f"{skipped.name}\0{skipped.reason}\0".encode())
        return digest.hexdigest()

    def _record(self, index: int) -> Record:
        parts, member = self._members[index]
        payload, fault = self._read_member(member)
        return Record(printable("/".join(parts)), payload, self._labels[index], fault)

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
