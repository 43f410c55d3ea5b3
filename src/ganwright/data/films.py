"""Pictures one after another in one file, .gif or .webp, written as they come: any number of them in little memory.

Pillow collects all frames before it writes the first. So it encodes single pictures here, and what is around them is written
by hand, as the two formats are specified (GIF89a, CompuServe 1990; "WebP Container Specification", Google).
"""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from PIL import Image

from ganwright.data.ownership import mark
from ganwright.runtime.files import temporary_beside

FILMS = (".gif", ".webp")
FASTEST = 50
"""Pictures a second: of a GIF, browsers slow down what is meant to be faster."""
USUAL_PIXELS = 128
"""A smaller picture is enlarged by a whole factor until its longer side has about this size."""
WEBP_QUALITY = 90
_FOREVER = b"\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00"


def write_film(pictures: Iterable[Image.Image], path: Path, fps: float) -> int:
    """Pictures of one size (mode L, RGB or RGBA) as the film that the suffix of `path` names, repeated for ever.

    The file is there whole or not at all, and carries our mark. Gives back how many pictures it has.

    Raises:
        OSError: the disk refuses.
    """
    write = {".gif": _write_gif, ".webp": _write_webp}[path.suffix.lower()]
    temporary = temporary_beside(path)
    try:
        with temporary.open("wb") as file:
            count = write(map(_enlarged, pictures), file, fps)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    mark(path)
    return count


def _enlarged(picture: Image.Image) -> Image.Image:
    factor = max(1, round(USUAL_PIXELS / max(picture.size)))
    return picture.resize((picture.width * factor, picture.height * factor), Image.Resampling.NEAREST)


def _delay(number: int, fps: float, per_second: int) -> int:
    """How long picture `number` is shown, in parts of a second; what is rounded is made up for by the next one."""
    return round((number + 1) * per_second / fps) - round(number * per_second / fps)


def _write_gif(pictures: Iterable[Image.Image], file: BinaryIO, fps: float) -> int:
    count = 0
    for count, picture in enumerate(pictures, 1):
        if count == 1:
            file.write(b"GIF89a" + struct.pack("<HHBBB", *picture.size, 0x70, 0, 0) + _FOREVER)
        file.write(b"\x21\xf9\x04\x04" + struct.pack("<H", _delay(count - 1, fps, 100)) + b"\x00\x00")
        file.write(_gif_picture(picture))
    file.write(b"\x3b")
    return count


def _gif_picture(picture: Image.Image) -> bytes:
    """One picture with 256 colours of its own: a descriptor, its palette, its pixels."""
    if picture.mode == "RGBA":
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")
    if picture.mode != "L":  # Greys keep their 256 values.
        picture = picture.quantize(256, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    buffer = io.BytesIO()
    picture.save(buffer, "GIF")
    content = buffer.getvalue()
    # As a file of its own, its palette is global, and extensions may lie before the picture.
    table_bits = content[10] & 0x07
    palette_end = 13 + 3 * (2 << table_bits)
    palette, place = content[13:palette_end], palette_end
    while content[place] != 0x2C:
        place += 2
        while content[place]:
            place += content[place] + 1
        place += 1
    descriptor = content[place : place + 9] + bytes([content[place + 9] | 0x80 | table_bits])
    return descriptor + palette + content[place + 10 : -1]


def _write_webp(pictures: Iterable[Image.Image], file: BinaryIO, fps: float) -> int:
    count = 0
    for count, picture in enumerate(pictures, 1):
        size = _three(picture.width - 1) + _three(picture.height - 1)
        if count == 1:
            # Its length is written at the end; flags: animated, and with transparency where there is some.
            flags = 0x02 | (0x10 if picture.mode == "RGBA" else 0)
            file.write(b"RIFF\0\0\0\0WEBP" + _chunk(b"VP8X", bytes([flags, 0, 0, 0]) + size))
            file.write(_chunk(b"ANIM", b"\xff\xff\xff\xff" + struct.pack("<H", 0)))
        # Drawn over the whole canvas, without blending with the one before.
        head = bytes(6) + size + _three(_delay(count - 1, fps, 1000)) + b"\x02"
        file.write(_chunk(b"ANMF", head + _webp_picture(picture)))
    length = file.tell()
    file.seek(4)
    file.write(struct.pack("<I", length - 8))
    return count


def _webp_picture(picture: Image.Image) -> bytes:
    """The chunks of one picture that hold its pixels and its transparency."""
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=WEBP_QUALITY, method=4)
    content, place, kept = buffer.getvalue(), 12, b""
    while place < len(content):
        name, (length,) = content[place : place + 4], struct.unpack("<I", content[place + 4 : place + 8])
        if name in (b"ALPH", b"VP8 ", b"VP8L"):
            kept += _chunk(name, content[place + 8 : place + 8 + length])
        place += 8 + length + length % 2
    return kept


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)


def _three(number: int) -> bytes:
    return struct.pack("<I", number)[:3]
