"""From what a user names to the source that reads it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ganwright.core.errors import DataError
from ganwright.core.suggest import nearest
from ganwright.data.in_memory import is_frame, names_files
from ganwright.data.picture_names import why_no_picture
from ganwright.data.sound_names import why_no_sound
from ganwright.data.sources.base import SOURCES, Source
from ganwright.data.sources.tables import TableFile


def open_source(data: Any) -> Source:
    """The source for a path (str or Path, `~` allowed), for objects in memory, or `data` itself if it is a source.

    A pair (path, labels) is the pictures there, with what a label file, a DataFrame or columns say of them.

    Raises:
        DataError: there is nothing at the path, nothing here can open it, or it is damaged.
    """
    if isinstance(data, Source):
        return data
    if is_labelled_path(data):
        path, labels = data
        source = open_source(path)
        named = existing_path(labels) if isinstance(labels, str | os.PathLike) else labels
        source.take_labels(named)
        source.labels = os.fspath(labels) if isinstance(labels, str | os.PathLike) else ""
        return source
    target = existing_path(data) if isinstance(data, str | os.PathLike) else data
    if isinstance(data, TableFile):
        target = replace(data, path=existing_path(data.path))
    kinds = [SOURCES.get(name) for name in SOURCES]
    able = [kind for kind in kinds if kind.can_open(target)]
    if able:
        source = max(able, key=lambda kind: kind.specificity).open(target)
        said: Any = data.path if isinstance(data, TableFile) else data
        source.place = str(said) if isinstance(target, Path | TableFile) else ""
        return source
    known = "; ".join(kind.opens for kind in kinds if kind.opens)
    shown = str(data) if isinstance(target, Path) else f"an object of type {type(data).__name__}"
    raise DataError("E-DATA-01", f"cannot train on {shown}", why=_why_not(target), hints=(f"what can be opened: {known}",))


def is_labelled_path(data: Any) -> bool:
    """Whether it is a path with labels for what lies there: another path, a DataFrame, or columns by name."""
    if not isinstance(data, tuple) or len(data) != 2 or not isinstance(data[0], str | os.PathLike):
        return False
    return isinstance(data[1], str | os.PathLike | Mapping) or is_frame(data[1])


def existing_path(data: str | os.PathLike[str]) -> Path:
    """The path with `~` expanded.

    Raises:
        DataError: nothing is there, or it may not be looked at.
    """
    path = Path(data).expanduser()
    try:
        path.stat()
        return path
    except (FileNotFoundError, NotADirectoryError):
        hints = _similar_names(path)
        what = "file" if path.suffix else "folder"
        raise DataError("E-PATH-01", f"there is no {what} {os.fspath(data)}", hints=hints) from None
    except (OSError, ValueError) as error:
        raise DataError("E-PATH-02", f"cannot look at {os.fspath(data)!r}", why=str(error)) from None


def _similar_names(path: Path) -> tuple[str, ...]:
    try:
        names = {name.lower(): name for name in os.listdir(path.parent)}
    except OSError:
        return (f"the folder {path.parent} is not there either",) if not path.parent.exists() else ()
    guess = nearest(path.name, names)
    return (f"did you mean {path.parent / names[guess]}?",) if guess else ()


def _why_not(target: Any) -> str:
    if isinstance(target, list | tuple) and not target:
        return "it is empty"
    if names_files(target):
        return (
            "it names files: give the folder that they lie in, or what is in them: [PIL.Image.open(path) for path in paths]"
        )
    if not isinstance(target, Path):
        # A map-style torch Dataset, or one of Hugging Face.
        gives_records = hasattr(target, "__getitem__") and not isinstance(target, Sequence | Mapping)
        return (
            "it gives single records: put it into torch.utils.data.DataLoader(data, batch_size=256)" if gives_records else ""
        )
    if not target.is_file():
        return "it is neither a file nor a folder"
    if target.stat().st_size == 0:
        return "the file is empty"
    if not why_no_picture(target.name):
        return "it is a single picture; give the folder that it lies in"
    if not why_no_sound(target.name):
        return "it is a single recording; give the folder that it lies in"
    return f"no part of the program reads {target.suffix or 'files without an extension'} as a set of records"
