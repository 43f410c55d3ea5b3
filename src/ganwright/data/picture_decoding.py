"""One encoded picture, checked, turned upright and cut to size. Runs in child processes: it meets strangers' files.

    python -m ganwright.data.picture_decoding MEMORY_BYTES

is such a child; `decoding_workers` talks to it in the words of `decoding_protocol`. No torch here: a child starts in a
moment.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from PIL import Image, TiffImagePlugin, WebPImagePlugin

from ganwright.data.decoding_child import serve
from ganwright.data.picture_fitting import fit_picture
from ganwright.data.picture_names import extension_of

# MPO, the JPEG of phones, is opened as JPEG. These two plugins are not loaded by themselves.
PLUGINS = (TiffImagePlugin, WebPImagePlugin)
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM")
MOST_PIXELS = 89_478_485  # Pillow's own limit: a quarter of a gigabyte as RGB.
LONGEST_SIDE = 16_384
GREY_MODES = ("1", "L", "I", "F")
ALPHA_MODES = ("LA", "La", "PA", "RGBA", "RGBa")
ORIENTATION = 0x0112
BITS_PER_SAMPLE = 0x0102
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# Files that often lie under a picture's name, by their first bytes.
DISGUISES = (
    (b"<!doctype", "web page named as a picture"),
    (b"<html", "web page named as a picture"),
    (b"<?xml", "XML text named as a picture"),
    (b"<svg", "SVG named as a picture"),
    (b"%!ps", "EPS named as a picture"),
    (b"%pdf", "PDF named as a picture"),
    (b"simple  =", "FITS named as a picture"),
    (b"pk\x03\x04", "zip archive named as a picture"),
)


class PictureFault(Exception):
    """Why a picture is skipped, in a few words that group well."""


@dataclass(frozen=True)
class PicturePolicy:
    """What every picture is turned into."""

    height: int
    width: int
    channels: int
    background: str = "white"
    min_side: int = 1
    """Pictures with a shorter side are refused; pixels."""


@dataclass(frozen=True)
class PictureFacts:
    """What the header tells."""

    width: int
    """After it is turned upright; pixels."""
    height: int
    colour: Literal["grey", "colour", "alpha"]


def look(content: bytes, name: str, policy: PicturePolicy | None = None) -> tuple[PictureFacts, bytes]:
    """The facts of an encoded picture, from its header, and its pixels as `policy` wants them, uint8 (H, W, C).

    Instead of pixels b"" without a policy, where they are damaged, and where a user should know what was done to them: then
    they are to be decoded by `decode`.

    Raises:
        PictureFault: not a picture that may be used.
    """
    with _opened(content, name) as image:
        width, height = image.size
        turn = _orientation(image)
        if turn >= 5:
            width, height = height, width
        facts = PictureFacts(width, height, _colour(image))
        if policy is None:
            return facts, b""
        try:
            pixels, notes = _pixels(image, content, turn, policy)
        except PictureFault:
            return facts, b""
        return facts, b"" if notes else pixels.tobytes()


def decode(content: bytes, name: str, policy: PicturePolicy) -> tuple[np.ndarray, list[str]]:
    """(pixels, notes): uint8 (H, W, C), and what was done to the picture that a user should know of.

    Raises:
        PictureFault: not a picture that may be used; only a full decoding finds a file cut short.
    """
    with _opened(content, name) as image:
        return _pixels(image, content, _orientation(image), policy)


def _pixels(image: Image.Image, content: bytes, turn: int, policy: PicturePolicy) -> tuple[np.ndarray, list[str]]:
    upright = (image.height, image.width) if turn >= 5 else image.size
    if min(upright) < policy.min_side:
        raise PictureFault(f"smaller than {policy.min_side} px")
    notes = _container_notes(image, content, turn)
    with _damaged():
        _decode_no_more_than_needed(image, upright, policy)
        image.load()
    upright_image = standard(image.transpose(TURNS[turn]) if turn != 1 else image, notes)
    return fit_picture(upright_image, policy.height, policy.width, policy.channels, policy.background, notes), notes


def pixels_of(image: Image.Image) -> np.ndarray:
    """A picture in memory as uint8 (H, W), (H, W, 3) or (H, W, 4), turned upright."""
    turn = _orientation(image)
    image = image.transpose(TURNS[turn]) if turn != 1 else image
    return np.array(standard(image, []))


def standard(image: Image.Image, notes: list[str]) -> Image.Image:
    """The picture in mode L, RGB or RGBA.

    Raises:
        PictureFault: pixels that have no such form.
    """
    mode = image.mode
    transparent = "transparency" in image.info
    if mode in ("L", "RGB", "RGBA") and not transparent:
        return image
    if mode.startswith("I") or mode == "F":
        return _from_deep_grey(np.asarray(image), notes)
    if mode == "1":
        return image.convert("L")
    if mode == "CMYK":
        notes.append("converted from CMYK")
    try:
        return image.convert("RGBA" if transparent or mode in ALPHA_MODES else "RGB")
    except ValueError as error:
        raise PictureFault(f"unsupported pixels ({mode})") from error


def _from_deep_grey(values: np.ndarray, notes: list[str]) -> Image.Image:
    # Pillow's own conversion clips at 255, which turns nearly all of a 16-bit picture white.
    low, high = float(values.min()), float(values.max())
    if values.dtype.kind == "f" and low >= 0 and high <= 1:
        values = values * 255
    elif low >= 0 and high <= 255 and values.dtype.itemsize > 2:
        pass
    elif low >= 0 and high <= 65535 and values.dtype.kind != "f":
        notes.append("16-bit grey rescaled to 8 bits")
        values = values / 257
    else:
        raise PictureFault("unsupported pixels (out of range)")
    return Image.fromarray(np.rint(values).astype(np.uint8))


@contextmanager
def _quiet() -> Generator[None]:
    """No warning from Pillow, except that a decompression bomb is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


def _opened(content: bytes, name: str) -> Image.Image:
    try:
        image = Image.open(io.BytesIO(content), formats=FORMATS)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise PictureFault(f"larger than {MOST_PIXELS // 1_000_000} megapixels") from None
    except MemoryError:
        raise
    except Exception:  # Header parsers raise whatever the bytes lead them to.
        raise PictureFault(_disguise(content)) from None
    extension = extension_of(name)
    if image.format == "TIFF" and extension not in ("", ".tif", ".tiff"):
        raise PictureFault(f"TIFF named {extension}")
    if image.width * image.height > MOST_PIXELS:
        raise PictureFault(f"larger than {MOST_PIXELS // 1_000_000} megapixels")
    if max(image.size) > LONGEST_SIDE:
        raise PictureFault(f"longer than {LONGEST_SIDE:,} px")
    return image


@contextmanager
def _damaged() -> Generator[None]:
    """Whatever a decoder raises but for want of memory is a PictureFault: it raises what the bytes lead it to."""
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:
        raise PictureFault("damaged picture") from error


def _disguise(content: bytes) -> str:
    start = content[:64].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start[4:8] == b"ftyp":
        return "AVIF picture" if start[8:11] == b"avi" else "HEIC picture or film"
    return next((reason for magic, reason in DISGUISES if start.startswith(magic)), "damaged picture")


def _orientation(image: Image.Image) -> int:
    """EXIF's number 1..8 for what still has to be done; 1 is upright."""
    if image.format == "TIFF":
        return 1  # Pillow turns TIFF itself.
    if image.format in ("PNG", "WEBP") and "exif" not in image.info:
        return 1  # To look for one after the pixels, Pillow would decode the picture.
    try:
        turn = image.getexif().get(ORIENTATION, 1)
    except Exception:  # A damaged tag is no reason to lose the picture.
        return 1
    return turn if turn in TURNS else 1


def _colour(image: Image.Image) -> Literal["grey", "colour", "alpha"]:
    if image.mode in ALPHA_MODES or "transparency" in image.info:
        return "alpha"
    return "grey" if image.mode in GREY_MODES or image.mode.startswith("I;16") else "colour"


def _container_notes(image: Image.Image, content: bytes, turn: int) -> list[str]:
    """Notes on how the file differs from one upright 8-bit picture."""
    notes: list[str] = []
    if image.format == "TIFF":
        tags: Mapping[int, Any] = getattr(image, "tag_v2", {})
        turned, deep = tags.get(ORIENTATION, 1) in TURNS, max(tags.get(BITS_PER_SAMPLE, (8,)), default=8) > 8
    else:
        turned, deep = turn != 1, image.format == "PNG" and content[24:25] == b"\x10"
    if turned:
        notes.append("turned upright by their camera tag")
    if deep and image.mode in ("RGB", "RGBA", "LA"):
        notes.append("16-bit colour read as 8 bits")
    if image.format != "MPO" and getattr(image, "is_animated", False):  # A phone's MPO is one photo.
        notes.append("animated or of several pages: first one taken")
    return notes


def _decode_no_more_than_needed(image: Image.Image, upright: tuple[int, int], policy: PicturePolicy) -> None:
    """Lets the JPEG decoder halve a picture that stays at least twice as large as is needed."""
    if image.format in ("JPEG", "MPO"):
        scale = max(policy.width / upright[0], policy.height / upright[1])
        if scale <= 0.25:
            image.draft(None, (round(image.width * scale * 2), round(image.height * scale * 2)))


def _answer(task: Mapping[str, Any], content: bytes, name: str) -> tuple[dict[str, Any], bytes]:
    try:
        if task["do"] == "probe":
            policy = PicturePolicy(**task["policy"]) if "policy" in task else None
            facts, pixels = look(content, name, policy)
            return {"width": facts.width, "height": facts.height, "colour": facts.colour}, pixels
        decoded, notes = decode(content, name, PicturePolicy(**task["policy"]))
        return {"notes": notes}, decoded.tobytes()
    except PictureFault as fault:
        return {"fault": str(fault)}, b""


if __name__ == "__main__":
    import sys

    with _quiet():
        serve(_answer, int(sys.argv[1]))
