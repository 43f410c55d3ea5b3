"""Files of one kind, each with its path, wherever they lie."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

from ganwright.data.path_labels import PathLabels
from ganwright.data.picture_names import printable
from ganwright.data.record import Record, Skipped
from ganwright.data.sources.base import Source

MOST_LABEL_FILES = 256


class FilesByPath(Source):
    """Every file of a kind, in natural order of its path (cat2 before cat10).

    Of labels.csv and its like (`label_file`) the first in each folder is read for what it says of the files there and below.
    """

    seal: ClassVar[bytes]
    """Of the fingerprint: the same files read as something else are other records."""

    @classmethod
    @abstractmethod
    def why_not(cls, name: str) -> str:
        """Empty when a file of this name is of the kind; otherwise the reason to skip it."""

    def __init__(self, paths: Sequence[str], beside: Sequence[tuple[str, bytes | str]], skipped: Sequence[Skipped]) -> None:
        """
        Args:
            paths: of the files, relative and with "/".
            beside: label files, their paths with their contents, or why there is none.
            skipped: what else was found.
        """
        self._paths = paths
        self._labels = PathLabels(paths, self.noun.removesuffix("s"))
        read = set(self._labels.read_beside(beside))
        unread = [Skipped(printable(path), self.why_not(path)) for path, _ in beside if path not in read]
        self.skipped = [*skipped, *unread]
        self.notes = list(self._labels.notes)

    def __len__(self) -> int:
        return len(self._paths)

    def read(self, start: int, stop: int) -> list[Record]:
        records: list[Record] = []
        for place in range(start, min(stop, len(self))):
            content, fault = self._content(place)
            records.append(Record(printable(self._paths[place]), content, self._labels[place], fault))
        return records

    def take_labels(self, labels: Any) -> None:
        noted = len(self._labels.notes)
        self._labels.take(labels)
        self.notes += self._labels.notes[noted:]

    def fingerprint(self) -> str:
        digest = hashlib.sha256(self.seal + self._labels.digest())
        for place in range(len(self)):
            digest.update(self._stamp(place))
        for skipped in self.skipped:
            digest.update(f"{skipped.name}\0{skipped.reason}\0".encode())
        return digest.hexdigest()

    @abstractmethod
    def _content(self, place: int) -> tuple[bytes, str]:
        """What is in a file, or why that cannot be read."""

    @abstractmethod
    def _stamp(self, place: int) -> bytes:
        """What changes when a file does: its path, its size, and when it was written or a checksum."""
