"""Texts: .txt files and folders of them, lines of JSON with a text each, lists of strings."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

from ganwright.core.errors import DataError
from ganwright.data.in_memory import WHERE, names_files
from ganwright.data.picture_names import natural_key, printable, why_no_picture
from ganwright.data.progress import Progress, no_progress
from ganwright.data.record import Record, Skipped
from ganwright.data.sound_names import why_no_sound
from ganwright.data.sources.base import Source
from ganwright.data.tables.asked import Asked, Cut, TableFile
from ganwright.data.tables.json_lines import JSON_LINES
from ganwright.data.texts.cutting import SHORT_FILE, WINDOW, Shape, cut_of_lines, windows
from ganwright.data.texts.files import BROKEN, encoding_of, json_texts, lines_of, only_field, pieces_of, tidy
from ganwright.data.texts.spool import Spool

PLAIN = (".txt", ".text")
MOST_FILES_LOOKED_AT = 200
"""Names of a folder that are looked at to find out what is in it."""
BAD = "damaged text"
EVERY = 4096
"""Records between two words about the progress."""


class Texts(Source):
    """Records that are strings. They are read once, by `load`, into a temporary file."""

    specificity: ClassVar[int] = 13
    opens: ClassVar[str] = "texts: .txt, a folder of them, .jsonl with one text a line, a list of strings"

    def __init__(self, data: Path | Sequence[str], asked: Asked = Asked()) -> None:  # noqa: B008
        self._data, self.reading = data, asked
        self.name = (data.resolve().stem if isinstance(data, Path) else "") or "texts"
        self.skipped = []
        self.notes = []
        self._spool: Spool | None = None

    @classmethod
    def can_open(cls, data: Any) -> bool:
        if isinstance(data, TableFile):
            return data.asked.of_text
        if isinstance(data, Path):
            suffix = data.suffix.lower()
            if data.is_dir():
                return bool(_text_files(data, MOST_FILES_LOOKED_AT)) and not _has_other_records(data)
            return data.is_file() and (suffix in PLAIN or (suffix in JSON_LINES and only_field(data)))
        strings = isinstance(data, list | tuple) and bool(data) and all(isinstance(item, str) for item in data)
        return strings and not names_files(data)

    @classmethod
    def open(cls, data: Any) -> Self:
        if isinstance(data, TableFile):
            path = Path(data.path).expanduser()
            if not path.is_dir() and path.suffix.lower() not in (*PLAIN, *JSON_LINES):
                what = f"{path.suffix or 'a file without an extension'} is not read as texts"
                raise DataError("E-TEXT-03", what, where=str(path), hints=("a .txt file, a folder of them, or .jsonl",))
            return cls(path, data.asked)
        return cls(data)

    def load(self, scratch: Path, progress: Progress = no_progress, limit: int | None = None) -> None:
        if self._spool is not None:
            return
        self._spool = Spool(scratch)
        try:
            for number, text in enumerate(self._records()):
                self._spool.add(text)
                if number % EVERY == 0:
                    progress("reading texts", number, 0)
        except BaseException:
            self.close()
            raise
        if not len(self._spool):
            self.close()
            raise DataError("E-DATA-02", f"no text in {self.place or self.name}", why="nothing was created")

    def close(self) -> None:
        if self._spool is not None:
            self._spool.close()
            self._spool = None

    def __len__(self) -> int:
        return 0 if self._spool is None else len(self._spool)

    def read(self, start: int, stop: int) -> list[Record]:
        assert self._spool is not None, "load comes first"
        return [Record(f"text {number:,}", text) for number, text in enumerate(self._spool.read(start, stop), start + 1)]

    def fingerprint(self) -> str:
        digest = hashlib.sha256(f"texts\0{self.reading}\0".encode())
        if isinstance(self._data, Path):
            for path in _text_files(self._data) if self._data.is_dir() else [self._data]:
                facts = path.stat()
                digest.update(f"{path.name}\0{facts.st_size}\0{facts.st_mtime_ns}\0".encode("utf-8", "surrogateescape"))
        else:
            for text in self._data:
                digest.update(text.encode("utf-8", "surrogatepass") + b"\0")
        return digest.hexdigest()

    def _records(self) -> Iterator[str]:
        """All texts, those that are damaged or empty left out."""
        self.skipped, self.notes = [], []
        data, asked = self._data, self.reading
        if not isinstance(data, Path):
            yield from self._whole(enumerate(data, 1), "text", WHERE)
        elif data.is_dir():
            yield from self._of_folder(data)
        elif data.suffix.lower() in JSON_LINES:
            texts = list(json_texts(data, asked.field))
            if all(text is None for _, text in texts) and asked.field is not None:
                hints = ("--field caption: the name as it stands in the file",)
                raise DataError("E-TEXT-04", f"no line of {data} has a text called {asked.field!r}", hints=hints)
            yield from self._whole(texts, "line", str(data))
        else:
            yield from self._of_file(data)

    def _of_file(self, path: Path) -> Iterator[str]:
        encoding = encoding_of(path)
        if encoding.note:
            self.notes.append(encoding.note)
        cut, why = self._cut(lambda: cut_of_lines(_shape(lines_of(path, encoding))))
        if cut == "windows":
            yield from self._windows([pieces_of(path, encoding)], why)
            return
        self.notes.append(why)
        yield from self._usable(enumerate(lines_of(path, encoding), 1), "line")

    def _of_folder(self, folder: Path) -> Iterator[str]:
        paths = []
        for path in _text_files(folder):
            try:
                paths.append((path, encoding_of(path)))
            except DataError as error:
                self.skipped.append(
                    Skipped(printable(path.name), "empty file" if "nothing" in error.what else "file that is no text")
                )
        lengths = Shape()
        for path, encoding in paths[:MOST_FILES_LOOKED_AT]:
            lengths.add("".join(pieces_of(path, encoding)))
        usual = f"{len(paths):,} files of {lengths.usual:,} characters usually"
        cut, why = self._cut(lambda: ("files" if lengths.usual <= SHORT_FILE else "windows", usual))
        if cut == "windows":
            yield from self._windows((pieces_of(*each) for each in paths), why)
        elif cut == "files":
            self.notes.append(f"a file a record: {why}")
            texts = (("".join(pieces_of(*each))).strip("\n") for each in paths)
            yield from self._usable(enumerate(texts, 1), "file")
        else:
            self.notes.append(why)
            yield from self._usable(enumerate((line for each in paths for line in lines_of(*each)), 1), "line")

    def _whole(self, texts: Iterable[tuple[int, str | None]], noun: str, where: str) -> Iterator[str]:
        """Texts that came one by one; windows of them if the user says so."""
        if self.reading.cut == "windows" or self.reading.window is not None:
            yield from self._windows([[text] for _, text in texts if text is not None], "as you said")
        else:
            yield from self._usable(texts, noun)

    def _cut(self, find: Callable[[], tuple[Cut, str]]) -> tuple[Cut, str]:
        """What the user said, or what is found."""
        cut = self.reading.cut or ("windows" if self.reading.window is not None else None)
        return (cut, "as you said") if cut is not None else find()

    def _windows(self, texts: Iterable[Iterable[str]], why: str) -> Iterator[str]:
        length = self.reading.window or WINDOW
        self.whole_records = False
        self.notes.append(f"windows of {length} characters ({why}); --cut lines takes a line as a record")
        for text in texts:
            for window in windows((tidy(piece) for piece in text), length):
                if BROKEN.search(window):
                    self.skipped.append(Skipped("a window", BAD))
                else:
                    yield window

    def _usable(self, texts: Iterable[tuple[int, str | None]], noun: str) -> Iterator[str]:
        for number, text in texts:
            if text is None:
                self.skipped.append(Skipped(f"{noun} {number:,}", "line without a text"))
            elif BROKEN.search(text):
                self.skipped.append(Skipped(f"{noun} {number:,}", BAD))
            elif kept := tidy(text).strip():
                yield kept


def _shape(lines: Iterable[str]) -> Shape:
    shape = Shape()
    for line in lines:
        shape.add(line)
    return shape


def _text_files(folder: Path, most: int | None = None) -> list[Path]:
    """The text files in a folder and below, in natural order; hidden ones and links to folders are passed over."""
    found: list[Path] = []
    try:
        for number, path in enumerate(folder.rglob("*")):
            if most is not None and number >= most:
                break
            hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
            if path.suffix.lower() in PLAIN and not hidden and path.is_file():
                found.append(path)
    except OSError:
        return found
    return sorted(found, key=lambda path: natural_key(str(path.relative_to(folder))))


def _has_other_records(folder: Path) -> bool:
    """Whether pictures or recordings lie there, beside which texts are notes."""
    for number, path in enumerate(folder.rglob("*")):
        if number >= MOST_FILES_LOOKED_AT:
            return False
        if path.is_file() and not (why_no_picture(path.name) and why_no_sound(path.name)):
            return True
    return False
