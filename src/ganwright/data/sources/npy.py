"""NumPy files of pictures or rows: one array (.npy), or several by name (.npz)."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.lib import format as npy_format

from ganwright.core.errors import DataError
from ganwright.data.records import records_of
from ganwright.data.sources.base import ArraySource

IMAGE_KEYS = ("images", "x", "X", "data", "x_train", "X_train", "train_images", "image", "arr_0")
LABEL_KEYS = ("labels", "y", "Y", "label", "y_train", "Y_train", "train_labels", "targets", "target", "arr_1")
LARGEST_BYTES = 32 << 30
MOST_GZIP_GAIN = 1032  # See idx.py: DEFLATE's limit.
FAULTS = (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError)


class Npy(ArraySource):
    """Pictures in a .npy file (memory-mapped) or a .npz file, with labels where the .npz names some; rows in a .npy file.

    Nothing is ever unpickled: an array of Python objects is refused.
    """

    specificity: ClassVar[int] = 10
    opens: ClassVar[str] = "NumPy arrays of pictures (.npy, .npz) or of rows (.npy)"

    def __init__(self, path: Path, array: np.ndarray, labels: list[str], notes: list[str]) -> None:
        records = records_of(array, str(path))
        if labels and len(labels) != len(records):
            notes, labels = [*notes, "labels left out: they are not one per picture"], []
        super().__init__(path.stem, records, labels, str(path))
        self.path = path
        self.notes = notes + self.notes

    @classmethod
    def can_open(cls, data: Any) -> bool:
        return isinstance(data, Path) and data.suffix.lower() in (".npy", ".npz") and data.is_file()

    @classmethod
    def open(cls, data: Any) -> Self:
        try:
            if data.suffix.lower() == ".npy":
                return cls(data, np.load(data, mmap_mode="r", allow_pickle=False), [], [])
            images, labels, notes = _from_npz(data)
        except MemoryError:
            raise DataError("E-DATA-03", f"{data} does not fit into memory") from None
        except DataError:
            raise
        except FAULTS as error:
            raise DataError("E-DATA-03", f"cannot read {data}", why=_why(error)) from None
        return cls(data, images, labels, notes)

    def fingerprint(self) -> str:
        facts = self.path.stat()
        return hashlib.sha256(f"npy\0{facts.st_size}\0{facts.st_mtime_ns}".encode()).hexdigest()


def _why(error: Exception) -> str:
    text = str(error)
    return "it holds Python objects, which could run code when loaded" if "allow_pickle" in text else text


def _from_npz(path: Path) -> tuple[np.ndarray, list[str], list[str]]:
    """(images, labels or [], notes)."""
    with zipfile.ZipFile(path) as archive:
        members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
        shapes = {key: _claimed_shape(archive, info) for key, info in members.items()}
    pictures = [key for key, shape in shapes.items() if len(shape) in (3, 4)]
    image_key = next((key for key in IMAGE_KEYS if key in pictures), pictures[0] if len(pictures) == 1 else None)
    if image_key is None:
        why = "it holds " + ", ".join(f"{key} {shape}" for key, shape in list(shapes.items())[:8])
        hints = ("call the array of pictures 'images'",)
        raise DataError("E-DATA-04", f"no pictures in {path}", why=why, hints=hints)
    count = shapes[image_key][0]
    label_key = next((key for key in LABEL_KEYS if shapes.get(key) in ((count,), (count, 1))), None)
    with np.load(path, allow_pickle=False) as file:
        images = file[image_key]
        labels = [str(label) for label in file[label_key].reshape(-1).tolist()] if label_key else []
    notes = [f"pictures from {image_key!r}" + (f", labels from {label_key!r}" if label_key else "")]
    left_out = [key for key in shapes if key not in (image_key, label_key)]
    return images, labels, notes + ([f"left out: {', '.join(left_out[:8])}"] if left_out else [])


def _claimed_shape(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> tuple[int, ...]:
    """The shape in a member's header, after its size was compared with what the archive can hold."""
    with archive.open(info) as file:
        version = npy_format.read_magic(file)
        read = npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
        shape, _, dtype = read(file)
    if dtype.hasobject:
        raise ValueError("Object arrays cannot be loaded when allow_pickle=False")
    size = dtype.itemsize
    for side in shape:
        size *= side
    if size > min(info.file_size, info.compress_size * MOST_GZIP_GAIN, LARGEST_BYTES):
        raise ValueError(f"{info.filename} claims {size:,} bytes, which it cannot hold")
    return shape
