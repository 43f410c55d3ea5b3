"""One look at all rows of a table: the facts of every column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ganwright.core.errors import UsageError
from ganwright.data.progress import Progress
from ganwright.data.sources.base import Source
from ganwright.data.tables.cells import Cells
from ganwright.data.tables.constraint_learning import ROWS
from ganwright.data.tables.facts import ColumnFacts
from ganwright.data.tables.kinds import SYNONYMS, check_wanted
from ganwright.runtime.keys import Key

SAMPLE = 100_000
"""Rows that the distribution of a column is learned from, at most."""


def look_at_rows(
    source: Source, wanted: Mapping[str, str], dropped: Sequence[str], progress: Progress
) -> dict[str, ColumnFacts]:
    """The facts of each column, by name.

    Args:
        wanted: the kinds that a user says columns have.
        dropped: columns that a user leaves out.

    Raises:
        UsageError: there is no such column, or no such kind.
    """
    share = min(1.0, SAMPLE / max(len(source), 1))
    facts: dict[str, ColumnFacts] = {}
    for start in range(0, len(source), ROWS):
        cells = Cells.of(source.read(start, start + ROWS), source.columns)
        if not facts:
            check_wanted(dict.fromkeys((*wanted, *dropped), "text") | dict(wanted), cells.names)
            words = {name for name, kind in wanted.items() if SYNONYMS.get(kind, kind) in ("category", "yes/no")}
            facts = {name: ColumnFacts(name, source.dialect.decimal, keep_words=name in words) for name in cells.names}
        chosen = Key(0, step=start // ROWS, turn="table").generator("rows looked at").random(len(cells)) < share
        names = [cells.name_of(row) for row in range(len(cells))]
        for name, column in zip(cells.names, cells.columns, strict=True):
            facts[name].add(column, names, chosen)
        progress("looking at rows", min(start + ROWS, len(source)), len(source))
    return facts


def wanted_kinds(texts: Sequence[str]) -> dict[str, str]:
    """Kinds by column, of texts like "zip=category".

    Raises:
        UsageError: one says no kind.
    """
    pairs: dict[str, str] = {}
    for text in texts:
        name, sign, kind = text.rpartition("=")
        if not sign:
            raise UsageError("E-TABLE-05", f"{text!r} does not say what the column is", hints=("--column zip=category",))
        pairs[name] = kind
    return pairs
