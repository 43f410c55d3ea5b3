"""Which file names are recordings."""

from __future__ import annotations

from collections.abc import Iterable

from ganwright.data.picture_names import extension_of, is_hidden, printable, why_no_picture

SOUND_EXTENSIONS = frozenset((".wav", ".wave", ".flac", ".ogg", ".oga"))
# Recordings all the same, so the report must not say that they are none.
UNSUPPORTED_EXTENSIONS = frozenset((".mp3", ".m4a", ".aac", ".wma", ".opus", ".aif", ".aiff", ".amr", ".mid", ".midi"))


def why_no_sound(name: str) -> str:
    """Empty when the name is a recording's; otherwise the reason to skip it."""
    extension = extension_of(name)
    if extension in SOUND_EXTENSIONS:
        return ""
    if extension in UNSUPPORTED_EXTENSIONS:
        return f"unsupported sound ({extension})"
    return f"not a sound ({printable(extension) or 'no extension'})"


def mostly_sounds(names: Iterable[str]) -> bool:
    """Whether there are recordings among these names, and more of them than pictures; those of any format count."""
    sounds = pictures = 0
    for name in names:
        if not is_hidden(tuple(name.split("/"))):
            sounds += extension_of(name) in SOUND_EXTENSIONS | UNSUPPORTED_EXTENSIONS
            pictures += not why_no_picture(name)
    return sounds > pictures
