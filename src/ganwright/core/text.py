"""Text from strangers' files, and words for people."""

from __future__ import annotations

import shlex


def printable(text: str, most: int = 500) -> str:
    """Without control characters, which could steer the terminal that shows it, and of at most `most` characters."""
    cut = text if len(text) <= most else text[: most - 3] + "..."
    return "".join(letter if letter.isprintable() else "?" for letter in cut)


def in_shell(path: object) -> str:
    """A path as it is typed in a command that can be copied."""
    return shlex.quote(str(path))


def counted(count: int, plural: str) -> str:
    """ "1 picture", "2,000 pictures", "1 series"."""
    one = plural if plural.endswith("series") else plural.removesuffix("s")
    return f"{count:,} {one if count == 1 else plural}"
