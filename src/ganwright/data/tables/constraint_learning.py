"""From what users say of columns, and what some rows suggest, to the constraints that hold in all rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ganwright.core.errors import UsageError
from ganwright.data.progress import Progress, no_progress
from ganwright.data.sources.base import Source
from ganwright.data.tables.cells import Cells
from ganwright.data.tables.claims import Claim
from ganwright.data.tables.columns import UNKNOWN, Column, MeasuredColumn
from ganwright.data.tables.constraints import (
    Constraint,
    Dependence,
    Order,
    Rows,
    Sum,
    adds_up,
    bounds,
    gaps_between,
    ordered,
)
from ganwright.data.tables.facts import ColumnFacts
from ganwright.data.tables.keys import Keys
from ganwright.data.tables.kinds import Decision
from ganwright.data.tables.learning import learn_column
from ganwright.data.tables.plan import planned
from ganwright.data.tables.relations import suggested
from ganwright.runtime.keys import Key

ROWS = 16_384
"""That are looked at together."""
SAMPLE = 20_000
"""Rows that suggest relations, at most, in pieces from all over the table."""
PIECES = 20
GAP_SAMPLE = 100_000
"""Rows that the distribution of a gap is learned from, at most."""
MOST_BROKEN = 0.5
"""Share of the rows that may break what a user says of all of them."""
TOLD = 3
NOTHING = np.inf
"""What stands for no target while tables are counted: it is equal to itself."""


@dataclass
class _Counting:
    """What all rows tell of a claim, chunk by chunk."""

    claim: Claim
    holds: bool = True
    pairs: Counter[tuple[int, float]] = field(default_factory=Counter)
    """Of a dependence: how often each key comes with each target."""
    gaps: ColumnFacts | None = None
    """Of an order that is planned."""


class ConstraintLearner:
    """Looks for the constraints of a table.

    Args:
        columns: those that samples have.
    """

    def __init__(self, source: Source, columns: Sequence[Column], progress: Progress = no_progress) -> None:
        self.source, self.progress = source, progress
        self.columns = {column.name: column for column in columns}
        self.keys = {column.name: Keys(column) for column in columns if Keys.can_be(column)}

    def learn(self, stated: Sequence[Claim], suggest: bool) -> list[Constraint]:
        """The constraints, in the order of computing: what is stated, and what holds in every row if `suggest` is set.

        Raises:
            UsageError: stated ones contradict each other, or are broken by more than half of the rows.
        """
        claims = [claim for claim in stated if not self._follows(claim, stated)]
        if suggest:
            rows = Rows(self._some_rows())
            claims += suggested([*self.columns.values()], rows, self.keys)
        plan = planned(claims, [*self.columns])
        if not plan:
            return []
        counted = self._count(claims, plan)
        sure = [claim for claim in claims if claim.stated or counted[claim].holds]
        if len(sure) < len(claims):
            plan = planned(sure, [*self.columns])
            counted = self._count((), plan)
        constraints = [self._made(claim, counted[claim]) for claim in plan]
        if stated:
            self._tell_broken([each for each, claim in zip(constraints, plan, strict=True) if claim.stated])
        return constraints

    def _follows(self, claim: Claim, stated: Sequence[Claim]) -> bool:
        """Whether it says that a part is not above the sum, of which no other part is below 0."""
        sums = [each for each in stated if (each.type, each.column) == ("sum", claim.column)]
        if claim.type != "order" or not sums or claim.needs[0] not in sums[0].needs:
            return False
        return all(bounds(self._measured(part))[0] >= 0 for part in sums[0].needs if part != claim.needs[0])

    def _some_rows(self) -> Cells:
        count = len(self.source)
        if count <= SAMPLE:
            return Cells.joined([cells for _, cells in self._chunks()])
        size = SAMPLE // PIECES
        starts = np.linspace(0, count - size, PIECES).astype(int).tolist()
        return Cells.joined([self._cells(start, start + size) for start in starts])

    def _chunks(self) -> Iterator[tuple[int, Cells]]:
        for start in range(0, len(self.source), ROWS):
            yield start, self._cells(start, start + ROWS)

    def _cells(self, start: int, stop: int) -> Cells:
        return Cells.of(self.source.read(start, stop), self.source.columns)

    def _count(self, claims: Sequence[Claim], plan: Sequence[Claim]) -> dict[Claim, _Counting]:
        """What all rows tell of the claims, and of the orders in the plan, which may be put together from several."""
        counted = {claim: _Counting(claim) for claim in (*claims, *plan)}
        share = min(1.0, GAP_SAMPLE / max(len(self.source), 1))
        for claim in plan:
            if claim.type == "order":
                counted[claim].gaps = ColumnFacts(self._gap_name(claim))
        for start, cells in self._chunks():
            rows = Rows(cells)
            chosen = Key(0, step=start // ROWS, turn="table").generator("gaps looked at").random(len(cells)) < share
            for each in counted.values():
                if each.holds or each.claim.stated:
                    self._add(each, rows, chosen)
            self.progress("looking for what always holds", min(start + ROWS, len(self.source)), len(self.source))
        return counted

    def _add(self, counting: _Counting, rows: Rows, chosen: np.ndarray) -> None:
        claim = counting.claim
        if claim.type == "dependence":
            sources, targets = rows.codes(self.keys[claim.needs[0]]), self._targets(claim.column, rows)
            known = (sources != UNKNOWN) & ((targets != UNKNOWN) | isinstance(self.columns[claim.column], MeasuredColumn))
            sources, targets = sources[known], targets[known]  # rows with other words are skipped, whatever they say
            for (key, target), count in _pairs(sources, targets):
                counting.pairs[key, target] += count
            counting.holds = len({key for key, _ in counting.pairs}) == len(counting.pairs)
            return
        column, needs = self._measured(claim.column), [self._measured(name) for name in claim.needs]
        if claim.type == "sum":
            counting.holds &= bool(adds_up(column, needs, rows).all())
            return
        gaps = gaps_between(column, needs, rows)
        kept = ordered(gaps, rows.numbers(column))
        counting.holds &= bool(kept.all())
        if counting.gaps is not None:
            counting.gaps.add(gaps[kept], [""] * int(kept.sum()), chosen[kept])

    def _made(self, claim: Claim, counting: _Counting) -> Constraint:
        if claim.type == "dependence":
            keys = self.keys[claim.needs[0]]
            target = self.columns[claim.column]
            nothing = float(len(self.keys[claim.column])) if not isinstance(target, MeasuredColumn) else np.nan
            table = np.full(len(keys) + 1, nothing)
            for (key, value), _ in sorted(counting.pairs.items(), key=lambda pair: pair[1]):  # the most frequent stays
                table[key] = nothing if value == NOTHING else value
            return Dependence(keys.column, target, table)
        column, needs = self._measured(claim.column), tuple(self._measured(name) for name in claim.needs)
        if claim.type == "sum":
            return Sum(column, needs)
        facts = counting.gaps
        if facts is None or not facts.numbers.count:
            raise UsageError(
                "E-TABLE-14", f"constraint {str(claim)!r} is broken by every row", hints=("check its direction",)
            )
        whole = all(each.kind != "decimal" for each in (column, *needs))
        gap = learn_column(facts, Decision("whole" if whole else "decimal", ""))
        assert isinstance(gap, MeasuredColumn)
        return Order(column, needs, gap)

    def _tell_broken(self, stated: Sequence[Constraint]) -> None:
        """Notes on the rows that break what was stated.

        Raises:
            UsageError: most do.
        """
        broken = Counter[Constraint]()
        first: dict[Constraint, list[str]] = {each: [] for each in stated}
        for _, cells in self._chunks():
            rows = Rows(cells)
            for each in stated:
                places = np.flatnonzero(~each.kept(rows))
                broken[each] += len(places)
                first[each] += [cells.name_of(place) for place in places[: TOLD - len(first[each])].tolist()]
        for each in stated:
            if not broken[each]:
                continue
            more = f" and {broken[each] - TOLD:,} more" if broken[each] > TOLD else ""
            where = ", ".join(first[each]) + more
            if broken[each] > MOST_BROKEN * len(self.source):
                what = f"constraint {str(each)!r} is broken by {broken[each]:,} of {len(self.source):,} rows"
                raise UsageError("E-TABLE-14", what, where=where, hints=("check its direction and its columns",))
            self.source.notes.append(f"{each}: broken by {broken[each]:,} of {len(self.source):,} rows, left out: {where}")

    def _targets(self, name: str, rows: Rows) -> np.ndarray:
        """float64 (n,): the codes of words, or the numbers, NOTHING where there is none."""
        column = self.columns[name]
        if isinstance(column, MeasuredColumn):
            numbers = rows.numbers(column)
            return np.where(np.isnan(numbers), NOTHING, numbers)
        codes = rows.codes(self.keys[name])
        return np.where(codes == len(self.keys[name]), NOTHING, codes)

    def _measured(self, name: str) -> MeasuredColumn:
        column = self.columns[name]
        assert isinstance(column, MeasuredColumn)
        return column

    def _gap_name(self, claim: Claim) -> str:
        low = claim.needs[0] if len(claim.needs) == 1 else f"max({', '.join(claim.needs)})"
        name = f"{claim.column} - {low}"
        while name in self.columns:
            name += "'"
        return name


def constraint_notes(constraints: Sequence[Constraint]) -> list[str]:
    """What samples obey, for people."""
    say: dict[str, Callable[[Any], str]] = {
        "order": lambda each: f"{each} in every row: kept so",
        "sum": lambda each: f"{each} in every row: kept so",
        "dependence": lambda each: f"{each.source.name} decides {each.target.name}: kept so",
    }
    return [say[each.type](each) for each in constraints]


def _pairs(sources: np.ndarray, targets: np.ndarray) -> Iterator[tuple[tuple[int, float], int]]:
    """The different pairs of some rows, and how often each comes."""
    order = np.lexsort((targets, sources))
    sources, targets = sources[order], targets[order]
    new = np.ones(len(order), bool)
    new[1:] = (sources[1:] != sources[:-1]) | (targets[1:] != targets[:-1])
    starts = np.flatnonzero(new)
    counts = np.diff(np.append(starts, len(order)))
    for source, target, count in zip(sources[starts].tolist(), targets[starts].tolist(), counts.tolist(), strict=True):
        yield (source, target), count
