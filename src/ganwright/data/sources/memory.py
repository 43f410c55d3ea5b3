"""Pictures that a program already holds: NumPy arrays, torch tensors, lists of PIL pictures."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
from PIL import Image as PillowImage

from ganwright.core.errors import DataError
from ganwright.data.picture_arrays import PictureArray
from ganwright.data.picture_decoding import pixels_of
from ganwright.data.record import Record, Skipped
from ganwright.data.sources.base import Source

WHERE = "the data given"


class Memory(Source):
    """One array of pictures, a list of pictures, or a tuple (pictures, labels).

    Arrays are (N, H, W), (N, H, W, C) or (N, C, H, W); of a torch tensor whose axes could be read both ways, the channels
    come first. Pictures in a list may differ in size: PIL pictures, or uint8 arrays (H, W) or (H, W, C).
    """

    specificity: ClassVar[int] = 10
    opens: ClassVar[str] = "arrays, tensors or PIL pictures in memory"

    def __init__(self, pictures: Any, labels: Any = None) -> None:
        self.name = "pictures"
        self.skipped: list[Skipped] = []
        self._pictures = _pictures(pictures)
        self.notes = self._pictures.notes if isinstance(self._pictures, PictureArray) else []
        self._labels = _labels(labels)
        if self._labels and len(self._labels) != len(self._pictures):
            why = f"{len(self._pictures)} pictures, {len(self._labels)} labels"
            raise DataError("E-DATA-04", "there must be one label per picture", where=WHERE, why=why)

    @classmethod
    def can_open(cls, data: Any) -> bool:
        if _is_pair(data):
            return _is_pictures(data[0])
        return _is_pictures(data)

    @classmethod
    def open(cls, data: Any) -> Self:
        return cls(*data) if _is_pair(data) else cls(data)

    def __len__(self) -> int:
        return len(self._pictures)

    def read(self, start: int, stop: int) -> list[Record]:
        stop = min(stop, len(self))
        some = self._pictures
        pictures = some.read(start, stop) if isinstance(some, PictureArray) else some[start:stop]
        labels = self._labels
        return [
            Record(f"picture {i}", picture, {"label": labels[i]} if labels else {})
            for i, picture in enumerate(pictures, start)
        ]

    def fingerprint(self) -> str:
        """Of the contents, since objects in memory have no date."""
        digest = hashlib.blake2b(b"memory")
        for start in range(0, len(self), 4096):
            for record in self.read(start, start + 4096):
                assert isinstance(record.payload, np.ndarray)
                digest.update(repr(record.payload.shape).encode())
                digest.update(np.ascontiguousarray(record.payload).data)
        digest.update("\0".join(self._labels).encode("utf-8", "surrogateescape"))
        return digest.hexdigest()


def _is_tensor(data: Any) -> bool:
    # By its module, since importing torch to ask would take seconds.
    return any(base.__module__.startswith("torch") and base.__name__ == "Tensor" for base in type(data).__mro__)


def _is_pair(data: Any) -> bool:
    """(pictures, labels): the labels are numbers or strings along one axis."""
    if not isinstance(data, tuple) or len(data) != 2 or not _is_pictures(data[0]):
        return False
    return not isinstance(data[1], PillowImage.Image) and np.ndim(_plain(data[1])) in (1, 2) and not _is_pictures(data[1])


def _is_pictures(data: Any) -> bool:
    if isinstance(data, np.ndarray) or _is_tensor(data):
        return len(data.shape) in (3, 4)
    if isinstance(data, Sequence) and not isinstance(data, str | bytes) and len(data) > 0:
        return all(isinstance(item, PillowImage.Image) or _is_pictures_array(item) for item in data)
    return False


def _is_pictures_array(item: Any) -> bool:
    return (isinstance(item, np.ndarray) or _is_tensor(item)) and len(item.shape) in (2, 3)


def _plain(data: Any) -> Any:
    """A tensor as a NumPy array; everything else as it is."""
    if not _is_tensor(data):
        return data
    data = data.detach().cpu()
    return (data.float() if "bfloat16" in str(data.dtype) else data).numpy()


def _pictures(data: Any) -> PictureArray | list[np.ndarray]:
    if isinstance(data, np.ndarray) or _is_tensor(data):
        return PictureArray(_plain(data), WHERE, channels_first=_is_tensor(data))
    arrays = [pixels_of(item) if isinstance(item, PillowImage.Image) else np.asarray(_plain(item)) for item in data]
    if len({(array.shape, array.dtype) for array in arrays}) == 1:
        tensors = any(_is_tensor(item) for item in data)
        return PictureArray(np.stack(arrays), WHERE, channels_first=tensors)
    for i, array in enumerate(arrays):
        if array.dtype != np.uint8 or (array.ndim == 3 and array.shape[2] not in (1, 3, 4)) or array.size == 0:
            why = f"picture {i} has shape {array.shape} of {array.dtype}"
            hints = ("make them uint8 (H, W), (H, W, 3) or (H, W, 4)", "or give all of them one shape and type")
            raise DataError("E-DATA-04", "pictures of several sizes must be uint8", where=WHERE, why=why, hints=hints)
    return arrays


def _labels(labels: Any) -> list[str]:
    if labels is None:
        return []
    values = np.asarray(_plain(labels))
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1 or values.dtype.kind not in "biuUSf" or (values.dtype.kind == "f" and (values % 1 != 0).any()):
        why = f"labels of shape {values.shape} and type {values.dtype}"
        hints = ("give one whole number or string per picture",)
        raise DataError("E-DATA-04", "cannot read the labels", where=WHERE, why=why, hints=hints)
    values = values.astype(np.int64) if values.dtype.kind == "f" else values
    return [item.decode("utf-8", "replace") if isinstance(item, bytes) else str(item) for item in values.tolist()]
