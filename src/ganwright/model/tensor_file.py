"""Reading a safetensors file that may come from a stranger, and writing one of our own.

The safetensors library refuses most damage by itself, but accepts headers of 100 MB, duplicate keys and millions of empty
tensors. Everything here is checked before the library, or any allocation that follows the file's word, comes in.
"""

from __future__ import annotations

import math
import os
import re
import shlex
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from ganwright.core.errors import ModelFileError
from ganwright.core.strict_json import strict_json

MAX_HEADER_BYTES = 1 << 20
MAX_TENSORS = 10_000
MAX_DIMENSIONS = 8
ITEM_BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}

# How files of other kinds begin, so that the message can name them.
_FOREIGN = {
    b"PK\x03\x04": "a zip archive (a PyTorch checkpoint, perhaps)",
    b"\x80\x02": "a Python pickle",
    b"\x80\x03": "a Python pickle",
    b"\x80\x04": "a Python pickle",
    b"\x80\x05": "a Python pickle",
    b"\x89HDF": "an HDF5 file (a Keras model, perhaps)",
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"<!DO": "a web page",
    b"<htm": "a web page",
}


@dataclass(frozen=True)
class TensorEntry:
    """What the header says of one tensor, verified against the file's size."""

    dtype: str
    shape: tuple[int, ...]


def read_header(path: Path) -> tuple[dict[str, TensorEntry], dict[str, str]]:
    """The tensors and the metadata of the safetensors file at `path`; no tensor is read.

    Raises:
        ModelFileError: it is no such file, or one that does not fit together; nothing has been allocated for it.
    """
    refuse = _refusal(path)
    try:
        size = os.path.getsize(path)
        with path.open("rb") as file:
            start = file.read(8)
            if len(start) < 8:
                refuse(f"it has only {len(start)} bytes")
            (length,) = struct.unpack("<Q", start)
            if length > min(MAX_HEADER_BYTES, size - 8):
                # Only now, as the length of a good header may begin with the two bytes of a pickle.
                foreign = next((what for magic, what in _FOREIGN.items() if start.startswith(magic)), None)
                if foreign:
                    refuse(f"it is {foreign}; it was not opened")
                refuse(
                    f"its header claims {length:,} bytes; the file has {size:,} and a header may have {MAX_HEADER_BYTES:,}"
                )
            text = file.read(length)
    except OSError as error:
        refuse(error.strerror or str(error))
    header = _parse(text, refuse)
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        refuse("its metadata is not text")
    if len(header) > MAX_TENSORS:
        refuse(f"it lists {len(header):,} tensors; {MAX_TENSORS:,} are allowed")
    return _verified(header, size - 8 - length, refuse), metadata


def _parse(text: bytes, refuse: Callable[[str], NoReturn]) -> dict[str, Any]:
    try:
        header = strict_json(text.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        refuse(f"its header is not valid JSON ({error})")
    if not isinstance(header, dict):
        refuse("its header is not a JSON object")
    return header


def _verified(header: dict[str, Any], data_bytes: int, refuse: Callable[[str], NoReturn]) -> dict[str, TensorEntry]:
    """The entries, once their extents tile the data exactly: no overlap, no hole, nothing left over."""
    entries: dict[str, TensorEntry] = {}
    extents: list[tuple[int, int]] = []
    for name, entry in header.items():
        if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
            refuse(f"tensor {name!r} is not described as it should be")
        dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
        if not isinstance(dtype, str) or dtype not in ITEM_BYTES:
            refuse(f"tensor {name!r} has the unknown type {str(dtype)[:40]!r}")
        if not _whole_numbers(shape, MAX_DIMENSIONS) or not _whole_numbers(offsets, 2) or len(offsets) != 2:
            refuse(f"tensor {name!r} has no valid shape or place")
        if offsets[1] - offsets[0] != math.prod(shape) * ITEM_BYTES[dtype]:
            refuse(f"tensor {name!r} does not fill its place")
        entries[name] = TensorEntry(dtype, tuple(shape))
        extents.append((offsets[0], offsets[1]))
    end = 0
    for start, stop in sorted(extents):
        if start != end:
            refuse("its tensors overlap or leave holes")
        end = stop
    if end != data_bytes:
        refuse(f"its tensors end at byte {end:,} of {data_bytes:,}: it is cut off, or something was added")
    return entries


def _whole_numbers(values: Any, at_most: int) -> bool:
    if not isinstance(values, list) or len(values) > at_most:
        return False
    return all(isinstance(v, int) and not isinstance(v, bool) and 0 <= v < 1 << 48 for v in values)


def _refusal(path: Path) -> Callable[[str], NoReturn]:
    def refuse(why: str) -> NoReturn:
        hint = "a Ganwright model ends in .safetensors and is written by train or save"
        if path.suffix.lower() in (".h5", ".hdf5", ".keras"):
            hint = f"ganwright import {shlex.quote(str(path))}"
        raise ModelFileError("E-MODEL-01", f"{path} is not a usable model file", why=why, hints=(hint,))

    return refuse


def write_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: dict[str, str] | None = None) -> None:
    """A safetensors file of tensors in rows.

    Raises:
        OSError: the disk refuses, with its number: the library tells it in words.
    """
    try:
        save_file(dict(tensors), path, metadata=metadata)
    except SafetensorError as error:
        number = re.search(r"os error (\d+)", str(error))
        if number is None:
            raise
        raise OSError(int(number[1]), os.strerror(int(number[1])), str(path)) from error
