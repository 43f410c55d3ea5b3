"""What is known of records that are files: by the folders they lie in, and by files that say it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ganwright.core.errors import DataError
from ganwright.data.classes import LABEL
from ganwright.data.in_memory import conditions_of, is_frame
from ganwright.data.label_file import LabelTable, matched
from ganwright.data.labels import labels_from_folders
from ganwright.data.picture_names import printable
from ganwright.data.record import Value

GIVEN = "the labels given"


class PathLabels:
    """The facts of each record of a source, by its place."""

    def __init__(self, paths: Sequence[str], noun: str = "picture") -> None:
        """
        Args:
            paths: of the files, relative and with "/".
            noun: what one of them is.
        """
        self._noun = noun
        self.notes: list[str] = []
        self.files = 0
        """Label files that were read."""
        self._paths = paths
        self._folders = labels_from_folders([tuple(path.split("/")) for path in paths])
        self._tables: list[tuple[LabelTable, dict[int, int]]] = []
        self._digest = hashlib.sha256()

    def __getitem__(self, place: int) -> Mapping[str, Value]:
        facts: dict[str, Value] = {LABEL: printable(self._folders[place])} if self._folders else {}
        for table, rows in self._tables:
            row = rows.get(place)
            for name, column in table.columns.items():
                if row is not None:
                    facts[name] = column[row]
                else:
                    facts.setdefault(name, "")
        return facts

    def digest(self) -> bytes:
        """Of all that label files say; nothing where there are none, so that folders alone count as ever."""
        return self._digest.digest() if self.files else b""

    def read_beside(self, contents: Sequence[tuple[str, bytes | str]]) -> list[str]:
        """Takes over files that lie among the pictures: their paths with their contents, or why there is none.

        A file that cannot be read is noted, and no more: it may be meant for someone else. Gives back those that were read.
        """
        read: list[str] = []
        for path, content in _one_a_folder(contents, self.notes):
            folder, _, name = path.rpartition("/")
            try:
                if isinstance(content, str):
                    raise DataError("E-LABEL-04", f"{printable(path)}: {content}")
                self._take(LabelTable.of(content, printable(path)), folder, sharded=name.lower() == "dataset.json")
                read.append(path)
            except DataError as error:
                self.notes.append(f"not read for labels: {error.what}" + (f" ({error.why})" if error.why else ""))
        return read

    def take(self, labels: Any) -> None:
        """Takes over what a user names: the path of a file, or a DataFrame or columns with one of file names.

        Raises:
            DataError: it cannot be read, or names none of the pictures.
        """
        if is_frame(labels) or isinstance(labels, Mapping):
            table = LabelTable.of_columns(conditions_of(labels, GIVEN), GIVEN)
        else:
            table = LabelTable.read(Path(labels).expanduser())
        if not self._take(table):
            some = ", ".join(printable(name) for name in table.files[:3])
            why = f"it names {some}, ...; there are {', '.join(printable(path) for path in self._paths[:3])}, ..."
            raise DataError("E-LABEL-06", f"{table.where} names none of the {self._noun}s", why=why)

    def _take(self, table: LabelTable, folder: str = "", sharded: bool = False) -> int:
        """How many pictures it says something of."""
        found = matched(table, self._paths, folder)
        self._tables.append((table, found.rows))
        self.files += 1
        if not table.files or (found.rows and (sharded or LABEL in table.columns)):
            self._folders = None  # Those of such a set only keep folders small.
        for part in (folder, *table.files):
            self._digest.update(f"{part}\0".encode("utf-8", "surrogateescape"))
        for name, column in table.columns.items():
            self._digest.update(f"\1{name}\0{column!r}".encode("utf-8", "surrogatepass"))
        lacking = sum(path.startswith(f"{folder}/" if folder else "") for path in self._paths) - len(found.rows)
        counts = (
            (lacking, self._noun, "without a row"),
            (found.without_picture, "row", f"without a {self._noun}"),
            (found.twice, "more row", f"for a {self._noun} that has one"),
        )
        said = "".join(f"; {count:,} {what}{'s' * (count > 1)} {lacks}" for count, what, lacks in counts if count)
        if table.files:
            self.notes.append(f"labels from {table.where}, of {len(found.rows):,} {self._noun}s{said}")
        self.notes += table.notes
        return len(found.rows)


def _one_a_folder(contents: Sequence[tuple[str, bytes | str]], notes: list[str]) -> list[tuple[str, bytes | str]]:
    """Of the label files in each folder one, in the order of their names; the others are noted."""
    chosen: dict[str, tuple[str, bytes | str]] = {}
    # labels.csv before metadata.csv before dataset.json.
    for path, content in sorted(contents, key=lambda pair: (_rank(pair[0]), pair[0])):
        folder = path.rpartition("/")[0]
        if folder in chosen:
            notes.append(f"{printable(path)} is not read: {printable(chosen[folder][0])} is")
        else:
            chosen[folder] = (path, content)
    return [chosen[folder] for folder in sorted(chosen)]


def _rank(path: str) -> int:
    name = path.rpartition("/")[2].lower()
    return next((i for i, stem in enumerate(("labels", "metadata", "dataset")) if name.startswith(stem)), 9)
