"""What codecs know of records beside their content: conditions of every kind, and records' values as columns."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np

from ganwright.core.config import from_plain, to_plain
from ganwright.core.errors import UsageError
from ganwright.data.classes import LABEL, LONGEST_CLASS_NAME, MOST_CLASSES, MOST_RECORDS, Classes
from ganwright.data.record import Record, Skipped, Value
from ganwright.data.spec import Condition, unknown
from ganwright.data.tables.numbers_in_text import parse_numbers, stands_for_nothing

MOST_CONDITIONS = 64
LONGEST_NAME = 100
YES = frozenset({"yes", "true", "y", "t", "on", "1"})
NO = frozenset({"no", "false", "n", "f", "off", "0", "-1"})


@dataclass(frozen=True)
class Told:
    """The conditions of a data set; none where nothing is known of its records, or of all the same."""

    conditions: tuple[Condition, ...] = ()
    only_known: bool = False
    """Whether records of which something is not known are left out."""
    _places: Mapping[str, Mapping[str, int]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        places = {each.name: {name: i for i, name in enumerate(each.classes)} for each in self.conditions}
        object.__setattr__(self, "_places", places)

    @classmethod
    def of(cls, known: Told | Classes | Sequence[str]) -> Told:
        """Of classes alone, or of their names."""
        if isinstance(known, Told):
            return known
        return cls((known if isinstance(known, Classes) else Classes(tuple(known))).conditions)

    def columns(self, records: Sequence[Record]) -> dict[str, np.ndarray]:
        """What is known of the records, as `Condition` says, by the condition's name."""
        return {condition.name: self._column(condition, records) for condition in self.conditions}

    def without_unknown(self, records: Sequence[Record]) -> tuple[list[Record], list[Skipped]]:
        """The records that are to be used, and those that are left out since not everything is known of them."""
        if not self.only_known:
            return list(records), []
        columns = self.columns(records)
        lacking = {name: unknown(column) for name, column in columns.items()}
        kept: list[Record] = []
        skipped: list[Skipped] = []
        for i, record in enumerate(records):
            missing = next((name for name, rows in lacking.items() if rows[i]), None)
            if missing is None:
                kept.append(record)
            else:
                skipped.append(Skipped(record.name, f"{missing} not known"))
        return kept, skipped

    def state(self) -> dict[str, Any]:
        """Plain JSON values."""
        if self.only_known or any((each.name, each.kind) != (LABEL, "class") for each in self.conditions):
            return {"conditions": to_plain(self.conditions), "only_known": self.only_known}
        (only,) = self.conditions or (Condition(LABEL),)
        return Classes(only.classes, only.counts).state()

    @classmethod
    def taken_from(cls, values: dict[str, Any]) -> Self:
        """The conditions again; what `state` gave is taken out of `values`.

        Raises:
            ValueError, UsageError: `state` cannot have given it.
        """
        if "conditions" not in values:
            return cls(Classes.taken_from(values).conditions)
        conditions = from_plain(tuple[Condition, ...], values.pop("conditions"), "conditions")
        only_known = from_plain(bool, values.pop("only_known", False), "only_known")
        check(conditions)
        return cls(conditions, only_known)

    def _column(self, condition: Condition, records: Sequence[Record]) -> np.ndarray:
        values = [record.conditions.get(condition.name, "") for record in records]
        places = self._places[condition.name]
        if condition.kind == "class":
            return np.array([places.get(value, -1) if isinstance(value, str) else -1 for value in values], np.int64)
        if condition.kind == "number":
            return condition.scaled(numbers_of([value if isinstance(value, str) else "" for value in values]))
        column = np.full((len(records), len(places)), np.nan, np.float32)
        for row, (record, value) in enumerate(zip(records, values, strict=True)):
            if isinstance(value, tuple):
                column[row] = 0
                for name in value:
                    if name in places:
                        column[row, places[name]] = 1
            else:
                column[row] = [yes_or_no(record.conditions.get(name, "")) for name in condition.classes]
        return column


def check(conditions: Sequence[Condition]) -> None:
    """Raise ValueError unless the conditions of a stranger's file are such as `found` gives."""
    if len(conditions) > MOST_CONDITIONS or len({each.name for each in conditions}) != len(conditions):
        raise ValueError(f"there must be at most {MOST_CONDITIONS} conditions of different names")
    for each in conditions:
        if not 1 <= len(each.name) <= LONGEST_NAME:
            raise ValueError(f"the name of a condition must have 1..{LONGEST_NAME} letters")
        if len(each.classes) > MOST_CLASSES or len(set(each.classes)) != len(each.classes):
            raise ValueError(f"condition {each.name!r} must have at most {MOST_CLASSES} different classes")
        if any(len(name) > LONGEST_CLASS_NAME for name in each.classes):
            raise ValueError(f"each class of {each.name!r} must be a name of at most {LONGEST_CLASS_NAME} characters")
        if any(count > MOST_RECORDS for count in each.counts):
            raise ValueError(f"condition {each.name!r} counts more than {MOST_RECORDS} records")


def counted(condition: Condition, column: np.ndarray) -> Condition:
    """The condition with how many of these records, all of them known, are of each class, or have each label."""
    if condition.kind == "number":
        return condition
    counts = column.sum(0) if condition.kind == "labels" else np.bincount(column, minlength=len(condition.classes))
    return replace(condition, counts=tuple(int(count) for count in counts))


def yes_or_no(value: Value) -> float:
    """1 for yes, 0 for no, NaN for anything else: "true", "0", "1.0", ..."""
    if not isinstance(value, str):
        return math.nan
    word = value.strip().lower()
    word = word.removesuffix(".0")
    return 1.0 if word in YES else 0.0 if word in NO else math.nan


def numbers_of(values: Sequence[str]) -> np.ndarray:
    """float64 (n,): NaN where there is none."""
    cells = np.empty(len(values), object)
    cells[:] = values
    return parse_numbers(cells)


def is_nothing(value: Value) -> bool:
    """Whether a value says that there is none."""
    return isinstance(value, str) and (not value.strip() or stands_for_nothing(value))


def parse_asked(asked: Sequence[str]) -> dict[str, str]:
    """What a user says of columns, such as "age=number" or "smiling,glasses=labels", as the kind of each.

    Raises:
        UsageError: no such kind, or one column twice.
    """
    kinds: dict[str, str] = {}
    for text in asked:
        names, sign, kind = text.rpartition("=")
        if not sign or not names.strip() or kind.strip() not in KINDS:
            hints = (
                "age=number",
                "breed=class",
                "smiling,glasses=labels",
                "id=none leaves it out",
                f"kinds: {', '.join(KINDS)}",
            )
            raise UsageError("E-LABEL-01", f"{text!r} says no kind of a condition", hints=hints)
        for name in names.split(","):
            if kinds.setdefault(name.strip(), kind.strip()) != kind.strip():
                raise UsageError("E-LABEL-01", f"two kinds are said of condition {name.strip()!r}")
    return kinds


KINDS = ("class", "labels", "number", "degrees", "none")
"""That a user may say; degrees are numbers in a circle of 360."""
