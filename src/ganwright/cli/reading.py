"""How the data of a command are to be read: flags about pictures, tables or time series."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Group, Parameter

if TYPE_CHECKING:
    from ganwright.data.modalities.base import Modality

TABLES = Group("Tables", sort_key=10)
SERIES = Group("Time series", sort_key=12)


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


@Parameter(name="*")
@dataclass(frozen=True)
class SeriesFlags:
    """What a user says of the rows of a table that are time series."""

    time_column: Annotated[str | None, Parameter(group=SERIES)] = None
    """The column that says when. Default: rows follow each other as they stand."""
    series_column: Annotated[str | None, Parameter(group=SERIES)] = None
    """The column that says which series a row is of. Default: all are of one."""
    window: Annotated[int | None, Parameter(group=SERIES)] = None
    """Steps of the windows that series are cut into. Default: series are taken whole."""
    stride: Annotated[int | None, Parameter(group=SERIES)] = None
    """Steps from one window to the next. Default: 1, or more where there would be more than 20,000 windows."""
    rows: Annotated[bool, Parameter(group=SERIES, negative=())] = False
    """Rows stand for themselves, though they look like time series."""

    def modality(self, table: TableFlags) -> Modality | None:
        """Time series, or rows, if either was said."""
        said = (self.time_column, self.series_column, self.window, self.stride)
        if self.rows:
            from ganwright.core.errors import UsageError
            from ganwright.data.modalities.table import Table

            if any(each is not None for each in said):
                raise UsageError(
                    "E-SERIES-03", "rows cannot be both by themselves and of series: leave out --rows or the rest"
                )
            return table.modality() or Table()
        if all(each is None for each in said):
            return None
        from ganwright.data.modalities.series import Series

        return Series(*said, columns=table.column, drop=table.drop)


NOTHING_SAID = TableFlags()
NO_SERIES_SAID = SeriesFlags()


def image_modality(settings: dict[str, Any]) -> Modality | None:
    """Pictures, if something was said of them."""
    from ganwright.data.modalities.image import Image

    image = Image(**settings)
    return image if image != Image() else None
