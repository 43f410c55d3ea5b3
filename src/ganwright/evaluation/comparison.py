"""Several evaluations side by side, as far as their figures are on one scale and further apart than chance explains."""

from __future__ import annotations

import math
import string
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ganwright.core.errors import UsageError
from ganwright.evaluation.result import Evaluation
from ganwright.evaluation.telling import BETTER, NOTHING, counts_text, fits, measure_words, spread_text, table, wrapped
from ganwright.metrics.parts.measurement import NORMAL_95, Better, Measurement

Verdict = Literal["", "clear", "no clear difference", "not known"]
"""What a row says of its runs: "" where there is nothing to compare."""
IN_A_COLUMN: dict[Verdict, str] = {"clear": "clear", "no clear difference": "not clear", "not known": "not known"}
CAUTION = (
    "* clearly better than every other: by more than both 95% intervals allow; else there is no clear difference. Each row"
    " is judged by itself, so of 20 rows one may differ by chance. The intervals are about the records and samples that were"
    " drawn; training again with another seed may move the figures by more."
)


@dataclass(frozen=True)
class Candidate:
    """A run, or a folder of samples, that was evaluated."""

    letter: str
    """What stands for it in tables: "A"."""
    name: str
    """Its folder's name, or the path where another's is the same."""
    folder: Path
    evaluation: Evaluation


@dataclass(frozen=True)
class Row:
    """One measurement of all candidates of a group."""

    name: str
    measured: tuple[Measurement | None, ...]
    """In the order of the candidates; None for one that has it not."""

    @property
    def found(self) -> list[Measurement]:
        """Those that have it: at least one."""
        return [each for each in self.measured if each is not None]

    @property
    def better(self) -> Better:
        """What is better."""
        return self.found[0].better

    @property
    def verdict(self) -> Verdict:
        """Whether one is clearly the best; "not known" without intervals, or where they were measured in different ways."""
        found = self.found
        if len(found) < 2:
            return ""
        if any(each.error is None for each in found) or len({(m.protocol, m.count, m.reference) for m in found}) > 1:
            return "not known"
        best = min(found, key=_badness)
        clear = all(_clearly_apart(best, other) for other in found if other is not best)
        return "clear" if clear else "no clear difference"

    @property
    def best(self) -> int | None:
        """The place of the one that is clearly better than every other."""
        if self.verdict != "clear":
            return None
        bad = [math.inf if each is None else _badness(each) for each in self.measured]
        return bad.index(min(bad))


@dataclass(frozen=True)
class Group:
    """Candidates whose figures are on one scale."""

    candidates: tuple[Candidate, ...]

    @property
    def rows(self) -> list[Row]:
        """All that was measured of any of them."""
        names = dict.fromkeys(name for each in self.candidates for name in each.evaluation.measurements)
        return [Row(name, tuple(each.evaluation.measurements.get(name) for each in self.candidates)) for name in names]

    @property
    def about(self) -> str:
        """The scale that they share."""
        evaluation = self.candidates[0].evaluation
        return f"{evaluation.features} · {evaluation.data} · {counts_text(evaluation.counts)}"

    @property
    def letters(self) -> str:
        """ "A, B and C"."""
        *most, last = (candidate.letter for candidate in self.candidates)
        return f"{', '.join(most)} and {last}" if most else last


@dataclass(frozen=True)
class Comparison:
    """Groups of candidates; figures of different groups say nothing about each other."""

    groups: tuple[Group, ...]

    @property
    def candidates(self) -> list[Candidate]:
        """Of all groups, by their letters."""
        return [candidate for group in self.groups for candidate in group.candidates]

    @property
    def differences(self) -> list[str]:
        """In what the other groups differ from the first one, in sentences."""
        first = self.groups[0]
        return [
            f"{each.letters} cannot be compared with {first.letters}: {_differs(each, first)}" for each in self.groups[1:]
        ]

    def plain(self) -> dict[str, Any]:
        """JSON values."""
        return {"groups": [_plain_group(group) for group in self.groups], "differences": self.differences}


def read_comparison(folders: Sequence[Path]) -> Comparison:
    """The evaluations in these folders, those on one scale together, in the order in which they are given.

    Raises:
        UsageError: fewer than two different folders.
        DataError: one has not been evaluated, or its evaluation cannot be read.
    """
    known = list({folder.resolve(): folder for folder in folders}.values())
    if len(known) < 2:
        hint = "ganwright compare RUN RUN"
        raise UsageError("E-COMPARE-01", "at least two different runs are needed to compare", hints=(hint,))
    names = [folder.absolute().name for folder in known]
    scales: dict[tuple[Any, ...], list[tuple[str, Path, Evaluation]]] = {}
    for folder, name in zip(known, names, strict=True):
        evaluation = Evaluation.read(folder)
        own_name = name if names.count(name) == 1 else str(folder)
        scales.setdefault(evaluation.same_scale, []).append((own_name, folder, evaluation))
    letters = (_letter(place) for place in range(len(known)))
    return Comparison(tuple(Group(tuple(Candidate(next(letters), *each) for each in some)) for some in scales.values()))


def comparison_lines(comparison: Comparison, width: int = 80) -> list[str]:
    """The comparison for a terminal: a table for each group, or a list where its table would be too wide."""
    lines: list[str] = []
    for candidate in comparison.candidates:
        lines += wrapped(f"{candidate.letter}  {candidate.name}", width, hanging="   ")
    for difference in comparison.differences:
        lines += ["", *wrapped(difference, width, hanging="  ")]
    for group in comparison.groups:
        rows = _table_rows(group)
        lines += ["", *wrapped(group.about, width, hanging="  ")]
        lines += (
            table(rows, width, left=(0, *range(len(group.candidates) + 1, len(rows[0]))))
            if fits(rows, width)
            else _listed(group, width)
        )
    if any(row.verdict for group in comparison.groups for row in group.rows):
        lines += ["", *wrapped(CAUTION, width)]
    return lines


def _table_rows(group: Group) -> list[list[str]]:
    judged = any(row.verdict for row in group.rows)
    # A blank for the star keeps a letter above the figures.
    letters = [candidate.letter + " " for candidate in group.candidates]
    rows = [["measure", *letters, "better", *(["difference"] if judged else [])]]
    for row in group.rows:
        words = [IN_A_COLUMN.get(row.verdict, NOTHING)] if judged else []
        rows.append([measure_words(row.name), *_cells(row), BETTER[row.better], *words])
    return rows


def _listed(group: Group, width: int) -> list[str]:
    lines: list[str] = []
    for row in group.rows:
        judged = f": {row.verdict}" if row.verdict not in ("", "clear") else ""
        lines += wrapped(f"{measure_words(row.name)} ({BETTER[row.better]} is better){judged}", width, hanging="    ")
        lines += [f"  {each.letter}  {cell}".rstrip() for each, cell in zip(group.candidates, _cells(row), strict=True)]
    return lines


def _cells(row: Row) -> list[str]:
    """A value for each candidate; a blank keeps the figures below each other where there is no star."""
    cells: list[str] = []
    for place, each in enumerate(row.measured):
        text = spread_text(row.name, None if each is None else each.value, None if each is None else each.error)
        cells.append(text + ("*" if place == row.best else " "))
    return cells


def _clearly_apart(one: Measurement, other: Measurement) -> bool:
    assert one.error is not None
    assert other.error is not None
    return abs(_badness(one) - _badness(other)) > NORMAL_95 * math.hypot(one.error, other.error)


def _badness(measurement: Measurement) -> float:
    """Higher is worse, in the measurement's own unit; what is no number is the worst, and the floor as good as it gets.

    What lies beyond it is no better than real records are: less copying than by held-out records is no merit, and a Fréchet
    distance below theirs is a warning.
    """
    if not math.isfinite(measurement.value):
        return math.inf
    if measurement.better == "near one":
        return abs(measurement.value - 1)
    sign = 1 if measurement.better == "lower" else -1
    beyond = 0.0
    if measurement.floor is not None and measurement.at_floor_count is not None:
        beyond = max(0.0, sign * (measurement.floor - measurement.at_floor_count))
    return sign * measurement.value + beyond


def _differs(group: Group, first: Group) -> str:
    """What is not the same: "other features (x, not y); ..."."""
    ours, theirs = group.candidates[0].evaluation, first.candidates[0].evaluation
    parts: list[str] = []
    if ours.features != theirs.features:
        parts.append(f"other features ({ours.features}, not {theirs.features})")
    if ours.data_fingerprint != theirs.data_fingerprint:
        named = (f"{each.data} {each.data_fingerprint[:8]}".strip() for each in (ours, theirs))
        parts.append(f"other data ({', not '.join(named)})")
    if ours.counts != theirs.counts:
        parts.append(f"other counts ({counts_text(ours.counts)}, not {counts_text(theirs.counts)})")
    return "; ".join(parts)


def _plain_group(group: Group) -> dict[str, Any]:
    evaluation = group.candidates[0].evaluation
    runs = [{"letter": each.letter, "name": each.name, "folder": str(each.folder)} for each in group.candidates]
    return {
        "features": evaluation.features,
        "data": evaluation.data,
        "data_fingerprint": evaluation.data_fingerprint,
        "counts": evaluation.counts,
        "runs": runs,
        "rows": [_plain_row(row, group) for row in group.rows],
    }


def _plain_row(row: Row, group: Group) -> dict[str, Any]:
    values = {
        candidate.letter: {"value": each.value, "error": each.error}
        for candidate, each in zip(group.candidates, row.measured, strict=True)
        if each is not None
    }
    best = None if row.best is None else group.candidates[row.best].letter
    return {"measurement": row.name, "better": row.better, "values": values, "best": best, "verdict": row.verdict}


def _letter(place: int) -> str:
    return string.ascii_uppercase[place] if place < len(string.ascii_uppercase) else f"R{place + 1}"
