"""The one file that all samples of a kind are written to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ganwright.core.errors import UsageError

STEM = "samples"


def one_file(folder: Path, count: int, suffix: str, suffixes: Sequence[str], noun: str) -> list[Path]:
    """`folder` itself if it is named like such a file, else samples.* in it; none where there is nothing to write.

    Raises:
        UsageError: such files cannot be written.
    """
    if suffix and suffix.lower() not in suffixes:
        raise UsageError("E-SAMPLE-07", f"{noun} are written as {suffixes[0]}, not {suffix}")
    file = folder if folder.suffix.lower() in suffixes else folder / f"{STEM}{suffixes[0]}"
    return [file] if count else []
