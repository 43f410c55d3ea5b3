"""Objects that a program holds, recognised without importing the libraries that they are from, as NumPy arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from ganwright.core.errors import DataError

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
        hints = ("give one whole number or string per record",)
        raise DataError("E-DATA-04", "cannot read the labels", where=where, why=why, hints=hints)
    values = values.astype(np.int64) if kind == "f" else values
    return [item.decode("utf-8", "replace") if isinstance(item, bytes) else str(item) for item in values.tolist()]


def _is_of_pandas(data: Any, name: str) -> bool:
    return any(base.__module__.split(".")[0] == "pandas" and base.__name__ == name for base in type(data).__mro__)
