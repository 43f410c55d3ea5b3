"""A source knows where bytes lie; what they mean is a modality's business."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Self

from ganwright.core.registry import Registry
from ganwright.data.record import Record, Skipped

SOURCES = Registry("source", "ganwright.data.sources")


class Source(ABC):
    """Records in a fixed order that does not depend on the file system's."""

    specificity: ClassVar[int] = 0
    """Of the sources that can open a path, the most specific is taken: an IDX folder is also a folder."""

    opens: ClassVar[str] = ""
    """What it opens, in the words of an error that lists all of them: "a folder of pictures"."""

    name: str
    """For run names and messages: "cats" for photos/cats/ or cats.zip."""
    place: str = ""
    """Where it lies as the user put it, for messages: "./cats"; empty for objects in memory."""
    skipped: list[Skipped]
    """What lies beside the records and is no record, with reasons."""
    notes: list[str]
    """What a user should know of how the source was read, one sentence each."""

    @classmethod
    @abstractmethod
    def can_open(cls, data: Any) -> bool:
        """Whether `data` (a pathlib.Path, or an object in memory) is of this source's kind; quick, and never raises."""

    @classmethod
    @abstractmethod
    def open(cls, data: Any) -> Self:
        """The source at `data`.

        Raises:
            DataError: it cannot be read or holds no record at all.
        """

    @abstractmethod
    def __len__(self) -> int:
        """How many records there are."""

    @abstractmethod
    def read(self, start: int, stop: int) -> list[Record]:
        """Records start..stop-1. A record that cannot be read comes back with its fault, never as an exception."""

    @abstractmethod
    def fingerprint(self) -> str:
        """Hex digest that changes when the records do, cheap to compute (names, sizes and times, not contents)."""
