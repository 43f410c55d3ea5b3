"""What a user says of how to read a file."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ganwright.core.errors import UsageError

Cut = Literal["lines", "windows", "files"]
"""What one record of a text is: a line; a window of it; of a folder, a file."""
LONGEST_WINDOW = 4096


@dataclass(frozen=True)
class Asked:
    """What a user says of a file; None where it is to be found out."""

    delimiter: str | None = None
    decimal: str | None = None
    header: bool | None = None
    skip_bad_rows: bool = False
    """Leave out lines with too many or too few cells, which are an error otherwise."""
    cut: Cut | None = None
    """Of a text: what a record is."""
    window: int | None = None
    """Of a text: characters of a window."""
    field: str | None = None
    """Of lines of JSON: the name under which the text is, so that they are texts and not rows of a table."""

    def __post_init__(self) -> None:
        if self.window is not None and not 2 <= self.window <= LONGEST_WINDOW:
            raise UsageError("E-TEXT-02", f"a window has 2..{LONGEST_WINDOW} characters, not {self.window}")

    @property
    def of_text(self) -> bool:
        """Whether something was said that only holds of texts."""
        return self.cut is not None or self.window is not None or self.field is not None


@dataclass(frozen=True)
class TableFile:
    """A file of cells, or of texts, with what is to be known of it where finding out would go wrong."""

    path: str | Path
    asked: Asked = field(default_factory=Asked)
