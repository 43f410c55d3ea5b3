"""IDX files, the format in which MNIST and its kin are published."""

from __future__ import annotations

import gzip
import hashlib
import re
import struct
import zlib
from pathlib import Path
from typing import IO, Any, ClassVar, Self

import numpy as np

from ganwright.core.errors import DataError
from ganwright.data.picture_names import natural_key
from ganwright.data.record import Record, Skipped
from ganwright.data.sources.base import Source

IMAGES_NAME = re.compile(r"images?[-._]idx[34]-ubyte(\.gz)?$", re.IGNORECASE)
ANY_NAME = re.compile(r"[-._]idx\d-ubyte(\.gz)?$", re.IGNORECASE)
UNSIGNED_BYTES = 0x08
LARGEST_BYTES = 8 << 30
# DEFLATE cannot shrink further than this, so a small file that claims to hold more is damaged or hostile.
MOST_GZIP_GAIN = 1032


class Idx(Source):
    """Grey or colour pictures in one IDX file (`.gz` or plain), with labels from the file of like name beside it.

    Of a folder, the training pair is taken. Only the header is read at first, and what it claims is compared with the
    file's size before anything is allocated; the pictures are read when first asked for.
    """

    specificity: ClassVar[int] = 20
    opens: ClassVar[str] = "MNIST-like IDX files"

    def __init__(self, images: Path, labels: Path | None, name: str) -> None:
        self.name = name
        self.skipped: list[Skipped] = []
        self.notes: list[str] = []
        self._images_path = images
        self._images_shape = _shape(images)
        if len(self._images_shape) not in (3, 4) or 0 in self._images_shape:
            why = f"its axes are {self._images_shape}"
            raise DataError("E-DATA-03", f"{images.name} holds no pictures", where=str(images), why=why)
        self._labels_path = labels
        if labels is not None and _shape(labels) != self._images_shape[:1]:
            self.notes.append(f"labels in {labels.name} left out: they are not one per picture")
            self._labels_path = None
        self._images: np.ndarray | None = None
        self._labels: list[str] = []

    @classmethod
    def can_open(cls, data: Any) -> bool:
        try:
            if not isinstance(data, Path):
                return False
            return bool(_images_in(data)) if data.is_dir() else data.is_file() and _looks_like_idx(data)
        except OSError:
            return False

    @classmethod
    def open(cls, data: Any) -> Self:
        if data.is_file():
            if "label" in data.name.lower():
                hints = ("give the file of the pictures; its labels are found by themselves",)
                raise DataError("E-DATA-03", f"{data.name} holds labels, not pictures", where=str(data), hints=hints)
            return cls(data, _labels_beside(data), ANY_NAME.sub("", data.name) or data.name)
        images = _images_in(data)
        chosen = next((path for path in images if "train" in path.name.lower()), images[0])
        source = cls(chosen, _labels_beside(chosen), data.resolve().name)
        source.notes.insert(0, f"{chosen.name} taken")
        source.notes += [f"{path.name} left out: give it by name to train on it" for path in images if path != chosen]
        return source

    def __len__(self) -> int:
        return self._images_shape[0]

    def read(self, start: int, stop: int) -> list[Record]:
        """Records start..stop-1.

        Raises:
            DataError: the file is shorter than its header says; then no picture in it can be trusted.
        """
        if self._images is None:
            self._images = _content(self._images_path, self._images_shape)
            if self._labels_path is not None:
                self._labels = [str(label) for label in _content(self._labels_path, self._images_shape[:1]).tolist()]
        labels = self._labels
        return [
            Record(f"picture {i}", self._images[i], {"label": labels[i]} if labels else {})
            for i in range(start, min(stop, len(self)))
        ]

    def fingerprint(self) -> str:
        digest = hashlib.sha256(b"idx")
        for path in (self._images_path, self._labels_path):
            if path is not None:
                facts = path.stat()
                digest.update(f"{path.name}\0{facts.st_size}\0{facts.st_mtime_ns}\0".encode("utf-8", "surrogateescape"))
        return digest.hexdigest()


def _images_in(folder: Path) -> list[Path]:
    """The pictures' files in a folder, a plain file before its own .gz."""
    files = {path.name: path for path in folder.iterdir() if IMAGES_NAME.search(path.name) and path.is_file()}
    names = [name for name in files if not (name.endswith(".gz") and name[:-3] in files)]
    return [files[name] for name in sorted(names, key=natural_key)]


def _looks_like_idx(path: Path) -> bool:
    if ANY_NAME.search(path.name):
        return True
    with path.open("rb") as file:
        return file.read(3) == bytes([0, 0, UNSIGNED_BYTES])


def _labels_beside(images: Path) -> Path | None:
    """train-images-idx3-ubyte.gz -> train-labels-idx1-ubyte.gz, zipped or not."""
    name = re.sub(r"idx[34]", "idx1", re.sub("images", "labels", images.name, flags=re.IGNORECASE))
    plain = images.with_name(name.removesuffix(".gz"))
    found = [path for path in (images.with_name(name), plain, plain.with_name(plain.name + ".gz")) if path.is_file()]
    return found[0] if found and found[0] != images else None


def _opened(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        zipped = file.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rb") if zipped else path.open("rb")  # type: ignore[return-value]


def _damaged(path: Path, why: str) -> DataError:
    hints = ("copy or download it again",)
    return DataError("E-DATA-03", f"the IDX file {path.name} is damaged", where=str(path), why=why, hints=hints)


def _shape(path: Path) -> tuple[int, ...]:
    """The axes that the header claims, compared with the size of the file.

    Raises:
        DataError: no IDX file of unsigned bytes, or one whose size cannot be right.
    """
    try:
        with _opened(path) as file:
            magic = file.read(4)
            if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] != UNSIGNED_BYTES or not 1 <= magic[3] <= 4:
                raise _damaged(path, f"it begins with {magic.hex() or 'nothing'}, not with 0000080n")
            axes = file.read(4 * magic[3])
            zipped = isinstance(file, gzip.GzipFile)
    except (OSError, EOFError, zlib.error) as error:
        raise _damaged(path, str(error)) from None
    if len(axes) < 4 * magic[3]:
        raise _damaged(path, "the file ends within its header")
    shape = struct.unpack(f">{magic[3]}I", axes)
    need, have = _bytes_of(shape), path.stat().st_size
    most = have * MOST_GZIP_GAIN if zipped else have - 4 - len(axes)
    if need > LARGEST_BYTES or need > most or (not zipped and need != most):
        raise _damaged(path, f"its header speaks of {need:,} bytes, which a file of {have:,} bytes cannot hold")
    return shape


def _bytes_of(shape: tuple[int, ...]) -> int:
    size = 1  # Python's integers, since a hostile header can overflow numpy's.
    for side in shape:
        size *= side
    return size


def _content(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    """The values as uint8, of the shape that `_shape` has checked."""
    need = _bytes_of(shape)
    try:
        with _opened(path) as file:
            file.read(4 + 4 * (file_axes := len(shape)))
            content = file.read(need + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise _damaged(path, str(error)) from None
    if len(content) != need:
        why = f"its header speaks of {file_axes} axes and {need:,} bytes, and it holds "
        raise _damaged(path, why + (f"only {len(content):,}" if len(content) < need else "more"))
    return np.frombuffer(content, np.uint8).reshape(shape)
