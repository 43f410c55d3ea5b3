"""Classes as codecs keep them: names in natural order, how many records there are of each, places of records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from ganwright.core.errors import DataError
from ganwright.data.picture_names import natural_key
from ganwright.data.record import Record
from ganwright.data.spec import Condition

LABEL = "label"
MOST_CLASSES = 65_536
LONGEST_CLASS_NAME = 1024
MOST_RECORDS = 1 << 53


@dataclass(frozen=True)
class Classes:
    """The classes of a data set; none where records have no label, or all the same."""

    names: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()
    """Records of each; empty where they were not counted."""
    _places: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_places", {name: i for i, name in enumerate(self.names)})

    @classmethod
    def found(cls, labels: Mapping[str, int]) -> Self:
        """From how often each label occurs.

        Raises:
            DataError: too many labels, or one that is no name.
        """
        if len(labels) < 2:
            return cls()  # One class tells a network nothing.
        if len(labels) > MOST_CLASSES:
            raise DataError("E-DATA-05", f"{len(labels):,} different labels; at most {MOST_CLASSES:,} are possible")
        if any(len(label) > LONGEST_CLASS_NAME for label in labels):
            raise DataError("E-DATA-05", f"a label is longer than {LONGEST_CLASS_NAME:,} characters")
        names = sorted(labels, key=natural_key)
        return cls(tuple(names), tuple(labels[name] for name in names))

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """What a network may be told of them."""
        return (Condition(LABEL, self.names, self.counts),) if self.names else ()

    def column(self, records: Sequence[Record]) -> dict[str, np.ndarray]:
        """{"label": int64 (n,)}: the place of each record's class, -1 for none of these; {} without classes."""
        if not self.names:
            return {}
        return {
            LABEL: np.array([self._places.get(str(record.conditions.get(LABEL, "")), -1) for record in records], np.int64)
        }

    def state(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"classes": list(self.names), **({"counts": list(self.counts)} if self.counts else {})}

    @classmethod
    def taken_from(cls, values: dict[str, Any]) -> Self:
        """The classes again; what `state` gave is taken out of `values`.

        Raises:
            ValueError: `state` cannot have given it.
        """
        names, counts = values.pop("classes", []), values.pop("counts", [])
        if not isinstance(names, list) or len(names) > MOST_CLASSES or len(set(map(repr, names))) != len(names):
            raise ValueError(f"classes must be a list of at most {MOST_CLASSES} different names")
        if not all(isinstance(name, str) and len(name) <= LONGEST_CLASS_NAME for name in names):
            raise ValueError(f"each class must be a name of at most {LONGEST_CLASS_NAME} characters")
        if not isinstance(counts, list) or len(counts) not in (0, len(names)):
            raise ValueError("counts must be a list of one number per class")
        if not all(type(count) is int and 0 <= count <= MOST_RECORDS for count in counts) or (counts and not any(counts)):
            raise ValueError("counts must be whole numbers, one of them above zero")
        return cls(tuple(names), tuple(counts))
