"""Which files Ganwright made, so that none of anyone else's is ever written over.

A picture and a sound carry the mark themselves. A table is left as plain as it should be, so a hidden file beside it
remembers its size and time of change: a table that someone has worked on since is no longer ours.
"""

from __future__ import annotations

import zlib
from pathlib import Path

from PIL import Image, PngImagePlugin

from ganwright.core.errors import UsageError
from ganwright.data.sample_files import FILES
from ganwright.data.sounds import is_our_wav

MADE_BY = "Ganwright"
JPEG_QUALITY = 95
PICTURES = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}


def picture_path(out: Path, name: str) -> Path:
    """Where a picture goes that is asked for at `out`: there, if that ends as a picture's name does, or in it as `name`.

    Raises:
        UsageError: a file of another kind is asked for.
    """
    out = out.expanduser()
    if out.suffix.lower() in FILES - set(PICTURES) and not out.is_dir():
        hints = (f"-o {out.with_suffix('.png')}",)
        raise UsageError("E-SAMPLE-07", f"a picture is written as {' or '.join(PICTURES)}, not {out.suffix}", hints=hints)
    return out if out.suffix.lower() in PICTURES else out / name


def save_picture(picture: Image.Image, path: Path, quickly: bool = False) -> None:
    """Writes a picture with our mark as the format that the suffix names; JPEG takes modes L and RGB only.

    Args:
        quickly: look for repeated values only. Photos of 64x64 pixels were as small, and a third more of them written in a
            second; a picture with a frame and letters took half as much room again.
    """
    if PICTURES[path.suffix.lower()] == "JPEG":
        picture.save(path, "JPEG", quality=JPEG_QUALITY, comment=MADE_BY.encode())
        return
    information = PngImagePlugin.PngInfo()
    information.add_text("Software", MADE_BY)
    search = {"compress_type": zlib.Z_RLE} if quickly else {}
    picture.save(path, "PNG", pnginfo=information, **search)


def mark(path: Path) -> None:
    """Remembers that the file, as it is now, was made by us; for files that cannot carry a mark."""
    _mark_of(path).write_text(_facts(path), encoding="utf-8")


def is_ours(path: Path) -> bool:
    """Whether the file at `path` was made by us and not changed since."""
    try:
        if path.suffix.lower() == ".wav":
            return is_our_wav(path)
        if path.suffix.lower() not in PICTURES:
            return _mark_of(path).read_text(encoding="utf-8") == _facts(path)
        with Image.open(path, formats=[PICTURES[path.suffix.lower()]]) as picture:
            # JPEG files keep it as a comment, PNG files as the name of a program.
            return MADE_BY.encode() == picture.info.get("comment") or picture.info.get("Software") == MADE_BY
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return False


def _mark_of(path: Path) -> Path:
    return path.with_name(f".{path.name}.ganwright")


def _facts(path: Path) -> str:
    found = path.stat()
    return f"{MADE_BY} made {path.name}: {found.st_size} bytes, changed at {found.st_mtime_ns} ns\n"
