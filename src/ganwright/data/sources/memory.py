"""Pictures that a program already holds: NumPy arrays, torch tensors, lists of PIL pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from PIL import Image as PillowImage

from ganwright.core.errors import DataError
from ganwright.data.in_memory import WHERE, is_array, is_frame, is_tensor, known_of, plain
from ganwright.data.picture_arrays import PictureArray
from ganwright.data.picture_decoding import pixels_of
from ganwright.data.sources.base import ArraySource


class Memory(ArraySource):
    """One array of pictures, a list of pictures, or a tuple (pictures, labels), or (pictures, {"age": ages, ...}).

    Arrays are (N, H, W), (N, H, W, C) or (N, C, H, W); of a torch tensor whose axes could be read both ways, the channels
    come first. Pictures in a list may differ in size: PIL pictures, or uint8 arrays (H, W) or (H, W, C).
    """

    specificity: ClassVar[int] = 10
    opens: ClassVar[str] = "arrays, tensors or PIL pictures in memory"

    def __init__(self, pictures: Any, labels: Any = None) -> None:
        super().__init__("pictures", _pictures(pictures), known_of(labels), WHERE)

    @classmethod
    def can_open(cls, data: Any) -> bool:
        if _is_pair(data):
            return _is_pictures(data[0])
        return _is_pictures(data)

    @classmethod
    def open(cls, data: Any) -> Self:
        return cls(*data) if _is_pair(data) else cls(data)


class PictureList:
    """Pictures of several sizes, uint8 (H, W) or (H, W, C) each."""

    noun: ClassVar[str] = "picture"
    columns: tuple[str, ...] = ()

    def __init__(self, pictures: list[np.ndarray]) -> None:
        self.notes: list[str] = []
        self._pictures = pictures

    def __len__(self) -> int:
        return len(self._pictures)

    def read(self, start: int, stop: int) -> list[np.ndarray]:
        """Pictures start..stop-1."""
        return self._pictures[start:stop]


def _is_pair(data: Any) -> bool:
    """(pictures, labels): the labels are numbers or strings along one axis, or columns of what is known of each."""
    if not isinstance(data, tuple) or len(data) != 2 or not _is_pictures(data[0]):
        return False
    if isinstance(data[1], Mapping) or is_frame(data[1]):
        return True
    return not isinstance(data[1], PillowImage.Image) and np.ndim(plain(data[1])) in (1, 2) and not _is_pictures(data[1])


def _is_pictures(data: Any) -> bool:
    if is_array(data):
        return len(data.shape) in (3, 4)
    if isinstance(data, Sequence) and not isinstance(data, str | bytes) and len(data) > 0:
        return all(isinstance(item, PillowImage.Image) or _is_pictures_array(item) for item in data)
    return False


def _is_pictures_array(item: Any) -> bool:
    return is_array(item) and len(item.shape) in (2, 3)


def _pictures(data: Any) -> PictureArray | PictureList:
    if is_array(data):
        return PictureArray(plain(data), WHERE, channels_first=is_tensor(data))
    arrays = [pixels_of(item) if isinstance(item, PillowImage.Image) else np.asarray(plain(item)) for item in data]
    if len({(array.shape, array.dtype) for array in arrays}) == 1:
        tensors = any(is_tensor(item) for item in data)
        return PictureArray(np.stack(arrays), WHERE, channels_first=tensors)
    for i, array in enumerate(arrays):
        if array.dtype != np.uint8 or (array.ndim == 3 and array.shape[2] not in (1, 3, 4)) or array.size == 0:
            why = f"picture {i} has shape {array.shape} of {array.dtype}"
            hints = ("make them uint8 (H, W), (H, W, 3) or (H, W, 4)", "or give all of them one shape and type")
            raise DataError("E-DATA-04", "pictures of several sizes must be uint8", where=WHERE, why=why, hints=hints)
    return PictureList(arrays)
