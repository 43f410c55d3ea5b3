"""Numbers as users of Python give them: NumPy's are as good as Python's own, and anything else is told of by name."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

from ganwright.core.errors import UsageError


def unboxed(value: Any) -> Any:
    """The Python number in a NumPy scalar, or in an array or tensor of a single value without axes; all else as it is."""
    return value.item() if getattr(value, "shape", None) == () and hasattr(value, "item") else value


def whole_number(name: str, value: Any) -> int | None:
    """`value`, 5 or 5e3, as an int; None stays None.

    Raises:
        UsageError: it is no whole number.
    """
    value = unboxed(value)
    if value is None:
        return None
    whole = isinstance(value, Integral) or (isinstance(value, float) and value.is_integer())
    if isinstance(value, bool) or not whole:
        raise UsageError("E-SETTING-03", f"{name} must be a whole number, not {value!r}")
    return int(value)


def real_number(name: str, value: Any) -> float | None:
    """`value` as a float; None stays None.

    Raises:
        UsageError: it is no number.
    """
    value = unboxed(value)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, Real):
        raise UsageError("E-SETTING-03", f"{name} must be a number, not {value!r}")
    return float(value)
