"""Objects that a program holds, recognised without importing the libraries that they are from, as NumPy arrays."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from ganwright.core.errors import DataError
from ganwright.data.picture_names import printable
from ganwright.data.record import Value, value_of

WHERE = "the data given"


def is_tensor(data: Any) -> bool:
    """Whether it is a torch tensor."""
    # By its module, since importing torch to ask would take seconds.
    return any(base.__module__.startswith("torch") and base.__name__ == "Tensor" for base in type(data).__mro__)


def is_frame(data: Any) -> bool:
    """Whether it is a pandas DataFrame."""
    return _is_of_pandas(data, "DataFrame")


def is_series(data: Any) -> bool:
    """Whether it is a pandas Series."""
    return _is_of_pandas(data, "Series")


def is_array(data: Any) -> bool:
    """Whether it is a NumPy array or a torch tensor."""
    return isinstance(data, np.ndarray) or is_tensor(data)


def names_files(data: Any) -> bool:
    """Whether it is a list of paths at which there are files, and so no texts."""
    if not isinstance(data, list | tuple) or not data:
        return False
    ends = (data[0], data[-1])
    return all(isinstance(each, str | os.PathLike) and _is_file(os.fspath(each)) for each in ends)


def _is_file(path: Any) -> bool:
    try:
        return os.path.isfile(path)
    except ValueError:  # a text that no path could be
        return False


def plain(data: Any) -> Any:
    """A tensor as a NumPy array; everything else as it is."""
    if not is_tensor(data):
        return data
    data = data.detach().cpu()
    return (data.float() if "bfloat16" in str(data.dtype) else data).numpy()


def frame_values(frame: Any) -> tuple[np.ndarray, tuple[str, ...]]:
    """A DataFrame's float64 (N, D) and the names of its columns; missing values are NaN.

    Raises:
        DataError: a column that does not hold numbers.
    """
    pairs = list(zip(map(str, frame.columns), frame.dtypes, strict=True))
    others = [f"{name!r} ({dtype})" for name, dtype in pairs if getattr(dtype, "kind", "O") not in "buif"]
    if others:
        more = f" and {len(others) - 8:,} more" if len(others) > 8 else ""
        hints = ("give the table alone, its labels as a column of it",)
        what = "the DataFrame has columns that are not numbers, which cannot have labels beside them"
        raise DataError("E-DATA-04", what, where=", ".join(others[:8]) + more, hints=hints)
    return frame.to_numpy(dtype="float64", na_value=np.nan), tuple(name for name, _ in pairs)


def labels_of(labels: Any, where: str = WHERE) -> list[str]:
    """One name per record, from whole numbers or strings along one axis, (N,) or (N, 1).

    Raises:
        DataError: they are something else.
    """
    values = np.asarray(plain(labels))
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    kind = values.dtype.kind
    if kind == "O" and values.ndim == 1 and all(isinstance(item, str | int) for item in values):
        return [str(item) for item in values]  # Strings as pandas keeps them.
    if values.ndim != 1 or kind not in "biuUSf" or (kind == "f" and (np.rint(values) != values).any()):
        why = f"labels of shape {values.shape} and type {values.dtype}"
        hints = ("give one whole number or string per record", 'or {"age": numbers}, by name')
        raise DataError("E-DATA-04", "cannot read the labels", where=where, why=why, hints=hints)
    values = values.astype(np.int64) if kind == "f" else values
    return [item.decode("utf-8", "replace") if isinstance(item, bytes) else str(item) for item in values.tolist()]


def known_of(labels: Any, where: str = WHERE) -> list[str] | dict[str, list[Value]]:
    """What is given beside records: one label each, columns of what is known of each, or nothing.

    Raises:
        DataError: it is something else.
    """
    if labels is None:
        return []
    return conditions_of(labels, where) if is_frame(labels) or isinstance(labels, Mapping) else labels_of(labels, where)


def conditions_of(data: Any, where: str = WHERE) -> dict[str, list[Value]]:
    """What is known of each record, by name: from a DataFrame, or a mapping of names to arrays or lists.

    A column is (N,) numbers, words or truth values, (N, K) of 0 and 1 for labels of which a record may have several, or a
    list of N lists of labels. What is missing (None, NaN) is "".

    Raises:
        DataError: it is something else.
    """
    names = list(data.columns) if is_frame(data) else list(data)
    found: dict[str, list[Value]] = {}
    for name in names:
        if not isinstance(name, str) or not name.strip():
            raise DataError(
                "E-DATA-04", "what is known of the records has names that are no text", where=where, why=repr(name)
            )
        found[printable(name.strip())] = _values_of(data[name], name, where)
    return found


def _values_of(column: Any, name: str, where: str) -> list[Value]:
    if is_series(column):
        column = [None if missing else value for value, missing in zip(column.tolist(), column.isna().tolist(), strict=True)]
    array = plain(column)
    if isinstance(array, np.ndarray):
        if array.ndim == 2 and array.shape[1] == 1:
            array = array[:, 0]
        if (
            array.ndim not in (1, 2)
            or array.dtype.kind not in "biufUSO"
            or (array.ndim == 2 and array.dtype.kind not in "biuf")
        ):
            why = f"{name} has shape {array.shape} and type {array.dtype}"
            hints = ("(N,) of numbers or words, or (N, K) of 0 and 1 for labels",)
            raise DataError("E-DATA-04", f"cannot read {name!r}", where=where, why=why, hints=hints)
        array = list(array) if array.ndim == 2 else array.tolist()
    if not isinstance(array, list | tuple):
        raise DataError("E-DATA-04", f"cannot read {name!r}", where=where, why=f"it is of type {type(column).__name__}")
    return [value_of(value.decode("utf-8", "replace") if isinstance(value, bytes) else value) for value in array]


def _is_of_pandas(data: Any, name: str) -> bool:
    return any(base.__module__.split(".")[0] == "pandas" and base.__name__ == name for base in type(data).__mro__)
