"""What the values beside the records are: classes, labels or numbers, found from all of them."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ganwright.core.errors import UsageError
from ganwright.core.suggest import unknown_name_hints
from ganwright.data.blocks import KNOWN
from ganwright.data.classes import LABEL, LONGEST_CLASS_NAME, MOST_CLASSES, Classes
from ganwright.data.picture_names import natural_key
from ganwright.data.record import Record, Value
from ganwright.data.spec import MOST_LABELS, Condition
from ganwright.data.told import LONGEST_NAME, MOST_CONDITIONS, Told, is_nothing, numbers_of, yes_or_no

LABELS = "labels"
"""What the condition is called that several columns of yes and no are together."""
FEW = 20
"""Different whole numbers up to which they are classes, if each comes twice at least."""
FEWEST_DIFFERENT = 20
"""Records from which on words that are different in most of them are names or captions, and no classes."""
MOST_COLUMNS = 4096
RESERVED = frozenset({"x", KNOWN})
"""What batches call other things by."""
MOST_SHOWN = 6
DEGREES = 360.0
ID_NAMES = re.compile(r"(.*[ _-])?(id|idx|index|uuid|key)|unnamed: \d+|", re.IGNORECASE)
"""Of columns that count rows, if no number in them comes twice."""


@dataclass
class _Column:
    """What is gathered of one column."""

    filled: int = 0
    words: Counter[str] = field(default_factory=Counter)
    """How often each value comes; no new ones once there are too many."""
    tags: Counter[str] = field(default_factory=Counter)
    lists: int = 0
    numbers: int = 0
    whole: bool = True
    low: float = math.inf
    high: float = -math.inf
    yes: Counter[float] = field(default_factory=Counter)

    def add(self, values: Sequence[Value]) -> None:
        words = [value for value in values if isinstance(value, str) and value]
        for value in values:
            if isinstance(value, tuple):
                self.lists += 1
                if len(self.tags) <= MOST_CLASSES:
                    self.tags.update(set(value))
        self.filled += len(words)
        if len(self.words) <= MOST_CLASSES:
            self.words.update(words)
        sure = [word for word in words if not is_nothing(word)]
        numbers = numbers_of(sure)
        found = numbers[np.isfinite(numbers)]
        self.numbers += len(found)
        if len(found):
            self.low, self.high = min(self.low, float(found.min())), max(self.high, float(found.max()))
            self.whole = self.whole and bool((found == np.rint(found)).all())
        if len(self.yes) <= 2:
            self.yes.update(2.0 if math.isnan(answer) else answer for answer in map(yes_or_no, sure))

    @property
    def meant(self) -> Counter[str]:
        """Without the words that stand for nothing."""
        return Counter({word: count for word, count in self.words.items() if not is_nothing(word)})

    @property
    def is_yes_or_no(self) -> bool:
        return set(self.yes) == {0.0, 1.0}


class Finder:
    """Looks at records' values, and says what conditions they are."""

    def __init__(self, asked: Mapping[str, str], only_known: bool = False) -> None:
        """`asked` is what a user says of columns, as `parse_asked` gives it."""
        self._asked, self._only_known = dict(asked), only_known
        self._columns: dict[str, _Column] = {}
        self._left_out: dict[str, str] = {}

    def look(self, records: Sequence[Record]) -> None:
        """Some more records."""
        values: dict[str, list[Value]] = {}
        for record in records:
            for name, value in record.conditions.items():
                values.setdefault(name, []).append(value)
        for name, some in values.items():
            if len(self._columns) < MOST_COLUMNS or name in self._columns:
                self._columns.setdefault(name, _Column()).add(some)

    def found(self) -> tuple[Told, list[str]]:
        """The conditions, and what a user should know of them, in sentences.

        Raises:
            DataError: too many classes, or a class that is no name.
            UsageError: something was said of a column that is not there, or that it cannot be.
        """
        for name in self._asked:
            if name not in self._columns:
                hints = unknown_name_hints(name, self._columns) if self._columns else ("labels.csv beside the pictures",)
                raise UsageError("E-LABEL-02", f"nothing is known of records by the name of {name!r}", hints=hints)
        kinds = {name: self._kind(name, column) for name, column in self._columns.items()}
        yes = [name for name, kind in kinds.items() if kind == "yes"]
        if len(yes) == 1 and self._asked.get(yes[0]) != "labels":
            kinds[yes[0]] = "class"
        conditions: list[Condition] = []
        for name, kind in kinds.items():
            if kind in ("class", "number", "degrees", "tags") and (condition := self._condition(name, kind)) is not None:
                conditions.append(condition)
        answers = [name for name, kind in kinds.items() if kind == "yes"][:MOST_LABELS]
        if answers:
            taken = {each.name for each in conditions}
            name = next(each for each in (LABELS, "yes or no", "answers", *map(str, range(99))) if each not in taken)
            counts = tuple(int(self._columns[each].yes[1.0]) for each in answers)
            conditions.append(Condition(name, tuple(answers), counts, "labels"))
        # The first class is what the rows of a picture show, and what samples are read for.
        order = {"class": 0, "labels": 2, "number": 3}
        conditions.sort(key=lambda each: (each.name != LABEL, order[each.kind] + (each.name in yes)))
        conditions = conditions[:MOST_CONDITIONS]
        return Told(tuple(conditions), self._only_known), self._notes(conditions)

    def _kind(self, name: str, column: _Column) -> str:
        """What a column is: class, number, degrees, tags (lists of labels), yes (one label of several), or none."""
        asked = self._asked.get(name)
        if asked != "none" and (name in RESERVED or not 1 <= len(name) <= LONGEST_NAME):
            return self._none(name[:LONGEST_NAME], "call it something else")
        if asked == "labels":
            if not column.lists and not set(column.yes) <= {0.0, 1.0}:
                raise UsageError("E-LABEL-03", f"{name!r} is no label: it holds other words than yes and no")
            return "tags" if column.lists else "yes"
        if asked in ("number", "degrees") and not column.numbers:
            raise UsageError("E-LABEL-03", f"{name!r} is no number: none is in it")
        if asked is not None:
            return asked
        if column.lists:
            return "tags"
        meant = column.meant
        if len(meant) < 2 and column.low >= column.high:
            return self._none(name, "the same everywhere")
        if name == LABEL and not (column.numbers == column.filled and not column.whole and len(meant) > FEW):
            return "class"
        if column.is_yes_or_no:
            return "yes"
        if column.whole and max(column.words.values()) == 1 and ID_NAMES.fullmatch(name):
            return self._none(name, "another in every record: an id")
        if column.numbers == sum(meant.values()) or (column.numbers and len(column.words) > MOST_CLASSES):
            few = column.whole and len(meant) <= FEW and 2 * len(meant) <= column.numbers
            return "class" if few else "number"
        if len(meant) > MOST_CLASSES or (column.filled >= FEWEST_DIFFERENT and 2 * len(meant) > column.filled):
            return self._none(name, "different words in most records")
        return "class"

    def _condition(self, name: str, kind: str) -> Condition | None:
        column = self._columns[name]
        if kind == "degrees":
            return Condition(name, kind="number", low=0.0, high=DEGREES, circular=True)
        if kind == "number":
            if column.low >= column.high:
                self._none(name, "the same everywhere")
                return None
            return Condition(name, kind="number", low=column.low, high=column.high)
        if kind == "tags":
            tags = [tag for tag, _ in column.tags.most_common() if len(tag) <= LONGEST_CLASS_NAME][:MOST_LABELS]
            if not tags:
                self._none(name, "no labels in it")
                return None
            names = sorted(tags, key=natural_key)
            return Condition(name, tuple(names), tuple(column.tags[tag] for tag in names), "labels")
        words = column.words if name == LABEL else column.meant
        classes = Classes.found(words)
        return Condition(name, classes.names, classes.counts) if classes.names else None

    def _none(self, name: str, why: str) -> str:
        self._left_out[name] = why
        return "none"

    def _notes(self, conditions: Sequence[Condition]) -> list[str]:
        """What was found, where that is more than one class of each record, as folders tell it."""
        notes: list[str] = []
        if any((each.name, each.kind) != (LABEL, "class") for each in conditions):
            notes.append("known of each: " + " · ".join(map(in_words, conditions)))
        out = [f"{name} ({why})" for name, why in self._left_out.items() if name != LABEL]
        if out:
            more = f" and {len(out) - MOST_SHOWN:,} more" if len(out) > MOST_SHOWN else ""
            notes.append(f"not used as conditions: {', '.join(out[:MOST_SHOWN])}{more}")
        return notes


def in_words(condition: Condition) -> str:
    """ "age, a number from 18 to 90"; "breed, one of 5 classes"; "labels, any of 3 (hat, glasses, ...)"."""
    if condition.kind == "number":
        angle = ", an angle" if condition.circular else ""
        return f"{condition.name}, a number from {condition.low:g} to {condition.high:g}{angle}"
    if condition.kind == "class":
        return f"{condition.name}, one of {len(condition.classes):,} classes"
    more = ", ..." if len(condition.classes) > MOST_SHOWN else ""
    return f"{condition.name}, any of {len(condition.classes):,} ({', '.join(condition.classes[:MOST_SHOWN])}{more})"
