"""What a user says of a file of cells."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Asked:
    """What a user says of a file; None where it is to be found out."""

    delimiter: str | None = None
    decimal: str | None = None
    header: bool | None = None
    skip_bad_rows: bool = False
    """Leave out lines with too many or too few cells, which are an error otherwise."""
