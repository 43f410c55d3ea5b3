"""Files that say of pictures what they show: a table with a column of file names, or JSON.

Nothing that such a file names is ever opened: its names are only compared with those of the pictures that are there.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from ganwright.core.errors import DataError
from ganwright.data.classes import LABEL
from ganwright.data.picture_names import extension_of, printable, why_no_picture
from ganwright.data.record import Value, value_of
from ganwright.data.tables.asked import Asked
from ganwright.data.tables.cells import Cells
from ganwright.data.tables.delimited import DelimitedFile
from ganwright.data.tables.json_lines import JsonLines

STEMS = ("labels", "metadata", "dataset")
"""What a file beside the pictures is called, the first that is there."""
DELIMITED = (".csv", ".tsv")
LINES = (".jsonl", ".ndjson")
LARGEST_JSON_BYTES = 64 << 20
LARGEST_BYTES = 256 << 20
MOST_COLUMNS = 4096
SOME = 1000
"""Rows that a column of file names is known by."""
FILE_COLUMNS = ("file", "file_name", "filename", "image", "image_name", "image_id", "image_path", "path", "picture", "img")
READ_ROWS = 65_536
ROW = "one row a picture: file,age,breed"


def is_label_file(name: str) -> bool:
    """Whether a file of that name beside pictures is read for what it says of them."""
    stem, extension = name.rpartition(".")[0].lower(), extension_of(name)
    return stem in STEMS and extension in (*DELIMITED, *LINES, ".json")


@dataclass
class LabelTable:
    """What a file says, by column; rows are called by the names of their pictures."""

    where: str
    """The file, for messages."""
    files: list[str]
    columns: dict[str, list[Value]]
    notes: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, content: bytes, where: str) -> LabelTable:
        """From a file's content.

        Raises:
            DataError: it is damaged, too large, or names no pictures.
        """
        with tempfile.TemporaryDirectory(prefix="ganwright-") as folder:
            path = Path(folder) / f"content{extension_of(where)}"
            path.write_bytes(content)
            return cls.read(path, where)

    @classmethod
    def read(cls, path: Path, where: str = "") -> LabelTable:
        """From a file; `where` is what messages call it.

        Raises:
            DataError: as `of`.
        """
        where, suffix = where or str(path), path.suffix.lower()
        most = LARGEST_JSON_BYTES if suffix == ".json" else LARGEST_BYTES
        try:
            if path.stat().st_size > most:
                raise DataError("E-LABEL-04", f"{where} is larger than {most >> 20} MB")
            if suffix == ".json":
                table = _of_json(path.read_bytes(), where)
            elif suffix in DELIMITED or suffix in LINES:
                table = _of_table(path, where)
            else:
                hints = ("a .csv, .tsv, .jsonl or .json file",)
                raise DataError("E-LABEL-04", f"{where} is no file of labels", hints=hints)
        except OSError as error:
            raise DataError("E-LABEL-04", f"cannot read {where}", why=error.strerror or str(error)) from None
        except DataError as error:
            if error.code.startswith("E-LABEL"):
                raise
            # The path may be that of a copy; the words of tables are for tables.
            what = error.what.replace(str(path), where)
            raise DataError("E-LABEL-04", what, where=error.where.replace(str(path), where), why=error.why) from None
        if not table.columns:
            raise DataError("E-LABEL-05", f"{where} says nothing of its pictures", hints=(ROW,))
        return table

    @classmethod
    def of_columns(cls, columns: Mapping[str, list[Value]], where: str) -> LabelTable:
        """From columns of which one names files.

        Raises:
            DataError: none does.
        """
        name = _file_column(columns)
        if name is None:
            why = f"its columns are {', '.join(printable(each) for each in list(columns)[:8])}"
            hints = (f"call the column {', '.join(FILE_COLUMNS[:3])} or path", ROW)
            raise DataError("E-LABEL-05", f"{where} has no column of file names", why=why, hints=hints)
        files = [value if isinstance(value, str) else "" for value in columns[name]]
        return cls(where, files, {each: values for each, values in columns.items() if each != name})


def _of_table(path: Path, where: str) -> LabelTable:
    table = JsonLines(path) if path.suffix.lower() in LINES else DelimitedFile(path, Asked(skip_bad_rows=True))
    lists: dict[str, list[Value]] = {}
    with tempfile.TemporaryDirectory(prefix="ganwright-") as scratch:
        try:
            table.load(Path(scratch))
            if len(table.names) > MOST_COLUMNS:
                raise DataError("E-LABEL-04", f"{where} has more than {MOST_COLUMNS:,} columns")
            for start in range(0, len(table), READ_ROWS):
                cells: Cells = table.read(start, start + READ_ROWS)
                for name, column in zip(cells.names, cells.columns, strict=True):
                    lists.setdefault(printable(name.strip()), []).extend(map(_value_in_text, np.asarray(column).tolist()))
        finally:
            if isinstance(table, DelimitedFile):
                table.close()
    found = LabelTable.of_columns(lists, where)
    found.notes = [f"{where}: {note}" for note in table.notes]
    return found


def _value_in_text(cell: Any) -> Value:
    """A cell of a table; lists within lines of JSON come as text."""
    if isinstance(cell, str) and cell.startswith("["):
        try:
            return value_of(json.loads(cell))
        except (ValueError, RecursionError):
            return printable(cell)
    return value_of(cell)


def _of_json(content: bytes, where: str) -> LabelTable:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise DataError("E-LABEL-04", f"{where} is no JSON", why=str(error)) from None
    if isinstance(found, dict) and isinstance(found.get("labels", 0), list | dict | None):
        # As StyleGAN's tools write it: pairs of a file's name and its class.
        found = found["labels"]
        if found is None:
            return LabelTable(where, [], {LABEL: []})
    if isinstance(found, list) and all(isinstance(item, dict) for item in found) and found:
        return LabelTable.of_columns(_columns_of(found), where)
    if isinstance(found, dict):
        found = list(found.items())
    if not isinstance(found, list) or not all(_is_pair(item) for item in found):
        hints = ('{"cat1.jpg": {"age": 3, "breed": "siamese"}, ...}', '{"labels": [["cat1.jpg", 6], ...]}')
        raise DataError("E-LABEL-04", f"{where} is not laid out as labels are", hints=hints)
    said = [value if isinstance(value, dict) else {LABEL: value} for _, value in found]
    return LabelTable(where, [name for name, _ in found], _columns_of(said))


def _columns_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Value]]:
    """Columns of equal length; "" where a row says nothing."""
    columns: dict[str, list[Value]] = {}
    for place, row in enumerate(rows):
        for name, value in row.items():
            column = columns.get(printable(str(name).strip()))
            if column is None:
                if len(columns) == MOST_COLUMNS:
                    raise DataError("E-LABEL-04", f"there are more than {MOST_COLUMNS:,} columns")
                column = columns[printable(str(name).strip())] = []
            column += [""] * (place - len(column))
            if len(column) == place:  # and not a second one that is printed alike
                column.append(value_of(value))
    for column in columns.values():
        column += [""] * (len(rows) - len(column))
    return columns


def _is_pair(item: Any) -> bool:
    return isinstance(item, list | tuple) and len(item) == 2 and isinstance(item[0], str)


def _file_column(columns: Mapping[str, Sequence[Value]]) -> str | None:
    """The column that names files: by its cells, or by its own name."""
    for name, values in columns.items():
        some = [value for value in values[:SOME] if isinstance(value, str) and value]
        if some and sum(not why_no_picture(value) for value in some) > 0.9 * len(some):
            return name
    lower = {name.lower(): name for name in columns}
    return next((lower[name] for name in FILE_COLUMNS if name in lower), None)


@dataclass
class Matched:
    """Which row of a table says something of which picture."""

    rows: dict[int, int]
    """The row of each picture that has one, by the picture's place."""
    without_picture: int
    twice: int


def matched(table: LabelTable, paths: Sequence[str], folder: str = "") -> Matched:
    """The rows for pictures at these paths, which are relative to the set and have "/" in them.

    A name counts from the folder that the file lies in; if nothing is there, letters' case, then extensions, then folders
    are left out of the comparison, where that leaves but one picture.
    """
    exact = {path: place for place, path in enumerate(paths)}
    looser: list[dict[str, int]] = []
    below = f"{folder}/" if folder else ""
    rows: dict[int, int] = {}
    without = twice = 0
    for row, name in enumerate(table.files):
        path = _normal(name, folder)
        place = exact.get(path)
        if place is None:
            if not looser:
                looser = [_only(map(form, paths)) for form in _FORMS]
            found = (forms.get(form(path)) for forms, form in zip(looser, _FORMS, strict=True))
            place = next((each for each in found if each is not None and paths[each].startswith(below)), None)
        if place is None:
            without += 1
        elif place in rows:
            twice += 1
        else:
            rows[place] = row
    return Matched(rows, without, twice)


def _normal(name: str, folder: str) -> str:
    path = name.strip().replace("\\", "/").removeprefix("./")
    return f"{folder}/{path}" if folder else path


def _stem(path: str) -> str:
    return path.lower().removesuffix(extension_of(path)) if not why_no_picture(path) else path.lower()


def _last(path: str) -> str:
    return PurePosixPath(_stem(path)).name


_FORMS = (str.lower, _stem, _last)


def _only(names: Iterable[str]) -> dict[str, int]:
    """The place of each name that comes once."""
    found: dict[str, int] = {}
    for place, name in enumerate(names):
        found[name] = -1 if name in found else place
    return {name: place for name, place in found.items() if place >= 0}
