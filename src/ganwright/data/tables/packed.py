"""Lists of numbers and words of many columns as two tensors, so that a file's header need not hold them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganwright.data.tables.columns import Column, FixedColumn, MeasuredColumn, WordColumn

TYPES: dict[str, type[Column]] = {kind.type: kind for kind in (MeasuredColumn, WordColumn, FixedColumn)}
MOST_WORD_BYTES = 256 << 20


def pack_columns(columns: Sequence[Column]) -> tuple[list[dict[str, Any]], dict[str, Tensor]]:
    """(plain JSON values of each column, {"numbers": float64 (n,), "words": uint8 (m,)})."""
    plain: list[dict[str, Any]] = []
    numbers: list[np.ndarray] = []
    words: list[dict[str, list[str]]] = []
    for column in columns:
        lists = column.numbers()
        plain.append({"type": column.type, **column.state(), "lists": {name: len(each) for name, each in lists.items()}})
        numbers += lists.values()
        words.append(column.words())
    text = json.dumps(words, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return plain, {
        "numbers": torch.from_numpy(np.concatenate([np.empty(0), *numbers]).astype(np.float64)),
        "words": torch.from_numpy(np.frombuffer(text, np.uint8).copy()),
    }


def unpack_columns(plain: Sequence[Mapping[str, Any]], tensors: Mapping[str, Tensor]) -> list[Column]:
    """The columns again.

    Raises:
        ValueError, TypeError, KeyError: `pack_columns` cannot have given this.
    """
    if (
        set(tensors) != {"numbers", "words"}
        or tensors["numbers"].dtype != torch.float64
        or tensors["words"].dtype != torch.uint8
    ):
        raise ValueError("not the tensors of a table's codec")
    numbers = tensors["numbers"].cpu().numpy()
    if tensors["words"].numel() > MOST_WORD_BYTES or numbers.ndim != 1 or tensors["words"].ndim != 1:
        raise ValueError("not the tensors of a table's codec")
    try:
        words = json.loads(tensors["words"].cpu().numpy().tobytes().decode("utf-8", "surrogatepass"))
    except RecursionError:
        raise ValueError("words must be text") from None
    if not isinstance(words, list) or len(words) != len(plain):
        raise ValueError("every column needs its words")
    columns: list[Column] = []
    at = 0
    for state, of_column in zip(plain, words, strict=True):
        if not isinstance(of_column, dict) or not isinstance(state, dict) or not isinstance(state["lists"], dict):
            raise TypeError("every column needs its state, its numbers and its words")
        lists: dict[str, np.ndarray] = {}
        for name, length in state["lists"].items():
            if type(length) is not int or not 0 <= length <= len(numbers) - at:
                raise ValueError("a column has more numbers than there are")
            lists[name], at = numbers[at : at + length], at + length
        if not all(isinstance(each, list) and all(isinstance(word, str) for word in each) for each in of_column.values()):
            raise ValueError("words must be text")
        own = {name: value for name, value in state.items() if name not in ("type", "lists")}
        columns.append(TYPES[state["type"]].from_state(own, lists, of_column))
    if at != len(numbers):
        raise ValueError("numbers are left over")
    return columns
