"""Arrays as records, whatever they hold."""

from __future__ import annotations

import numpy as np

from ganwright.data.picture_arrays import PictureArray
from ganwright.data.row_arrays import RowArray


def records_of(array: np.ndarray, where: str, *, channels_first: bool = False) -> PictureArray | RowArray:
    """Pictures or rows, by the number of axes: rows have one or two.

    Raises:
        DataError: it can be neither.
    """
    return RowArray(array, where) if array.ndim in (1, 2) else PictureArray(array, where, channels_first)
