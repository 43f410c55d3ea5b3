"""Batches that someone else's iterable gives, checked one after the other: a DataLoader, a generator, ..."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

import numpy as np

from ganwright.core.errors import DataError
from ganwright.data.in_memory import is_array, is_frame, is_series, is_tensor, labels_of, plain

BATCHES = "the batches given"
LOADER_HINT = "give batches: torch.utils.data.DataLoader(data, batch_size=256)"
FORMS = "pictures (B, H, W), (B, H, W, C) or (B, C, H, W), or rows (B, D); alone, or as (batch, labels)"


@dataclass(frozen=True)
class Batch:
    """Some records at once."""

    values: np.ndarray
    """(B, ...)"""
    labels: list[str] | None
    """(B,), where the batches have labels."""
    channels_first: bool
    """Whether pictures are (B, C, H, W) where their axes could be read both ways: so it is in tensors."""


def gives_batches(data: Any) -> bool:
    """Whether `data` can be iterated over and is nothing that is read as a whole: no list, array, table, text or path."""
    whole = (Sequence, Mapping, Set, np.ndarray, os.PathLike, bytearray, memoryview, type)
    if isinstance(data, whole) or is_tensor(data) or is_frame(data) or is_series(data):
        return False
    return isinstance(data, Iterable)


def read_batches(data: Iterable[Any], like: Batch | None = None) -> Iterator[Batch]:
    """Its batches, those without a record left out; what iterating itself raises is passed on.

    Args:
        like: a batch that all must be like; by default the first.

    Raises:
        DataError: something that is no batch, or one of another shape, type or kind than the others.
    """
    for number, item in enumerate(data):
        batch = _batch(item, number)
        if like is None:
            _refuse_single_pictures(batch, number)
        else:
            _compare(batch, like, number)
        if len(batch.values):
            like = like or batch
            yield batch


def _batch(item: Any, number: int) -> Batch:
    values, labels = item, None
    if isinstance(item, tuple | list):
        if len(item) not in (1, 2):
            why = f"it is a {type(item).__name__} of {len(item)} things; expected (batch,) or (batch, labels)"
            raise _no_batch(number, why)
        values, labels = item if len(item) == 2 else (item[0], None)
    if not is_array(values):
        raise _no_batch(number, f"it is of type {type(values).__name__}; expected an array or a tensor of {FORMS}")
    array = np.asarray(plain(values))
    if array.dtype.kind not in "buif":
        raise _no_batch(number, f"its values are of type {array.dtype}")
    if labels is not None and np.ndim(plain(labels)) == 0:
        hints = (LOADER_HINT,)
        raise _no_batch(number, f"it is one record of shape {array.shape} with the label {str(labels)[:40]}", hints)
    if array.ndim < 2:
        hints = (LOADER_HINT, "one number a record: make the batches (B, 1)")
        raise _no_batch(number, f"its shape is {array.shape}; expected {FORMS}", hints)
    names = None if labels is None else labels_of(labels, f"batch {number}")
    if names is not None and len(names) != len(array):
        raise _no_batch(number, f"it has {len(array)} records and {len(names)} labels")
    return Batch(array, names, is_tensor(values))


def _refuse_single_pictures(batch: Batch, number: int) -> None:
    """A picture (H, W, 3), or a tensor (3, H, W), is taken for what it most likely is, not for a batch of grey ones."""
    shape = batch.values.shape
    if len(shape) == 3 and (shape[2] in (3, 4) or (batch.channels_first and shape[0] == 3)):
        hints = (LOADER_HINT, "three grey pictures: make the batches (B, 1, H, W)")
        raise _no_batch(number, f"its shape, {shape}, is that of a single picture", hints)


def _compare(batch: Batch, like: Batch, number: int) -> None:
    found, expected = batch.values, like.values
    if found.shape[1:] != expected.shape[1:]:
        why = f"records have shape {found.shape[1:]} in batch {number}, and {expected.shape[1:]} before"
        raise DataError("E-DATA-04", f"batch {number} has another shape", where=BATCHES, why=why)
    if found.dtype != expected.dtype:
        why = f"values are {found.dtype} in batch {number}, and {expected.dtype} before"
        raise DataError("E-DATA-04", f"batch {number} has another type of values", where=BATCHES, why=why)
    if (batch.labels is None) != (like.labels is None):
        has, had = ("none", "some") if batch.labels is None else ("some", "none")
        why = f"batch {number} has {has}, those before have {had}"
        raise DataError("E-DATA-04", "some batches have labels and some do not", where=BATCHES, why=why)


def _no_batch(number: int, why: str, hints: tuple[str, ...] = ()) -> DataError:
    return DataError("E-DATA-04", f"batch {number} is no batch of records", where=BATCHES, why=why, hints=hints)
