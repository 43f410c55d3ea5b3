"""From the facts of a column to the column as networks see it."""

from __future__ import annotations

import re

import numpy as np

from ganwright.data.tables.columns import Column, FixedColumn, MeasuredColumn, WordColumn, Writing
from ganwright.data.tables.dates import unit_of
from ganwright.data.tables.facts import MOST_DIGITS, ColumnFacts, NumberFacts
from ganwright.data.tables.kinds import Decision
from ganwright.data.tables.text_cells import as_word

_NUMBER = re.compile(r"[+-]?(0|[1-9][0-9]*)(\.[0-9]+)?")
FEW_NUMBERS = 32
"""Up to so many different numbers each has a mode of its own."""
SPIKE_SHARE = 0.05
"""Of all rows, that a number must have for a mode of its own among more of them."""
FIXED_SHARE = 0.98
"""Of a column's numbers, above which those with most decimals tell that all are meant to have as many."""
MOST_KNOTS = 1001
MOST_LEVELS = 256
"""Words with a mode of their own; rarer ones share one."""
FEWEST_OF_LEVEL = 5
"""Rows that a word among more than FEW_NUMBERS must have for a mode of its own."""


def learn_column(facts: ColumnFacts, decision: Decision) -> Column | None:
    """The column of that kind; None where it names rows, or holds free text, which is no matter for a network."""
    kind = decision.kind
    if kind in ("id", "text"):
        return None
    if kind == "empty":
        return FixedColumn(facts.name, kind, _usual_nothing(facts))
    if kind == "constant":
        return _constant(facts)
    if kind in ("whole", "decimal"):
        return _measured(facts, decision, facts.numbers, _number_writing(facts, kind))
    if kind == "date":
        times = facts.dates.best.numbers
        offset = next(iter(facts.dates.offsets)) if len(facts.dates.offsets) == 1 else 0
        unit = unit_of(times.sample.astype(np.int64))
        writing = Writing(pattern=decision.pattern, unit=unit, nothing=_usual_nothing(facts), offset=offset)
        return _measured(facts, decision, times, writing)
    return _words(facts, decision)


def _constant(facts: ColumnFacts) -> Column:
    if facts.held == "number":
        return FixedColumn(facts.name, "constant", repr(facts.numbers.low), number=True)
    word = next(iter(facts.words.counts or ()), "")
    return FixedColumn(facts.name, "constant", word, number=facts.numbers.count > 0 and _is_number(word))


def _is_number(word: str) -> bool:
    """Whether Python reads it as the number that it is written as."""
    return bool(_NUMBER.fullmatch(word))


def _measured(facts: ColumnFacts, decision: Decision, numbers: NumberFacts, writing: Writing) -> Column:
    missing = facts.rows - numbers.count
    spikes, spike_counts = _spikes(numbers, facts.rows)
    rest = numbers.sample
    rest = rest[~np.isin(rest, spikes)]
    rest_count = numbers.count - int(spike_counts.sum())
    knots = _knots(rest, numbers) if rest_count else np.empty(0)
    counts = [rest_count] * (len(knots) > 0) + spike_counts.tolist() + [missing] * (missing > 0)
    return MeasuredColumn(facts.name, decision.kind, writing, knots, spikes, np.array(counts, np.int64), missing > 0)


def _spikes(numbers: NumberFacts, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Numbers with a mode of their own, float64, rising; and int64, how many rows have each."""
    if numbers.counts is not None:
        levels, counts = np.array(sorted(numbers.counts)), numbers.counts
        found = np.array([counts[level] for level in levels.tolist()], np.int64)
        often = (found > SPIKE_SHARE * rows) | (len(levels) <= FEW_NUMBERS)
        return levels[often], found[often]
    # There are too many to count, so those that were kept tell of all.
    levels, found = np.unique(numbers.sample, return_counts=True)
    often = found > SPIKE_SHARE * len(numbers.sample) * rows / numbers.count
    return levels[often], np.rint(found[often] * (numbers.count / len(numbers.sample))).astype(np.int64)


def _knots(rest: np.ndarray, numbers: NumberFacts) -> np.ndarray:
    """Numbers at even places of the order, from the smallest to the largest there were."""
    if not len(rest):  # hardly anything is left beside the spikes
        return np.array([numbers.low, numbers.high])
    knots = np.sort(np.quantile(rest, np.linspace(0, 1, min(MOST_KNOTS, max(2, len(rest))))))
    if len(numbers.sample) < numbers.count:
        knots[[0, -1]] = numbers.low, numbers.high
    return knots


def _number_writing(facts: ColumnFacts, kind: str) -> Writing:
    digits, most = (0, max(facts.decimals, default=0)) if kind == "whole" else facts.usual_digits
    # Slips aside: of numbers that are written without zeros at their end, a tenth are shorter.
    full = sum(count for each, count in facts.decimals.items() if each >= most)
    fixed = full > FIXED_SHARE * facts.decimals.total() and facts.held == "text" and digits <= most <= MOST_DIGITS
    return Writing(facts.decimal, most if fixed else digits, fixed, nothing=_usual_nothing(facts))


def _usual_nothing(facts: ColumnFacts) -> str:
    """What most often stands for nothing in the column."""
    if not facts.nothing:
        return ""
    word, count = facts.nothing.most_common(1)[0]
    return word if count > facts.empty else ""


def _words(facts: ColumnFacts, decision: Decision) -> Column:
    if facts.held == "number":
        found = {as_word(value): count for value, count in (facts.numbers.counts or {}).items()}
    else:
        found = {str(word): count for word, count in (facts.words.counts or {}).items()}
    ordered = sorted(found, key=lambda word: (-found[word], word))
    if len(ordered) > FEW_NUMBERS:
        levels = [word for word in ordered[:MOST_LEVELS] if found[word] >= FEWEST_OF_LEVEL]
    else:
        levels = ordered
    rare = sorted(set(ordered) - set(levels))
    if len(rare) == 1:
        levels, rare = [*levels, *rare], []
    missing = facts.rows - sum(found.values())
    rare_counts = np.array([found[word] for word in rare], np.int64)
    counts = [int(rare_counts.sum())] * bool(rare) + [found[word] for word in levels] + [missing] * (missing > 0)
    truth = facts.held == "truth"
    return WordColumn(
        facts.name, decision.kind, tuple(levels), tuple(rare), rare_counts, np.array(counts, np.int64), missing > 0, truth
    )
