"""Which of a table's columns are computed from which others, and in what order."""

from __future__ import annotations

from collections.abc import Sequence

from ganwright.core.errors import UsageError
from ganwright.data.tables.claims import Claim


def planned(claims: Sequence[Claim], places: Sequence[str]) -> list[Claim]:
    """The claims to keep, in the order of computing; each column is computed once, and after what it needs.

    Orders of one column with several are put together. A stated claim comes before a learned one, which is left out where
    both cannot be kept; of learned ones that say the same thing twice, as a <= c beside a <= b <= c, the longer way is kept.

    Args:
        places: all columns in the data's order.

    Raises:
        UsageError: two stated ones contradict each other.
    """
    plan: dict[str, Claim] = {}
    for claim in sorted(_without_detours(claims), key=lambda claim: not claim.stated):
        before = plan.get(claim.column)
        if before == claim:
            continue
        why = ""
        if before is not None and (before.type, claim.type) != ("order", "order"):
            why = f"{claim.column} is computed already, since {before}"
        elif claim.column in _behind(claim.needs, plan):
            why = f"{claim.column} would be computed from itself"
        elif before is None:
            plan[claim.column] = claim
        else:
            plan[claim.column] = Claim("order", claim.column, _together(before, claim), before.stated)
        if why and claim.stated:
            raise UsageError("E-TABLE-13", f"constraint {str(claim)!r} cannot be kept beside the others", why=why)
    return _in_order(plan, places)


def _together(before: Claim, claim: Claim) -> tuple[str, ...]:
    return (*before.needs, *(need for need in claim.needs if need not in before.needs))


def _without_detours(claims: Sequence[Claim]) -> list[Claim]:
    """Without learned orders that follow from two others."""
    pairs = {(claim.needs[0], claim.column) for claim in claims if claim.type == "order"}

    def follows(claim: Claim) -> bool:
        low, high = claim.needs[0], claim.column
        between = {b for a, b in pairs if a == low} & {a for a, b in pairs if b == high}
        return claim.type == "order" and not claim.stated and bool(between - {low, high})

    return [claim for claim in claims if not follows(claim)]


def _behind(names: Sequence[str], plan: dict[str, Claim]) -> set[str]:
    """These columns, and all that they are computed from."""
    found, left = set[str](), list(names)
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += plan[name].needs if name in plan else ()
    return found


def _in_order(plan: dict[str, Claim], places: Sequence[str]) -> list[Claim]:
    ordered: list[Claim] = []
    left = [plan[name] for name in places if name in plan]
    while left:
        waiting = {claim.column for claim in left}
        ready = next(claim for claim in left if not waiting & set(claim.needs))
        ordered.append(ready)
        left.remove(ready)
    return ordered
