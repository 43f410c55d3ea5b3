"""Which file names are recordings."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from ganwright.data.picture_names import extension_of, is_hidden, printable, why_no_picture

SOUND_EXTENSIONS = frozenset((".wav", ".wave", ".flac", ".ogg", ".oga"))
# Recordings all the same, so the report must not say that they are none.
UNSUPPORTED_EXTENSIONS = frozenset((".mp3", ".m4a", ".aac", ".wma", ".opus", ".aif", ".aiff", ".amr", ".mid", ".midi"))

LOOKED_AT = 2_000
"""Names that decide whether a set of files is one of sounds."""


def why_no_sound(name: str) -> str:
    """Empty when the name is a recording's; otherwise the reason to skip it."""
    extension = extension_of(name)
    if extension in SOUND_EXTENSIONS:
        return ""
    if extension in UNSUPPORTED_EXTENSIONS:
        return f"unsupported sound ({extension})"
    return f"not a sound ({printable(extension) or 'no extension'})"


def mostly_sounds(names: Iterable[str]) -> bool:
    """Whether there are recordings among the first of these names, and more of them than pictures; of any format."""
    sounds = pictures = 0
    recordings = SOUND_EXTENSIONS | UNSUPPORTED_EXTENSIONS
    for name in islice(names, LOOKED_AT):
        if not is_hidden(tuple(name.split("/"))):
            sounds += extension_of(name) in recordings
            pictures += not why_no_picture(name)
    return sounds > pictures
