"""Texts gathered in a temporary file, to be read again by their numbers."""

from __future__ import annotations

import shutil
from array import array
from collections.abc import Iterator
from pathlib import Path

from ganwright.data.disk import disk_errors
from ganwright.runtime.files import temporary_beside

FILE = "texts"


class Spool:
    """Any number of texts; in memory are only the places where they end."""

    def __init__(self, beside: Path) -> None:
        """beside: where the temporary folder is made, which need not exist."""
        self.folder = temporary_beside(beside / "texts")
        with disk_errors(beside):
            self.folder.mkdir(parents=True)
            self._file = (self.folder / FILE).open("w+b")
        self._ends = array("q", [0])
        self.names: list[str] = []

    def add(self, text: str) -> None:
        """One more."""
        content = text.encode("utf-8")
        with disk_errors(self.folder.parent):
            self._file.write(content)
        self._ends.append(self._ends[-1] + len(content))

    def __len__(self) -> int:
        return len(self._ends) - 1

    def read(self, start: int, stop: int) -> Iterator[str]:
        """Texts start..stop-1."""
        stop = min(stop, len(self))
        if start >= stop:
            return
        first = self._ends[start]
        self._file.seek(first)
        content = self._file.read(self._ends[stop] - first)
        for place in range(start, stop):
            yield content[self._ends[place] - first : self._ends[place + 1] - first].decode("utf-8")

    def close(self) -> None:
        """Away with it."""
        self._file.close()
        shutil.rmtree(self.folder, ignore_errors=True)
