"""Files of one kind in a folder and the folders below it."""

from __future__ import annotations

import hashlib
import os
import stat
from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

from ganwright.core.errors import DataError
from ganwright.data.label_file import is_label_file
from ganwright.data.path_labels import PathLabels
from ganwright.data.picture_names import LARGEST_FILE_BYTES, natural_key, printable
from ganwright.data.record import Record, Skipped
from ganwright.data.sources.base import Source

MOST_LABEL_FILES = 256


@dataclass(frozen=True)
class _File:
    path: str
    """Relative to the root, with "/"."""
    size: int
    time_ns: int


class FileFolder(Source):
    """Every file of a kind below a folder, in natural order of its path (cat2 before cat10).

    Hidden files are passed over. Links to files are followed, wherever they lead. Links to folders are not: inside the tree
    they would only repeat files (or loop), and outside it they could pull in some that nobody meant to train on; the
    latter are listed as skipped. FIFOs, sockets and devices are never opened. Of labels.csv and its like (`label_file`) the
    first in each folder is read for what it says of the files there and below.
    """

    seal: ClassVar[bytes]
    """Of the fingerprint: the same files read as something else are other records."""

    @classmethod
    @abstractmethod
    def why_not(cls, name: str) -> str:
        """Empty when a file of this name is of the kind; otherwise the reason to skip it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.name = root.resolve().name or self.noun
        self.skipped: list[Skipped] = []
        self.notes: list[str] = []
        beside: list[str] = []
        self._files = sorted(self._walk(beside), key=lambda file: natural_key(file.path))
        self._labels = PathLabels([file.path for file in self._files], self.noun.removesuffix("s"))
        read = self._labels.read_beside([(path, _label_file(root / path)) for path in beside[:MOST_LABEL_FILES]])
        self.skipped += [Skipped(printable(path), self.why_not(path)) for path in beside if path not in set(read)]
        self.skipped.sort(key=lambda skipped: natural_key(skipped.name))
        self.notes += self._labels.notes

    @classmethod
    def can_open(cls, data: Any) -> bool:
        return isinstance(data, Path) and data.is_dir()

    @classmethod
    def open(cls, data: Any) -> Self:
        try:
            source = cls(data)
        except PermissionError as error:
            raise DataError("E-PATH-02", f"may not look into {data}", why=str(error)) from None
        if not source._files and not source.skipped:
            raise DataError("E-DATA-02", f"no {cls.noun} in {data}", why="the folder is empty; nothing was created")
        return source

    def __len__(self) -> int:
        return len(self._files)

    def read(self, start: int, stop: int) -> list[Record]:
        return [self._record(i) for i in range(start, min(stop, len(self)))]

    def take_labels(self, labels: Any) -> None:
        noted = len(self._labels.notes)
        self._labels.take(labels)
        self.notes += self._labels.notes[noted:]

    def fingerprint(self) -> str:
        digest = hashlib.sha256(self.seal + self._labels.digest())
        for file in self._files:
            digest.update(os.fsencode(f"{file.path}\0{file.size}\0{file.time_ns}\0"))
        for skipped in self.skipped:
            digest.update(f"{skipped.name}\0{skipped.reason}\0".encode())
        return digest.hexdigest()

    def _record(self, index: int) -> Record:
        file = self._files[index]
        payload, fault = _read_file(os.path.join(self.root, file.path))
        return Record(printable(file.path), payload, self._labels[index], fault)

    def _walk(self, beside: list[str]) -> list[_File]:
        """All of them, unsorted; fills `skipped`, and `beside` with label files.

        A folder reached twice (a mount loop) is entered once.
        """
        files: list[_File] = []
        root = os.stat(self.root)
        seen = {(root.st_dev, root.st_ino)}
        inside = os.path.realpath(self.root)
        waiting = [""]
        while waiting:
            folder = waiting.pop()
            try:
                entries = list(os.scandir(os.path.join(self.root, folder)))
            except OSError:
                if not folder:
                    raise
                self.skipped.append(Skipped(printable(folder), "folder that cannot be read"))
                continue
            for entry in entries:
                if entry.name.startswith(".") or entry.name == "__MACOSX":
                    continue
                path = f"{folder}/{entry.name}" if folder else entry.name
                if is_label_file(entry.name) and not _is_dir(entry):
                    beside.append(path)
                elif not _is_dir(entry):
                    self._add_file(entry, path, files)
                elif entry.is_symlink():
                    if not (os.path.realpath(entry.path) + os.sep).startswith(inside.rstrip(os.sep) + os.sep):
                        self.skipped.append(Skipped(printable(path), "link to a folder elsewhere"))
                else:
                    facts = entry.stat()
                    if (facts.st_dev, facts.st_ino) not in seen or not facts.st_ino:
                        seen.add((facts.st_dev, facts.st_ino))
                        waiting.append(path)
        return files

    def _add_file(self, entry: os.DirEntry[str], path: str, files: list[_File]) -> None:
        reason = self.why_not(entry.name)
        if not reason:
            try:
                facts = entry.stat()
                if stat.S_ISREG(facts.st_mode):
                    files.append(_File(path, facts.st_size, facts.st_mtime_ns))
                    return
                reason = "no ordinary file"
            except OSError:
                reason = "broken link" if entry.is_symlink() else "cannot be read"
        self.skipped.append(Skipped(printable(path), reason))


def _label_file(path: Path) -> bytes | str:
    """Its content, or why there is none."""
    content, fault = _read_file(path)
    return fault or content


def _is_dir(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # A link to itself.
        return False


def _read_file(path: str | Path) -> tuple[bytes, str]:
    """(content, "") or (b"", fault). Never blocks, even if a FIFO has taken the file's place since the walk."""
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with open(handle, "rb") as file:
            facts = os.fstat(file.fileno())
            if not stat.S_ISREG(facts.st_mode):
                return b"", "no ordinary file"
            if facts.st_size > LARGEST_FILE_BYTES:
                return b"", f"file larger than {LARGEST_FILE_BYTES >> 20} MB"
            content = file.read(facts.st_size)  # no more: Python sets memory aside for as much as it is asked for
    except OSError:
        return b"", "cannot be read"
    return (content, "") if content else (b"", "empty file")
