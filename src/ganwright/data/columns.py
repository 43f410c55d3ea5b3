"""Arrays that grow on disk row by row and are plain .npy files in the end."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

MAGIC = b"\x93NUMPY\x01\x00"
# The header is written twice, before and after the number of rows is known, so it has a fixed size with room to spare.
HEADER_BYTES = 256


class ColumnWriter:
    """Writes one column to `path` in pieces; never holds more than a piece in memory."""

    def __init__(self, path: Path, like: np.ndarray) -> None:
        self.rows = 0
        self._row_shape, self._dtype = like.shape[1:], like.dtype
        self._digest = hashlib.sha256(f"{self._row_shape}{self._dtype.str}".encode())
        self._file = path.open("wb")
        self._file.write(self._header())

    def append(self, piece: np.ndarray) -> None:
        """Adds rows of the shape and type that the first piece had."""
        assert (piece.shape[1:], piece.dtype) == (self._row_shape, self._dtype), (piece.shape, piece.dtype)
        content = np.ascontiguousarray(piece).data
        self._file.write(content)
        self._digest.update(content)
        self.rows += len(piece)

    def finish(self) -> str:
        """Completes the file; gives back the hex digest of its content."""
        self._file.seek(0)
        self._file.write(self._header())
        self._file.close()
        return self._digest.hexdigest()

    def abandon(self) -> None:
        """Closes the file as it is."""
        self._file.close()

    def _header(self) -> bytes:
        facts = {"descr": self._dtype.str, "fortran_order": False, "shape": (self.rows, *self._row_shape)}
        length = HEADER_BYTES - len(MAGIC) - 2
        return MAGIC + length.to_bytes(2, "little") + repr(facts).encode("latin-1").ljust(length - 1) + b"\n"
