"""Words that a spreadsheet program would run as formulas: written with an apostrophe in front, and known again by it."""

from __future__ import annotations

from collections.abc import Collection, Mapping

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a text begins that a spreadsheet program would run."""


def harmless(cell: str) -> str:
    """The cell with an apostrophe in front, if it needs one; a number does not."""
    return f"'{cell}" if cell.startswith(FORMULA) and not _is_plain_number(cell) else cell


def with_harmless(places: Mapping[str, int], others: Collection[str] = ()) -> dict[str, int]:
    """What is looked up by words, also by them as `harmless` writes them, where that is no word, of `others` neither."""
    written = {harmless(word): place for word, place in places.items()}
    return {**{word: place for word, place in written.items() if word not in others}, **places}


def _is_plain_number(cell: str) -> bool:
    return cell[1:].replace(".", "", 1).replace(",", "", 1).isdigit() or len(cell) == 1
