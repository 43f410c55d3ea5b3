"""What was found in the data, what was left out and why, in a few lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ganwright.core.errors import DataError
from ganwright.data.record import Skipped
from ganwright.data.sources.base import Source
from ganwright.data.tables.asked import Asked

FEWEST_RECORDS = 4
MOST_EXAMPLES = 10
MOST_DETAILS = 4
FIRST_INDENT = "  "
PLURALS = {"value that is not a number": "values that are not numbers", "no row of numbers": "no rows of numbers"}
FIRST_NOUN = re.compile(r"\ba (\w+)|\b(picture|recording|sound|page|archive|folder|link|file|duplicate|text|row)\b(?= |$)")


@dataclass(frozen=True)
class SkippedGroup:
    """Records left out for one reason."""

    reason: str
    """As `Skipped` gives it: "not a picture (.txt)"."""
    count: int
    examples: tuple[str, ...] = ()
    """The first few names."""


@dataclass(frozen=True)
class DataReport:
    """The outcome of preparing data. Plain values only, so that it is kept as JSON."""

    name: str
    """What the data are called: "cats" for photos/cats/ or cats.zip."""
    place: str
    """Where the data lies, as the user put it."""
    noun: str
    """What the records are called: "pictures"."""
    found: int
    """Everything looked at: used and skipped."""
    used: int
    size: str
    """The shape and how it was chosen: "64x64 colour (the size of all pictures)"."""
    skipped: tuple[SkippedGroup, ...] = ()
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    """That preparing took, or opening it again."""
    cached: bool = False
    """Whether it was prepared on an earlier start."""
    reading: Asked = field(default_factory=Asked)
    """What a user said of how to read a table."""
    labels: str = ""
    """Where a file of labels lies that was given with the data."""
    streamed: bool = False
    """Whether these were only the first records of a stream."""

    def lines(self) -> list[str]:
        """The report for a terminal, without colours; each line may be wrapped by the caller."""
        how = "opened from the cache" if self.cached else "scanned"
        others = {group.reason.split(" (")[0] for group in self.skipped} & {"not a picture", "not a sound"}
        noun = "files" if others else self.noun
        what = f"Found {self.found:,} {noun} in {self.place}   {how}"
        if self.streamed:
            what = f"Looked at the first {self.found:,} {noun} of the stream   read"
        lines = [f"{what} in {self.seconds:.1f} s"]
        if self.skipped:
            lines.append(f"{FIRST_INDENT}use {self.used:,} · skip {self.found - self.used:,} → {reasons(self.skipped)}")
        lines += [f"{FIRST_INDENT}size  {self.size}"] if self.size else []
        return lines + [f"{FIRST_INDENT}note  {note}" for note in self.notes]


def grouped(skipped: Iterable[Skipped]) -> tuple[SkippedGroup, ...]:
    """Skipped records by reason, the most frequent first."""
    names: dict[str, list[str]] = {}
    for item in skipped:
        names.setdefault(item.reason, []).append(item.name)
    groups = [SkippedGroup(reason, len(found), tuple(found[:MOST_EXAMPLES])) for reason, found in names.items()]
    return tuple(sorted(groups, key=lambda group: (-group.count, group.reason)))


def reasons(groups: Sequence[SkippedGroup]) -> str:
    """Counts such as "14 not pictures (.txt, .db) · 5 damaged pictures"; reasons alike but for the bracket are merged."""
    counts: dict[str, int] = {}
    details: dict[str, list[str]] = {}
    for group in groups:
        words, _, detail = group.reason.partition(" (")
        counts[words] = counts.get(words, 0) + group.count
        if detail:
            details.setdefault(words, []).append(detail.removesuffix(")"))
    parts = []
    for words, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])):
        some = details.get(words, [])
        more = ", ..." if len(some) > MOST_DETAILS else ""
        bracket = f" ({', '.join(some[:MOST_DETAILS])}{more})" if some else ""
        parts.append(f"{count:,} {_plural(words) if count != 1 else words}{bracket}")
    return " · ".join(parts)


WORDS_IN = "words in"
"""How the reason begins for which rows of a table are no numbers."""


def too_few(source: Source, noun: str, usable: int, skipped: Sequence[Skipped]) -> DataError:
    """The error for a source with fewer than FEWEST_RECORDS usable records; `skipped` are those of the records."""
    place = source.place or source.name
    what = f"no usable {noun} in {place}" if not usable else f"only {usable} usable {noun} in {place}"
    groups = grouped([*source.skipped, *skipped])
    looked = usable + sum(group.count for group in groups)
    looked_at = (
        f"looked at {looked:,} {noun if noun not in ('pictures', 'sounds') else 'files'}: {reasons(groups)}; "
        if groups
        else ""
    )
    why = f"{looked_at}nothing was created"
    hints = (f"at least {FEWEST_RECORDS} are needed, and some hundreds for a good result",)
    if any(group.reason.startswith(("unsupported", "HEIC", "AVIF")) for group in groups):
        hints = (f"convert them to {'WAV' if noun == 'sounds' else 'JPEG or PNG'} first", *hints)
    if any(group.reason.startswith(WORDS_IN) for group in groups):
        hints = ("leave that column out of the table", "without networks of your own, words are drawn, too")
    return DataError("E-DATA-02", what, why=why, hints=hints)


def _plural(words: str) -> str:
    return PLURALS.get(words) or FIRST_NOUN.sub(_plural_word, words, count=1)


def _plural_word(match: re.Match[str]) -> str:
    return f"{match[1] or match[2]}s"
