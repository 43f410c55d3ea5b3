"""Every row of the fault list has a test that bears its name, or a reason why not."""

from __future__ import annotations

import re
from pathlib import Path

from rows import NOT_HERE, ROWS

TESTS = Path(__file__).resolve().parents[1]


def rows_with_tests() -> set[str]:
    found: set[str] = set()
    for path in TESTS.rglob("test_*.py"):
        for name in re.findall(r"^\s*def (test_\w+)", path.read_text(encoding="utf-8"), flags=re.MULTILINE):
            found |= {
                part.upper() for part in name.split("_") if re.fullmatch(r"[pnmicdw]\d{1,2}", part, flags=re.IGNORECASE)
            }
    return found


def test_no_row_is_skipped_silently() -> None:
    tested = rows_with_tests()
    assert [row for row in ROWS if row not in tested and row not in NOT_HERE] == []
    assert [row for row in NOT_HERE if row in tested] == [], "has a test by now"
