"""What a column means, decided from the facts of all its rows, with the reason."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from ganwright.core.errors import UsageError
from ganwright.core.suggest import unknown_name_hints
from ganwright.core.text import printable
from ganwright.data.tables.facts import MOST_DIGITS, ColumnFacts

Kind = Literal["whole", "decimal", "category", "yes/no", "date", "id", "text", "constant", "empty"]
KINDS: tuple[str, ...] = get_args(Kind)
SYNONYMS = {
    "integer": "whole",
    "int": "whole",
    "number": "decimal",
    "float": "decimal",
    "boolean": "yes/no",
    "bool": "yes/no",
    "datetime": "date",
    "time": "date",
    "categorical": "category",
}
NUMBER_SHARE = 0.9
"""Of the cells with something in them: from there on a column holds numbers, and what else is there is missing."""
FEWEST_DIFFERENT = 20
"""Rows from which on a column where no two are alike names its rows."""
LONG_TEXT = 25
"""Characters that cells of free text have on average, at least."""
_PAIRS = ({"yes", "no"}, {"true", "false"}, {"y", "n"}, {"t", "f"}, {"on", "off"})
_KEY_NAME = re.compile(r"(^|[_\W])(id|ids|key|uuid|guid|index|no|nr|number|row)$|[a-z]I[dD]$", re.IGNORECASE)
_CAMEL_KEY = re.compile(r"[a-z](Id|ID|Key|No|Nr|Number)$")


@dataclass(frozen=True)
class Decision:
    """What a column is taken for."""

    kind: Kind
    reason: str
    """In a few words: "16 different words"."""
    pattern: str = ""
    """Of dates: how they are written."""
    notes: tuple[str, ...] = ()
    """What a user should know besides."""


def decide(facts: ColumnFacts, wanted: str | None = None) -> Decision:
    """The kind of a column, or the one that is wanted if the cells allow it.

    Raises:
        UsageError: no such kind, or hardly a cell is of it.
    """
    if wanted is not None:
        return _as_wanted(facts, wanted)
    filled = facts.rows - facts.empty
    if not filled:
        return Decision("empty", "nothing in it")
    if facts.held == "number" or _mostly_numbers(facts, filled):
        return _number(facts, filled)
    if facts.held == "time" or _are_dates(facts, filled):
        return _date(facts)
    mixed = (
        (f"{facts.name}: dates in several formats, taken as categories; write all in one to keep them dates",)
        if facts.dates.mixed
        else ()
    )
    return _word(facts, filled, mixed)


def check_wanted(columns: Mapping[str, str], names: Sequence[str]) -> None:
    """Raise UsageError unless every wanted kind is one, of a column that there is."""
    for name, kind in columns.items():
        if name not in names:
            raise UsageError("E-TABLE-01", f"there is no column {name!r}", hints=unknown_name_hints(name, names))
        if SYNONYMS.get(kind, kind) not in KINDS:
            hints = unknown_name_hints(kind, (*KINDS, *SYNONYMS))
            raise UsageError("E-TABLE-02", f"column {name!r} cannot be {kind!r}", hints=hints)


def _as_wanted(facts: ColumnFacts, wanted: str) -> Decision:
    kind = SYNONYMS.get(wanted, wanted)
    reason = "as you said"
    if kind in ("whole", "decimal"):
        if not facts.numbers.count:
            raise _impossible(facts, wanted, "no cell is a number")
        if kind == "whole" and not facts.numbers.whole:
            raise _impossible(
                facts, wanted, f"some of its numbers have decimals, {facts.numbers.low:g} to {facts.numbers.high:g}"
            )
        return Decision("whole" if kind == "whole" else "decimal", reason, notes=_not_numbers(facts))
    if kind == "date":
        if not facts.dates.best.numbers.count:
            raise _impossible(facts, wanted, "its cells have no format of dates that is known")
        return Decision("date", reason, (facts.dates.formats or ("",))[0])
    different = facts.numbers.counts if facts.held == "number" else facts.words.counts
    if kind in ("category", "yes/no", "constant") and different is None:
        raise _impossible(facts, wanted, "it has too many different words")
    if kind == "yes/no" and len(different or ()) != 2:
        raise _impossible(facts, wanted, f"it has {len(different or ()):,} different words")
    if (kind == "constant" and len(different or ()) != 1) or (kind == "empty" and facts.rows > facts.empty):
        raise _impossible(facts, wanted, "its cells differ")
    return Decision(kind, reason)  # type: ignore[arg-type]


def _impossible(facts: ColumnFacts, wanted: str, why: str) -> UsageError:
    return UsageError("E-TABLE-03", f"column {facts.name!r} cannot be taken as {wanted}", why=why)


def _mostly_numbers(facts: ColumnFacts, filled: int) -> bool:
    meant = filled - facts.nothing.total()
    return (
        facts.numbers.count > 0
        and facts.numbers.count >= NUMBER_SHARE * meant
        and not facts.leading_zeros
        and not facts.too_long
    )


def _number(facts: ColumnFacts, filled: int) -> Decision:
    numbers = facts.numbers
    missing = facts.rows - numbers.count
    if numbers.low == numbers.high and not missing:
        return Decision("constant", f"always {numbers.low:g}")
    if numbers.whole and numbers.is_key and numbers.count >= FEWEST_DIFFERENT and not missing:
        dense = numbers.high - numbers.low < 2 * numbers.count
        named = bool(_KEY_NAME.search(facts.name) or _CAMEL_KEY.search(facts.name))
        if dense or named:
            return Decision("id", "different in every row" + (", counting the rows" if dense else ""))
    notes = _not_numbers(facts)
    if numbers.whole and not any(each for each, count in facts.decimals.items() if count):
        return Decision("whole", f"whole numbers, {numbers.low:,.0f} to {numbers.high:,.0f}", notes=notes)
    digits, written = facts.usual_digits
    if 0 < digits <= MOST_DIGITS:
        what = f"with {digits} decimals"
    else:
        what = "nearly all whole" if facts.decimals and not written else "with decimals"
    return Decision("decimal", f"numbers {what}, {numbers.low:g} to {numbers.high:g}", notes=notes)


def _not_numbers(facts: ColumnFacts) -> tuple[str, ...]:
    if not facts.other_count:
        return ()
    where, text = facts.others[0]
    more = f", and {facts.other_count - 1:,} more" if facts.other_count > 1 else ""
    what = f"{facts.name}: {facts.other_count:,} of {facts.rows:,} are no numbers ({where}: {printable(text, 30)!r}{more})"
    return (f"{what}, taken as missing",)


def _are_dates(facts: ColumnFacts, filled: int) -> bool:
    return bool(facts.dates.formats) and facts.dates.best.numbers.count >= 0.95 * (filled - facts.nothing.total())


def _date(facts: ColumnFacts) -> Decision:
    best = facts.dates.best
    formats = list(facts.dates.formats) or [""]
    times = best.numbers
    if times.low == times.high and times.count == facts.rows and facts.held == "text":
        return Decision("constant", "always the same", formats[0])
    notes: list[str] = []
    if best.faults:
        where, text = best.faults[0]
        count = f"{best.fault_count:,} of {facts.rows:,} are no dates"
        notes.append(f"{facts.name}: {count} ({where}: {printable(text, 30)!r}), taken as missing")
    if len(formats) > 1 and {"%d", "%m"} <= {formats[0][:2], formats[1][:2]}:
        notes.append(f"{facts.name}: the day could be the month; taken as day first")
    return Decision("date", f"dates like {formats[0]}" if formats[0] else "dates", formats[0], tuple(notes))


def _word(facts: ColumnFacts, filled: int, notes: tuple[str, ...]) -> Decision:
    words, missing = facts.words, facts.empty
    average = words.letters / max(words.count, 1)
    if words.counts is None:
        return Decision("text", "too many different texts to count", notes=notes)
    count = len(words.counts)
    if count == 1 and not missing and facts.held != "truth":
        return Decision("constant", f"always {printable(next(iter(words.counts)), 30)!r}", notes=notes)
    if facts.held == "truth" or {word.lower() for word in words.counts} in _PAIRS:
        return Decision("yes/no", " or ".join(map(repr, sorted(map(str, words.counts)))), notes=notes)
    if words.all_different and filled >= FEWEST_DIFFERENT:
        return Decision("text" if average >= LONG_TEXT else "id", "different in every row", notes=notes)
    if count > 0.5 * filled and average >= LONG_TEXT and filled >= FEWEST_DIFFERENT:
        return Decision("text", f"{count:,} different texts of {average:.0f} characters", notes=notes)
    why = (
        "leading zeros"
        if facts.leading_zeros
        else "too long for numbers"
        if facts.too_long
        else f"{count:,} different words"
    )
    return Decision("category", why, notes=notes)
