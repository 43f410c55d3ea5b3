"""Files of one kind in a folder and the folders below it."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from ganwright.core.errors import DataError
from ganwright.data.files_by_path import MOST_LABEL_FILES, FilesByPath
from ganwright.data.label_file import is_label_file
from ganwright.data.picture_names import LARGEST_FILE_BYTES, natural_key, printable
from ganwright.data.record import Skipped


@dataclass(frozen=True)
class _File:
    path: str
    """Relative to the root, with "/"."""
    size: int
    time_ns: int


class FileFolder(FilesByPath):
    """Every file of a kind below a folder.

    Hidden files are passed over. Links to files are followed, wherever they lead. Links to folders are not: inside the tree
    they would only repeat files (or loop), and outside it they could pull in some that nobody meant to train on; the
    latter are listed as skipped. FIFOs, sockets and devices are never opened.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.name = root.resolve().name or self.noun
        beside: list[str] = []
        others: list[Skipped] = []
        self._files = sorted(self._walk(beside, others), key=lambda file: natural_key(file.path))
        labels = [(path, _label_file(root / path)) for path in beside]
        super().__init__([file.path for file in self._files], labels, others)
        self.skipped.sort(key=lambda skipped: natural_key(skipped.name))

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

    def _content(self, place: int) -> tuple[bytes, str]:
        return _read_file(os.path.join(self.root, self._files[place].path))

    def _stamp(self, place: int) -> bytes:
        file = self._files[place]
        return os.fsencode(f"{file.path}\0{file.size}\0{file.time_ns}\0")

    def _walk(self, beside: list[str], others: list[Skipped]) -> list[_File]:
        """All of them, unsorted; fills `beside` with label files, and `others` with what is skipped.

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
                others.append(Skipped(printable(folder), "folder that cannot be read"))
                continue
            for entry in entries:
                if entry.name.startswith(".") or entry.name == "__MACOSX":
                    continue
                path = f"{folder}/{entry.name}" if folder else entry.name
                if not _is_dir(entry):
                    if is_label_file(entry.name) and len(beside) < MOST_LABEL_FILES:
                        beside.append(path)
                    else:
                        self._add_file(entry, path, files, others)
                elif entry.is_symlink():
                    if not (os.path.realpath(entry.path) + os.sep).startswith(inside.rstrip(os.sep) + os.sep):
                        others.append(Skipped(printable(path), "link to a folder elsewhere"))
                else:
                    facts = entry.stat()
                    if (facts.st_dev, facts.st_ino) not in seen or not facts.st_ino:
                        seen.add((facts.st_dev, facts.st_ino))
                        waiting.append(path)
        return files

    def _add_file(self, entry: os.DirEntry[str], path: str, files: list[_File], others: list[Skipped]) -> None:
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
        others.append(Skipped(printable(path), reason))


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
