"""What is said of a table's columns, in words of a user or by its rows: "pickup <= dropoff", "zone -> borough"."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from ganwright.core.errors import UsageError
from ganwright.core.suggest import unknown_name_hints
from ganwright.data.tables.columns import Column, MeasuredColumn, WordColumn
from ganwright.data.tables.keys import Keys

ClaimType = Literal["order", "sum", "dependence"]
EXAMPLES = ('"pickup <= dropoff"', '"total = fare + tip"', '"zone -> borough"')
_SIGNS = {"≤": "<=", "≥": ">=", "→": "->"}


@dataclass(frozen=True)
class Claim:
    """One column that follows from others."""

    type: ClaimType
    column: str
    """Which follows: the larger one, the sum, the one that is decided."""
    needs: tuple[str, ...]
    """What it follows from."""
    stated: bool = False
    """Whether a user said so."""

    def __str__(self) -> str:
        if self.type == "order":
            return f"{' and '.join(self.needs)} <= {self.column}"
        if self.type == "sum":
            return f"{self.column} = {' + '.join(self.needs)}"
        return f"{self.needs[0]} -> {self.column}"


def stated_claims(texts: Sequence[str], columns: Mapping[str, Column], left_out: Mapping[str, str]) -> list[Claim]:
    """What users say, each a relation of columns whose names may hold spaces: "a <= b <= c", "t = a + b", "a -> b".

    Raises:
        UsageError: this says nothing, or of columns that do not exist or are of another kind.
    """
    names = [*columns, *left_out]
    claims: list[Claim] = []
    for text in texts:
        found = _read(text, names)
        for claim in found:
            _check_kinds(claim, columns, left_out)
        claims += [claim for claim in found if claim not in claims]
    return claims


def _read(text: str, names: Sequence[str]) -> list[Claim]:
    plain = text
    for sign, usual in _SIGNS.items():
        plain = plain if sign in "".join(names) else plain.replace(sign, usual)
    if found := _listed(plain, "<=", names):
        return [Claim("order", high, (low,), True) for low, high in pairwise(found)]
    if found := _listed(plain, ">=", names):
        return [Claim("order", high, (low,), True) for high, low in pairwise(found)]
    for left, right in _halves(plain, "->"):
        if left in names and right in names and left != right:
            return [Claim("dependence", right, (left,), True)]
    for left, right in _halves(plain, "="):
        for total, parts in ((left, _listed(right, "+", names)), (right, _listed(left, "+", names))):
            parts = parts or tuple(part for part in (right if total == left else left,) if part in names)
            if total in names and parts and total not in parts:
                return [Claim("sum", total, parts, True)]
    raise _unreadable(text, plain, names)


def _listed(text: str, sign: str, names: Sequence[str]) -> tuple[str, ...]:
    """The different names that stand in `text` with signs between them, two at least; () if anything else does."""
    for left, right in _halves(text, sign):
        if left not in names:
            continue
        rest = (right,) if right in names else _listed(right, sign, names)
        if rest and left not in rest:
            return (left, *rest)
    return ()


def _halves(text: str, sign: str) -> Iterator[tuple[str, str]]:
    """What stands before and behind each `sign`."""
    at = text.find(sign)
    while at >= 0:
        yield text[:at].strip(), text[at + len(sign) :].strip()
        at = text.find(sign, at + 1)


def _unreadable(text: str, plain: str, names: Sequence[str]) -> UsageError:
    sign = next((sign for sign in ("<=", ">=", "->", "=") if sign in plain), None)
    if sign is not None:
        inner = plain.replace("+", sign) if sign == "=" else plain
        words = [word.strip() for word in inner.split(sign)]
        for word in words:
            if word and word not in names:
                hints = unknown_name_hints(word, names)
                return UsageError("E-TABLE-11", f"there is no column {word!r}", where=f"constraint {text!r}", hints=hints)
    return UsageError("E-TABLE-10", f"{text!r} is no constraint of columns", hints=("write it like", *EXAMPLES))


def _check_kinds(claim: Claim, columns: Mapping[str, Column], left_out: Mapping[str, str]) -> None:
    """Raise UsageError unless the claim can be made of such columns."""
    for name in (*claim.needs, claim.column):
        if name in left_out:
            raise _wrong(claim, f"{name} is left out: {left_out[name]}")
        column = columns[name]
        if claim.type != "dependence" and not isinstance(column, MeasuredColumn):
            raise _wrong(claim, f"{name} holds neither numbers nor dates ({column.kind})")
        if claim.type == "sum" and column.kind == "date":
            raise _wrong(claim, f"{name} holds dates, which do not add up")
        if claim.type == "dependence" and not isinstance(column, MeasuredColumn | WordColumn):
            raise _wrong(claim, f"{name} is the same in every row")
    first = columns[claim.needs[0]]
    if claim.type == "dependence" and not Keys.can_be(first):
        raise _wrong(claim, f"{first.name} has too many different numbers to look others up by", ("take it as category",))
    if claim.type == "order" and not comparable(first, columns[claim.column]):
        raise _wrong(
            claim, f"{first.name} ({_kind(first)}) and {claim.column} ({_kind(columns[claim.column])}) do not compare"
        )


def comparable(low: Column, high: Column) -> bool:
    """Whether one may be never above the other, also once they are written: numbers and numbers, dates and dates.

    Dates that are written without their day must both be.
    """
    if not isinstance(low, MeasuredColumn) or not isinstance(high, MeasuredColumn):
        return False
    if low.kind != "date" or high.kind != "date":
        return (low.kind == "date") == (high.kind == "date")
    patterns = low.writing.pattern, high.writing.pattern
    return patterns[0] == patterns[1] or not any(pattern and "%d" not in pattern for pattern in patterns)


def _kind(column: Column) -> str:
    pattern = column.writing.pattern if isinstance(column, MeasuredColumn) else ""
    return f"{column.kind} {pattern}".strip()


def _wrong(claim: Claim, why: str, hints: tuple[str, ...] = ()) -> UsageError:
    return UsageError("E-TABLE-12", f"constraint {str(claim)!r} cannot be kept", why=why, hints=hints)
