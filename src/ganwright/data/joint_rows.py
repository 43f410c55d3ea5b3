"""What records of the data have of several conditions together, as a model file keeps it in a few letters.

Who is old is seldom a child with glasses: conditions that are drawn each by itself make combinations that no record has.
So some records' own ones are kept, and samples without a wish are drawn as one of these.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np

from ganwright.data.spec import MOST_ROW_LETTERS, Condition, unknown
from ganwright.runtime.keys import Key

MOST_ROWS = 4096
STEPS = (1 << 16) - 1
"""Between the ends of a number."""
BYTES_OF_PLACE = np.dtype("<u2")


def with_rows(conditions: Sequence[Condition], columns: dict[str, np.ndarray]) -> tuple[Condition, ...]:
    """The conditions with what up to 4,096 records have of them, evenly drawn; of labels and classes with fewer.

    Args:
        columns: by name, of equal length (N,) or (N, K); records of which something is unknown are passed over.
    """
    if not conditions or (len(conditions) == 1 and conditions[0].kind == "class"):
        return tuple(conditions)  # Its counts say all there is to say.
    known = ~np.logical_or.reduce([unknown(columns[each.name]) for each in conditions])
    places = np.flatnonzero(known)
    widest = max(_bytes(each) for each in conditions)
    most = min(MOST_ROWS, MOST_ROW_LETTERS // 4 * 3 // (widest * len(conditions)))
    some = np.sort(Key(0, turn="conditions").generator("rows").permutation(len(places))[:most])
    return tuple(replace(each, rows=_written(each, np.asarray(columns[each.name])[places[some]])) for each in conditions)


def rows_of(condition: Condition) -> np.ndarray:
    """The kept rows: int64 (R,) of a class, float32 (R, K) of labels, float32 (R,) of a number.

    Raises:
        ValueError: they are not what `with_rows` writes.
    """
    return _rows(condition.kind, condition.rows, len(condition.classes))


def check_rows(conditions: Sequence[Condition]) -> None:
    """Raise ValueError unless the conditions' rows are sound, and as many of each; a stranger's file may lie."""
    counts = {len(rows_of(condition)) for condition in conditions}
    if len(counts) > 1:
        raise ValueError("the conditions do not keep the same number of rows")


def _bytes(condition: Condition) -> int:
    return -(-len(condition.classes) // 8) if condition.kind == "labels" else 2


def _written(condition: Condition, column: np.ndarray) -> str:
    if condition.kind == "labels":
        content = np.packbits(column > 0.5, axis=1).tobytes()
    elif condition.kind == "number":
        content = np.rint((column.astype(np.float64) + 1) / 2 * STEPS).clip(0, STEPS).astype(BYTES_OF_PLACE).tobytes()
    else:
        content = column.astype(BYTES_OF_PLACE).tobytes()
    return base64.b64encode(content).decode("ascii")


@lru_cache(maxsize=64)
def _rows(kind: str, text: str, classes: int) -> np.ndarray:
    try:
        content = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(f"the rows of a condition are damaged: {error}") from None
    width = -(-classes // 8) if kind == "labels" else 2
    if len(content) % width or len(content) // width > MOST_ROWS:
        raise ValueError(f"the rows of a condition take {len(content)} bytes, not {width} each for at most {MOST_ROWS}")
    if kind == "labels":
        bits = np.frombuffer(content, np.uint8).reshape(-1, width)
        rows = np.unpackbits(bits, axis=1, count=classes).astype(np.float32)
    elif kind == "number":
        rows = (np.frombuffer(content, BYTES_OF_PLACE) / STEPS * 2 - 1).astype(np.float32)
    else:
        rows = np.frombuffer(content, BYTES_OF_PLACE).astype(np.int64)
        if len(rows) and rows.max() >= classes:
            raise ValueError(f"the rows of a condition name class {rows.max()}, and there are {classes}")
    rows.flags.writeable = False
    return rows
