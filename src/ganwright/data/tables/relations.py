"""Relations between columns that some rows suggest; whether they hold in all is for others to find out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations, permutations

import numpy as np

from ganwright.data.tables.claims import Claim, comparable
from ganwright.data.tables.columns import Column, MeasuredColumn, WordColumn
from ganwright.data.tables.constraints import Rows, adds_up, gaps_between, ordered
from ganwright.data.tables.facts import MOST_DIGITS
from ganwright.data.tables.keys import Keys
from ganwright.data.tables.numbers_in_text import LARGEST_EXACT
from ganwright.runtime.keys import Key

FEWEST_ROWS = 200
"""That have both columns, for an order or a sum to be no accident."""
SWAPPED = 0.1
"""Share of rows that would break an order if one of its columns were shuffled, at least: less says little of the rows."""
ROWS_OF_LEVEL = 5
"""That a word which decides others has on average."""
ACCIDENT = -20.0
"""Natural logarithm of how likely a dependence may be among columns that have nothing to do with each other."""
MOST_PARTS_COLUMNS = 60
"""Columns of numbers among which sums are looked for."""
TRIPLES_COLUMNS = 24
"""Up to so many of them sums have up to six parts; four among more."""


def suggested(columns: Sequence[Column], rows: Rows, keys: Mapping[str, Keys]) -> list[Claim]:
    """What some rows suggest, the surest kinds first."""
    return [*_dependences(columns, rows, keys), *_sums(columns, rows), *_orders(columns, rows)]


def _orders(columns: Sequence[Column], rows: Rows) -> list[Claim]:
    measured = [column for column in columns if isinstance(column, MeasuredColumn)]
    return [
        Claim("order", high.name, (low.name,))
        for low, high in permutations(measured, 2)
        if comparable(low, high) and _is_order(low, high, rows)
    ]


def _is_order(low: MeasuredColumn, high: MeasuredColumn, rows: Rows) -> bool:
    below, above = rows.numbers(low), rows.numbers(high)
    gaps = gaps_between(high, (low,), rows)
    both = ~np.isnan(gaps)
    if both.sum() < FEWEST_ROWS or not ordered(gaps, above).all() or not (gaps[both] > 0).any():
        return False
    shuffled = Key(0, turn="table").generator("order by chance").permutation(above[both])
    return bool((below[both] > shuffled).mean() >= SWAPPED)


def _sums(columns: Sequence[Column], rows: Rows) -> list[Claim]:
    """Totals and their parts, the fewest that do; of columns that are the same the first makes the others."""
    measured = [column for column in columns if isinstance(column, MeasuredColumn) and _adds(column, rows)]
    claims: list[Claim] = []
    originals: list[MeasuredColumn] = []
    for column in measured[:MOST_PARTS_COLUMNS]:
        original = next((each for each in originals if adds_up(column, (each,), rows).all()), None)
        if original is None:
            originals.append(column)
        else:
            claims.append(Claim("sum", column.name, (original.name,)))
    for total in originals:
        parts = [each for each in originals if each is not total and each.writing.digits <= total.writing.digits]
        if found := _parts_of(total, parts, rows):
            claims.append(Claim("sum", total.name, tuple(part.name for part in found)))
    return claims


def _adds(column: MeasuredColumn, rows: Rows) -> bool:
    """Whether the column has numbers with a last decimal, not always the same, that can be added exactly."""
    if column.kind == "date" or column.writing.digits > MOST_DIGITS:
        return False
    numbers = rows.numbers(column)
    known = numbers[~np.isnan(numbers)]
    if len(known) < FEWEST_ROWS or known.min() == known.max():
        return False
    return bool(np.abs(known).max() * 10.0**column.writing.digits < LARGEST_EXACT)


def _parts_of(total: MeasuredColumn, parts: Sequence[MeasuredColumn], rows: Rows) -> list[MeasuredColumn]:
    """The parts whose sum the total is in all the rows; [] if there are none.

    Every column, in whole units of the total's last decimal, is weighed with the same random whole numbers into one; then
    two groups of parts make the total if their weights add up to the total's, which sorting finds.
    """
    there = ~np.isnan(rows.numbers(total))
    numbers = np.stack([rows.numbers(column)[there] for column in (total, *parts)]) * 10.0**total.writing.digits
    units = np.where(np.abs(numbers) < LARGEST_EXACT, np.rint(numbers), 0).astype(np.int64)
    weights = Key(0, turn="table").generator("sums").integers(1, 1 << 62, int(there.sum()), dtype=np.int64)
    with np.errstate(over="ignore"):
        weighed = (units * weights).sum(1)
    largest = 3 if len(parts) <= TRIPLES_COLUMNS else 2
    groups = [group for size in range(largest + 1) for group in combinations(range(len(parts)), size)]
    with np.errstate(over="ignore"):
        sums = np.array([sum((weighed[1 + place] for place in group), np.int64(0)) for group in groups], np.int64)
        wanted = weighed[0] - sums
    order = np.argsort(sums, kind="stable")
    at = order[np.minimum(np.searchsorted(sums[order], wanted), len(order) - 1)]
    found = [
        tuple(sorted({*groups[first], *groups[second]}))
        for first, second in zip(np.flatnonzero(sums[at] == wanted).tolist(), at[sums[at] == wanted].tolist(), strict=True)
        if not set(groups[first]) & set(groups[second])
    ]
    for group in sorted(set(found), key=lambda group: (len(group), group)):
        chosen = [parts[place] for place in group]
        if chosen and adds_up(total, chosen, rows).all():
            return chosen
    return []


def _dependences(columns: Sequence[Column], rows: Rows, keys: Mapping[str, Keys]) -> list[Claim]:
    """For each column that another decides the one with the fewest words that does; of those that decide each other, the
    first in the data decides the others."""
    able = [column for column in columns if column.name in keys]
    codes = {column.name: rows.codes(keys[column.name]) for column in able}
    sizes = {name: len(np.unique(each)) for name, each in codes.items()}
    claims: list[Claim] = []
    for place, target in enumerate(able):
        # Of as many words, only earlier columns decide.
        sources = [
            source
            for at, source in enumerate(able)
            if sizes[source.name] > sizes[target.name] or (sizes[source.name] == sizes[target.name] and at < place)
        ]
        for source in sorted(sources, key=lambda source: sizes[source.name]):
            if _can_decide(source, target) and _decides(codes[source.name], codes[target.name]):
                claims.append(Claim("dependence", target.name, (source.name,)))
                break
    return claims


def _can_decide(source: Column, target: Column) -> bool:
    """Whether it is usual for such columns: words decide words and numbers, whole numbers decide words."""
    return isinstance(source, WordColumn) or (source.kind == "whole" and isinstance(target, WordColumn))


def _decides(source: np.ndarray, target: np.ndarray) -> bool:
    """Whether equal codes of a source never come with different ones of a target, and not by accident."""
    levels, counts = np.unique(source, return_counts=True)
    shares = np.unique(target, return_counts=True)[1] / len(target)
    if len(shares) < 2 or len(source) < ROWS_OF_LEVEL * len(levels):
        return False
    first = np.zeros(int(levels.max()) + 2, np.int64)
    first[source] = target
    if (first[source] != target).any():
        return False
    # That each level by itself drew one word only, from all the words as frequent as they are.
    with np.errstate(divide="ignore"):
        alone = np.log((shares[None] ** counts[:, None]).sum(1))
    return bool(np.maximum(alone, -700).sum() < ACCIDENT)
