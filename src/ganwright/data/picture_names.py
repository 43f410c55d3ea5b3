"""Which file names are pictures, in which order they come, and how an odd name is shown."""

from __future__ import annotations

import re

PICTURE_EXTENSIONS = frozenset(
    (
        ".jpg",
        ".jpeg",
        ".jpe",
        ".jfif",
        ".mpo",
        ".png",
        ".apng",
        ".webp",
        ".gif",
        ".bmp",
        ".dib",
        ".tif",
        ".tiff",
        ".ppm",
        ".pgm",
        ".pbm",
        ".pnm",
    )
)
# Pictures all the same, so the report must not say that they are none.
UNSUPPORTED_EXTENSIONS = frozenset(
    (
        ".heic",
        ".heif",
        ".avif",
        ".jxl",
        ".jp2",
        ".svg",
        ".psd",
        ".xcf",
        ".eps",
        ".fits",
        ".exr",
        ".hdr",
        ".tga",
        ".ico",
        ".raw",
        ".dng",
        ".cr2",
        ".cr3",
        ".nef",
        ".arw",
        ".orf",
    )
)
NUMBER = re.compile("[0-9]+")
NUMBER_WIDTH = 20
LARGEST_FILE_BYTES = 256 << 20


def extension_of(name: str) -> str:
    """The extension in lower case with its dot, or "": `IMG_1.JPG` -> `.jpg`."""
    stem, dot, extension = name.rpartition("/")[2].rpartition(".")
    return dot + extension.lower() if stem else ""


def why_no_picture(name: str) -> str:
    """Empty when the name is a picture's; otherwise the reason to skip it."""
    extension = extension_of(name)
    if extension in PICTURE_EXTENSIONS:
        return ""
    if extension in UNSUPPORTED_EXTENSIONS:
        return f"unsupported picture ({extension})"
    return f"not a picture ({printable(extension) or 'no extension'})"


def natural_key(path: str) -> tuple[str, str]:
    """A sort key by which cat2 comes before cat10, folder by folder; the path itself breaks ties."""
    return NUMBER.sub(_padded, path.lower()).replace("/", "\0"), path


def _padded(number: re.Match[str]) -> str:
    return number[0].zfill(NUMBER_WIDTH)


def printable(name: str) -> str:
    """The name as a terminal and a JSON file can show it: control characters and undecodable bytes become escapes."""
    if name.isprintable():
        return name
    decoded = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in decoded)


def is_hidden(parts: tuple[str, ...]) -> bool:
    """Whether a path lies under a hidden folder or is hidden itself, macOS's shadow folder in archives included."""
    return any((part.startswith(".") and part not in (".", "..")) or part == "__MACOSX" for part in parts)
