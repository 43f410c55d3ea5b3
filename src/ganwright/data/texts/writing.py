"""Texts as files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path


def append_lines(texts: Sequence[str], path: Path, *, anew: bool) -> None:
    """Adds texts to a .txt file, one a line, or to a .jsonl file; `anew` begins it."""
    lines = (
        [json.dumps({"text": text}, ensure_ascii=False) for text in texts]
        if path.suffix.lower() == ".jsonl"
        else [one_line(text) for text in texts]
    )
    with path.open("w" if anew else "a", encoding="utf-8", newline="\n") as file:
        file.writelines(line + "\n" for line in lines)


def one_line(text: str) -> str:
    """Without line breaks, which become \\n; a backslash becomes two, so that they are told apart."""
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
