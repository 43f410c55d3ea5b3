"""A source knows where bytes lie; what they mean is a modality's business."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Protocol, Self

import numpy as np

from ganwright.core.errors import DataError
from ganwright.core.registry import Registry
from ganwright.data.progress import Progress, no_progress
from ganwright.data.record import Record, Skipped, Value
from ganwright.data.tables.asked import Asked
from ganwright.data.tables.dialect import Dialect

DIGEST_BYTES = 16 << 20
"""Of an array that is digested at a time."""
SOURCES = Registry("source", "ganwright.data.sources")
Labels = Sequence[str] | Mapping[str, Sequence[Value]]
"""A label for each record, or columns with something of each."""


class Source(ABC):
    """Records in a fixed order that does not depend on the file system's."""

    specificity: ClassVar[int] = 0
    """Of the sources that can open a path, the most specific is taken: an IDX folder is also a folder."""

    opens: ClassVar[str] = ""
    """What it opens, in the words of an error that lists all of them: "a folder of pictures"."""

    noun: ClassVar[str] = "pictures"
    """What its records are, many of them, where none can be looked at."""
    name: str
    """For run names and messages: "cats" for photos/cats/ or cats.zip."""
    place: str = ""
    """Where it lies as the user put it, for messages: "./cats"; empty for objects in memory."""
    labels: str = ""
    """Where the file of labels lies that was given with it, as the user put it."""
    skipped: list[Skipped]
    """What lies beside the records and is no record, with reasons."""
    columns: tuple[str, ...] = ()
    """What the values of a record are called, where its payload is a row (D,) and they have names."""
    forms: Mapping[str, str] = MappingProxyType({})
    """The pandas types of columns that a program held as others than samples would have."""
    whole_records: bool = True
    """Whether a record was one before it was read, and is not a window cut out of something longer."""
    notes: list[str]
    """What a user should know of how the source was read, one sentence each."""
    reading: Asked = Asked()
    """What a user said of how to read a table."""
    dialect: Dialect = Dialect()
    """How its rows stand in a file, where they do."""

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

    def load(self, scratch: Path, progress: Progress = no_progress, limit: int | None = None) -> None:  # noqa: B027
        """Reads what can be read only once; called before anything below, and does nothing for most sources.

        Args:
            scratch: the folder for temporary files, which need not exist yet.
            limit: no more than so many records will be wanted.

        Raises:
            DataError: there is nothing, or nothing that could be records.
        """

    def close(self) -> None:  # noqa: B027
        """Gives back what `load` took; the source can then be loaded again, if what it reads can be."""

    def take_labels(self, labels: Any) -> None:
        """Takes over what a file or a table elsewhere says of records that are files: see `PathLabels.take`.

        Raises:
            DataError: these records are no files, or the labels name none of them.
        """
        what = f"a file of labels names pictures that are files, which {self.place or self.name} does not hold"
        raise DataError("E-LABEL-07", what, hints=("of arrays: (pictures, {'age': ages})",))

    @abstractmethod
    def __len__(self) -> int:
        """How many records there are."""

    @abstractmethod
    def read(self, start: int, stop: int) -> Sequence[Record]:
        """Records start..stop-1. A record that cannot be read comes back with its fault, never as an exception."""

    def remember(self, place: int, record: Record) -> bool:
        """A hint: record number `place` with its payload decoded, or its fault, to be given back by later calls of `read`.

        Returns whether more may be remembered.
        """
        return False

    def forget(self) -> None:  # noqa: B027
        """What was remembered is of no use."""

    @abstractmethod
    def fingerprint(self) -> str:
        """Hex digest that changes when the records do, cheap to compute (names, sizes and times, not contents)."""


class Records(Protocol):
    """Payloads that can be read in pieces: `PictureArray`, `RowArray`."""

    noun: ClassVar[str]
    """What one of them is called."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of a row's values, where they have some."""
        ...

    @property
    def notes(self) -> list[str]:
        """What a user should know of how they were read."""
        ...

    def __len__(self) -> int: ...

    def read(self, start: int, stop: int) -> Sequence[np.ndarray] | np.ndarray:
        """Payloads start..stop-1."""
        ...


class ArraySource(Source):
    """Records of one array with their labels, or with columns of what is known of each; a subclass says what it opens."""

    def __init__(self, name: str, records: Records, labels: Labels = (), where: str = "") -> None:
        self.name = name
        self.skipped: list[Skipped] = []
        self._hold(records, labels, where)

    def _hold(self, records: Records, labels: Labels, where: str) -> None:
        self.notes = list(records.notes)
        self.columns = records.columns
        self._records = records
        self._known: dict[str, Sequence[Value]] = (
            dict(labels) if isinstance(labels, Mapping) else {"label": labels} if labels else {}
        )
        for name, column in self._known.items():
            if len(column) != len(records):
                why = f"{len(records)} {records.noun}s, {len(column)} {name if name != 'label' else 'labels'}"
                raise DataError("E-DATA-04", f"there must be one {name} per {records.noun}", where=where, why=why)

    def __len__(self) -> int:
        return len(self._records)

    def read(self, start: int, stop: int) -> list[Record]:
        known, noun = self._known, self._records.noun
        return [
            Record(f"{noun} {i}", payload, {name: column[i] for name, column in known.items()})
            for i, payload in enumerate(self._records.read(start, min(stop, len(self))), start)
        ]

    def fingerprint(self) -> str:
        """Of the contents, since objects in memory have no date."""
        digest = hashlib.blake2b(f"{self._records.noun}\0{len(self)}\0".encode())
        step = max(1, DIGEST_BYTES // max(1, np.asarray(self._records.read(0, 1)[0]).nbytes))
        for start in range(0, len(self), step):
            some = self._records.read(start, min(start + step, len(self)))
            for array in [some] if isinstance(some, np.ndarray) else some:
                digest.update(repr(array.shape).encode())
                digest.update(np.ascontiguousarray(array).data)
        digest.update(digest_of_known(self._known))
        digest.update(("\0".join(self.columns) + "\1").encode("utf-8", "surrogateescape"))
        return digest.hexdigest()


def digest_of_known(known: Mapping[str, Sequence[Value]]) -> bytes:
    """A digest of what is known of records, by name."""
    digest = hashlib.blake2b()
    for name, column in known.items():
        digest.update(f"{name}\0{list(column)!r}\1".encode("utf-8", "surrogatepass"))
    return digest.digest()
