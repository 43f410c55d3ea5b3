"""Where samples are written: one file for all of them, or a file each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ganwright.core.errors import UsageError

STEM = "samples"
OF_PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff")
OF_SOUNDS = (".wav", ".flac", ".ogg", ".mp3")
OF_ROWS = (".csv", ".tsv", ".txt", ".json", ".jsonl", ".parquet", ".xls", ".xlsx", ".npy", ".npz")
FILES = frozenset((*OF_PICTURES, *OF_SOUNDS, *OF_ROWS, ".mp4", ".pdf", ".html", ".zip"))
"""Endings of files; what is named so is not meant as a folder."""


def one_file(folder: Path, count: int, suffix: str, suffixes: Sequence[str], noun: str) -> list[Path]:
    """`folder` itself if it is named like such a file, else samples.* in it; none where there is nothing to write.

    Raises:
        UsageError: such files cannot be written.
    """
    _check(folder, suffix, suffixes, noun)
    file = folder if _named(folder, suffixes) else folder / f"{STEM}{suffixes[0]}"
    return [file] if count else []


def file_each(folder: Path, first: int, count: int, suffix: str, suffixes: Sequence[str], noun: str) -> list[Path]:
    """000000.* and so on in `folder`; `folder` itself if it is named like such a file, for one object alone.

    Raises:
        UsageError: such files cannot be written, or more than one object to one file.
    """
    _check(folder, suffix, suffixes, noun)
    if _named(folder, suffixes):
        if suffix and suffix.lower() != folder.suffix.lower():
            raise UsageError("E-SAMPLE-07", f"{folder} is no {suffix} file", hints=(f"-o FILE{suffix}",))
        if first + count > 1:
            hints = ("-o FOLDER", "-n 1")
            raise UsageError("E-SAMPLE-07", f"{folder} is one file, for {first + count:,} {noun}", hints=hints)
        return [folder] * count
    kind = suffix.lower() or suffixes[0]
    return [folder / f"{number:06d}{kind}" for number in range(first, first + count)]


def _named(folder: Path, suffixes: Sequence[str]) -> bool:
    return folder.suffix.lower() in suffixes and not folder.is_dir()


def _check(folder: Path, suffix: str, suffixes: Sequence[str], noun: str) -> None:
    another = folder.suffix if folder.suffix.lower() in FILES and not folder.is_dir() else ""
    for asked in (suffix, another):
        if asked and asked.lower() not in suffixes:
            raise UsageError("E-SAMPLE-07", f"{noun} are written as {' or '.join(suffixes)}, not {asked}")
