"""Text from strangers' files."""

from __future__ import annotations


def printable(text: str, most: int = 500) -> str:
    """Without control characters, which could steer the terminal that shows it, and of at most `most` characters."""
    cut = text if len(text) <= most else text[: most - 3] + "..."
    return "".join(letter if letter.isprintable() else "?" for letter in cut)
