"""The nearest known name to a mistyped one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

LISTED = 40
"""Names that an error lists; a set may have thousands of classes."""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The one of `known` most like `name`, or None when nothing is close."""
    matches = difflib.get_close_matches(name.lower(), list(known), n=1, cutoff=0.6)
    return matches[0] if matches else None


def unknown_name_hints(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """Hints for an error about `name`: the nearest one first, then all there are, unless they are many and one is near."""
    names = sorted(known)
    if not names:
        return ()
    guess = nearest(name, names)
    if guess and len(names) > LISTED:
        return (f"did you mean {guess}?",)
    more = f", ... ({len(names):,} in all)" if len(names) > LISTED else ""
    listing = "known: " + ", ".join(names[:LISTED]) + more
    return (f"did you mean {guess}?", listing) if guess else (listing,)
