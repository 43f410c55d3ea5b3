"""Arrays of pictures, whatever their number type and order of axes, as 8-bit pixels."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from ganwright.core.errors import DataError

CHANNELS = (1, 3, 4)
# Resampling filters overshoot a little, so a float picture may leave its range by this much.
SLACK = 1e-3
CHUNK_VALUES = 1 << 24


class PictureArray:
    """A view of (N, H, W), (N, H, W, C) or (N, C, H, W) that gives uint8 (n, H, W) or (n, H, W, C).

    Floats must be 0..1, -1..1, or whole numbers 0..255; integers 0..255 or 16-bit. Which of them is decided once, over all
    values, so that a dark picture is not brightened on its own. The array may be a memory map: it is read in pieces.

    Raises:
        DataError: another number of axes, an empty array, values that are not finite or outside these ranges.
    """

    noun: ClassVar[str] = "picture"
    columns: tuple[str, ...] = ()

    def __init__(self, array: np.ndarray, where: str, channels_first: bool = False) -> None:
        self.notes: list[str] = []
        self.clipped = 0
        """How many of the values given to `convert` lay beyond the range that was found."""
        self._channels_first = False
        self._array = self._laid_out(array, where, channels_first)
        if array.size == 0 or len(array) == 0:
            raise DataError("E-DATA-04", "no pictures in the array", where=where, why=f"its shape is {array.shape}")
        self._scale, self._shift = self._range(where)

    def __len__(self) -> int:
        return len(self._array)

    def read(self, start: int, stop: int) -> np.ndarray:
        """Pictures start..stop-1 as uint8 (n, H, W) or (n, H, W, C)."""
        values = self._array[start:stop]
        if self._scale == 1 and self._shift == 0:
            return np.ascontiguousarray(values.astype(np.uint8))
        return np.ascontiguousarray(np.clip(np.rint(self._scaled(values)), 0, 255).astype(np.uint8))

    def convert(self, array: np.ndarray) -> np.ndarray:
        """Finite values of the same axes and type that came later, scaled as these are and clipped to 0..255."""
        values = np.moveaxis(array, 1, 3) if self._channels_first else array
        if values.dtype == np.uint8 and self._scale == 1:
            return np.ascontiguousarray(values)
        scaled = self._scaled(values)
        self.clipped += int(np.count_nonzero((scaled < -SLACK * 255) | (scaled > 255 * (1 + SLACK))))
        return np.ascontiguousarray(np.clip(np.rint(scaled), 0, 255).astype(np.uint8))

    def _scaled(self, values: np.ndarray) -> np.ndarray:
        # float64 for 16-bit integers, so that v / 257 rounds as it should.
        kind = np.float32 if values.dtype.itemsize <= 4 and values.dtype.kind == "f" else np.float64
        return (values.astype(kind) + kind(self._shift)) * kind(self._scale)

    def _laid_out(self, array: np.ndarray, where: str, channels_first: bool) -> np.ndarray:
        if array.dtype.kind not in "buif":
            raise DataError("E-DATA-04", f"pictures cannot be made of {array.dtype} values", where=where)
        if array.ndim == 3:
            return array
        if array.ndim == 4:
            last, first = array.shape[3] in CHANNELS, array.shape[1] in CHANNELS
            if first and (channels_first or not last):
                self._channels_first = True
                self.notes.append(f"shape {array.shape} read as (pictures, channels, height, width)")
                return np.moveaxis(array, 1, 3)
            if last:
                return array
        why = f"its shape is {array.shape}; expected (N, H, W), (N, H, W, C) or (N, C, H, W) with 1, 3 or 4 channels"
        raise DataError("E-DATA-04", "the array does not look like pictures", where=where, why=why)

    def _range(self, where: str) -> tuple[float, float]:
        """(scale, shift) by which values become 0..255: pixel = (value + shift) * scale."""
        if self._array.dtype.kind == "b":
            return 255.0, 0.0
        low, high, whole = self._extremes(where)
        if self._array.dtype.kind == "f":
            if low >= -SLACK and high <= 1 + SLACK:
                return 255.0, 0.0
            if low >= -1 - SLACK and high <= 1 + SLACK:
                self.notes.append("values from -1 to 1 stretched to 0 to 255")
                return 127.5, 1.0
        elif high == 1 and low >= 0:
            self.notes.append("values are only 0 and 1: taken as black and white")
            return 255.0, 0.0
        if whole and low >= 0 and high <= 255:
            if high < 64:
                self.notes.append(f"the brightest value is {high:g} of 255: the pictures will be dark")
            return 1.0, 0.0
        if self._array.dtype.kind in "ui" and low >= 0 and high <= 65535:
            self.notes.append("16-bit values rescaled to 8 bits")
            return 1 / 257, 0.0
        why = f"values lie between {low:g} and {high:g}" + ("" if whole else ", with fractions")
        hints = ("scale them to 0..1 (floats) or 0..255 (uint8)",)
        raise DataError("E-DATA-04", "cannot tell black from white in these numbers", where=where, why=why, hints=hints)

    def _extremes(self, where: str) -> tuple[float, float, bool]:
        """Smallest value, largest value, and whether all are whole numbers."""
        low, high, whole = np.inf, -np.inf, True
        step = max(1, CHUNK_VALUES // max(1, self._array[0].size))
        for start in range(0, len(self._array), step):
            values = self._array[start : start + step]
            low, high = min(low, float(values.min())), max(high, float(values.max()))
            if values.dtype.kind == "f":
                if not np.isfinite(values).all():
                    raise DataError("E-DATA-04", "the array holds values that are not finite", where=where)
                whole = whole and bool((values == np.rint(values)).all())
        return low, high, whole
