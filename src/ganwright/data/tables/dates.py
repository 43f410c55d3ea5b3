"""Cells of text as points in time, and back."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_DAYS = ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%d.%m.%y")
_WORDS = ("%d %b %Y", "%d-%b-%Y", "%b %d, %Y", "%d %B %Y", "%B %d, %Y", "%d-%b-%y", "%b %d %Y")
_CLOCKS = ("%H:%M:%S", "%H:%M", "%H:%M:%S.%f", "%I:%M:%S %p", "%I:%M %p")
FORMATS = (
    *_DAYS,
    *_WORDS,
    *(f"{day} {clock}" for day in _DAYS for clock in _CLOCKS),
    *(f"%Y-%m-%dT{clock}{zone}" for clock in _CLOCKS[:3] for zone in ("", "Z", "%z")),
    *(f"%Y-%m-%d {clock}%z" for clock in _CLOCKS[:3]),
    "%Y%m%dT%H%M%S",
    "%Y-%m",
    "%m/%Y",
    "%H:%M:%S",
    "%H:%M",
)
"""As strptime has them; where a day could be a month, the day comes first."""
_LOOKS_LIKE_TIME = re.compile(
    r"\s*(\d{1,4}[-/.:]\d{1,2}([-/.:T ]|$)|\d{1,2}[ -][A-Za-z]{3}|[A-Za-z]{3,9} \d{1,2},? \d|\d{8}T|\d{1,2}/\d{4}$)"
)
LOOKED_AT = 200
MOST_FAULTS = 0.05
"""Of some cells that need not be dates in a column of dates."""
NOT_A_TIME = int(np.iinfo(np.int64).min)
"""What stands for no time, as in NumPy."""
LAST_TIME = 253_402_300_800_000_000
"""Microseconds from 1970 to the year 10000, behind which dates have no text."""
FIRST_TIME = -62_135_596_800_000_000
"""The year 1."""
DAY, MINUTE, MILLISECOND = 86_400_000_000, 60_000_000, 1_000
"""Microseconds."""
UNITS = (DAY, 3_600_000_000, MINUTE, 1_000_000, MILLISECOND)
"""Microseconds of what times may be multiples of, an hour and a second among them."""
_MICROSECONDS = re.compile(r"(\.\d{3})000(?!\d)")
_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)$")


@dataclass(frozen=True)
class DateFormats:
    """What the first cells of a column may be."""

    fitting: tuple[str, ...]
    """Formats that nearly all of them have."""
    mixed: bool = False
    """Whether each of them is a time, but in no one format."""


def formats_of(cells: Sequence[str]) -> DateFormats:
    """The formats that nearly all of some cells have, none of them empty; those with the day first come first."""
    some = [cell.strip() for cell in cells[:LOOKED_AT]]
    few = MOST_FAULTS * len(some)
    if not some or sum(not _LOOKS_LIKE_TIME.match(cell) for cell in some) > few:
        return DateFormats(())
    from datetime import datetime

    def fits(cell: str, pattern: str) -> bool:
        try:
            datetime.strptime(cell, pattern)
            return True
        except ValueError:
            return False

    def fits_all(pattern: str) -> bool:
        faults = 0
        for cell in some:
            faults += not fits(cell, pattern)
            if faults > few:
                return False
        return True

    found = tuple(filter(fits_all, FORMATS))
    return DateFormats(found, not found and all(any(fits(cell, pattern) for pattern in FORMATS) for cell in some))


def parse_dates(cells: np.ndarray, pattern: str) -> np.ndarray:
    """int64 (n,): microseconds since 1970 of each cell (objects: str or None), NOT_A_TIME where there is no such time."""
    import pandas as pd

    text = pd.Series([None if cell is None else cell.strip() for cell in cells.tolist()], dtype=object)
    times = pd.to_datetime(text, format=pattern, errors="coerce", utc="%z" in pattern)
    if "%z" in pattern:
        times = times.dt.tz_localize(None)
    return times.to_numpy("datetime64[us]").astype(np.int64)


def format_dates(microseconds: np.ndarray, pattern: str, unit: int = 1, offset: int = 0) -> np.ndarray:
    """Text (n,) as objects, in the format.

    Args:
        unit: microseconds that all times are multiples of; of whole milliseconds three digits are written.
        offset: minutes east of Greenwich, of times with a zone.
    """
    import pandas as pd

    zone = ""
    if pattern.endswith("%z"):  # "+00:00", which all that read dates know, and not "+0000"
        zone = f"{'-' if offset < 0 else '+'}{abs(offset) // 60:02d}:{abs(offset) % 60:02d}"
        pattern, microseconds = pattern.removesuffix("%z"), microseconds + offset * MINUTE
    text = pd.Series(microseconds.astype("datetime64[us]")).dt.strftime(pattern).to_numpy(object)
    if "%f" in pattern and unit % MILLISECOND == 0:
        text[:] = [_MICROSECONDS.sub(r"\1", cell) for cell in text]
    text[:] = [cell + zone for cell in text]
    return text


def offset_of(cell: str) -> int:
    """Minutes east of Greenwich, at the end of a time; 0 where there is none."""
    found = _OFFSET.search(cell.strip())
    if found is None:
        return 0
    minutes = 60 * int(found[2]) + int(found[3])
    return -minutes if found[1] == "-" else minutes


def unit_of(microseconds: np.ndarray) -> int:
    """Microseconds of the largest unit that all the times are whole numbers of."""
    return next((length for length in UNITS if not (microseconds % length).any()), 1)
