"""JSON from strangers."""

from __future__ import annotations

import json
import math
from typing import Any


def strict_json(text: str) -> Any:
    """The value that `text` describes.

    Raises:
        ValueError: it is no JSON, a key appears twice in one object, or a number is not one (NaN, Infinity, 1e999).
        RecursionError: it is nested absurdly deep.
    """
    return json.loads(text, object_pairs_hook=_unique_keys, parse_constant=_finite, parse_float=_finite)


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        raise ValueError("a key appears twice")
    return result


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is no finite number")
    return number
