"""How the data of a command are to be read: flags about pictures or about tables."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Group, Parameter

if TYPE_CHECKING:
    from ganwright.data.modalities.base import Modality

TABLES = Group("Tables", sort_key=10)


@Parameter(name="*")
@dataclass(frozen=True)
class TableFlags:
    """What a user says of a table where finding out would go wrong."""

    column: Annotated[tuple[str, ...], Parameter(group=TABLES, negative=(), show_default=False)] = ()
    """What a column is: age=integer, zip=category; or decimal, boolean, date, id, text. May be repeated."""
    drop: Annotated[tuple[str, ...], Parameter(group=TABLES, negative=(), show_default=False)] = ()
    """A column to leave out. May be repeated."""
    constraint: Annotated[tuple[str, ...], Parameter(group=TABLES, negative=(), show_default=False)] = ()
    """What holds in every row, beside what is found: "pickup <= dropoff", "total = fare + tip", "zone -> borough"."""
    delimiter: Annotated[str | None, Parameter(group=TABLES)] = None
    """What separates the cells of a file. Default: found out."""
    decimal: Annotated[Literal[".", ","] | None, Parameter(group=TABLES)] = None
    """The decimal mark of a file. Default: found out."""
    header: Annotated[bool | None, Parameter(group=TABLES)] = None
    """Whether the first line of a file names the columns. Default: found out."""
    bad_rows: Annotated[Literal["refuse", "skip"], Parameter(group=TABLES)] = "refuse"
    """What to do about lines with too many or too few cells."""

    def data(self, path: Path) -> Any:
        """The path, with what was said of the file."""
        said = {"delimiter": self.delimiter, "decimal": self.decimal, "header": self.header}
        if self.bad_rows == "refuse" and all(value is None for value in said.values()):
            return path
        from ganwright.data.sources.tables import TableFile
        from ganwright.data.tables.asked import Asked

        return TableFile(path, Asked(**said, skip_bad_rows=self.bad_rows == "skip"))  # type: ignore[arg-type]

    def modality(self) -> Modality | None:
        """Tables, if something was said of columns."""
        if not (self.column or self.drop or self.constraint):
            return None
        from ganwright.data.modalities.table import Table

        return Table(columns=self.column, drop=self.drop, constraints=self.constraint)


NOTHING_SAID = TableFlags()


def image_modality(settings: dict[str, Any]) -> Modality | None:
    """Pictures, if something was said of them."""
    from ganwright.data.modalities.image import Image

    image = Image(**settings)
    return image if image != Image() else None
