"""What kind of thing records are, as far as that can be seen before anything is learned of them."""

from __future__ import annotations

from typing import Literal

from ganwright.data.picture_names import why_no_picture
from ganwright.data.sound_names import why_no_sound
from ganwright.data.sources.base import Source
from ganwright.data.tables.cells import Cells

Kind = Literal["pictures", "sounds", "texts", "rows"]
LOOKED_AT = 8
"""Records."""


def kind_of(source: Source) -> Kind | None:
    """What the first records are: files by their names; None of arrays, which may be anything, and where they differ."""
    records = source.read(0, LOOKED_AT)
    if isinstance(records, Cells):
        return "rows"
    found: set[Kind | None] = set()
    for record in records:
        if isinstance(record.payload, str):
            found.add("texts")
        elif not isinstance(record.payload, bytes) or record.fault:
            found.add(None)
        elif not why_no_picture(record.name):
            found.add("pictures")
        else:
            found.add(None if why_no_sound(record.name) else "sounds")
    return found.pop() if len(found) == 1 else None
