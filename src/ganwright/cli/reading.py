"""How the data of a command are to be read: flags about pictures, sounds, tables, time series and texts."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Group, Parameter

from ganwright.cli.options import parse_size
from ganwright.core.budget import parse_count
from ganwright.core.errors import UsageError

if TYPE_CHECKING:
    from ganwright.data.modalities.base import Modality

PICTURES = Group("Pictures", sort_key=9)
TABLES = Group("Tables", sort_key=10)
SOUNDS = Group("Sounds", sort_key=11)
TEXTS = Group("Texts", sort_key=12)
SERIES = Group("Time series", sort_key=13)


@Parameter(name="*")
@dataclass(frozen=True)
class PictureFlags:
    """What a user says of pictures."""

    size: Annotated[str | None, Parameter(group=PICTURES)] = None
    """A side in pixels, or height x width as 48x64. Default: the pictures' own when all are alike and small, else 64."""
    channels: Annotated[Literal[1, 3, 4] | None, Parameter(group=PICTURES)] = None
    """1 grey, 3 colour, 4 colour with transparency. Default: what most pictures have."""
    background: Annotated[Literal["white", "black", "grey"], Parameter(group=PICTURES)] = "white"
    """What shows through transparent pictures when transparency is not kept."""

    @property
    def settings(self) -> dict[str, Any]:
        """The same as settings of `Image`.

        Raises:
            UsageError: a size that is none.
        """
        size = parse_size(self.size) if self.size else None
        return {"size": size, "channels": self.channels, "background": self.background}


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

    @property
    def said(self) -> dict[str, Any]:
        """What was said of the file, as `Asked` has it."""
        said = {"delimiter": self.delimiter, "decimal": self.decimal, "header": self.header}
        known = {name: value for name, value in said.items() if value is not None}
        return known | ({"skip_bad_rows": True} if self.bad_rows == "skip" else {})

    def modality(self) -> Modality | None:
        """Tables, if something was said of columns."""
        if not (self.column or self.drop or self.constraint):
            return None
        from ganwright.data.modalities.table import Table

        return Table(columns=self.column, drop=self.drop, constraints=self.constraint)


@Parameter(name="*")
@dataclass(frozen=True)
class TextFlags:
    """What a user says of texts where finding out would go wrong."""

    cut: Annotated[Literal["lines", "windows", "files"] | None, Parameter(group=TEXTS)] = None
    """What one record is: a line, a window of a running text, or a file of a folder. Default: found out."""
    field: Annotated[str | None, Parameter(group=TEXTS)] = None
    """Of lines of JSON: the name under which the text is, so that they are texts and not rows of a table."""
    symbols: Annotated[Literal["auto", "characters", "pieces"], Parameter(group=TEXTS)] = "auto"
    """What texts are drawn in: characters, or pieces of words that come often. Default: pieces for long lines."""
    vocabulary: Annotated[int | None, Parameter(group=TEXTS)] = None
    """How many symbols there are at most. Default: 512 pieces, 1024 characters."""
    length: Annotated[int | None, Parameter(group=TEXTS)] = None
    """Symbols of a text at most; longer ones are left out. Default: as 99 in 100 need, and 128 at most."""

    @property
    def said(self) -> dict[str, Any]:
        """What was said of the file, as `Asked` has it."""
        said = {"cut": self.cut, "field": self.field}
        return {name: value for name, value in said.items() if value is not None}

    def modality(self) -> Modality | None:
        """Texts, if something was said of their symbols."""
        if self.symbols == "auto" and self.vocabulary is None and self.length is None:
            return None
        from ganwright.data.modalities.text import Text

        return Text(symbols=self.symbols, vocabulary=self.vocabulary, length=self.length)


@Parameter(name="*")
@dataclass(frozen=True)
class SoundFlags:
    """What a user says of recordings."""

    rate: Annotated[int | None, Parameter(group=SOUNDS)] = None
    """Samples a second that all are brought to. Default: what most of them have."""
    seconds: Annotated[float | None, Parameter(group=SOUNDS)] = None
    """How long all of them become. Default: long enough for nearly all, at most 2."""
    label_from: Annotated[str, Parameter(group=SOUNDS, show_default=False)] = ""
    """Where in a file's name its label is: "{label}_*.wav", "{label}_{speaker}_*". The networks are told it."""
    volume: Annotated[Literal["even", "kept"], Parameter(group=SOUNDS)] = "even"
    """Whether each is brought to the same peak, or left as loud as it was recorded."""
    bands: Annotated[int | None, Parameter(group=SOUNDS)] = None
    """Of pitch, in the spectrograms that networks draw. Default: 80."""


@Parameter(name="*")
@dataclass(frozen=True)
class SeriesFlags:
    """What a user says of the rows of a table that are time series."""

    time_column: Annotated[str | None, Parameter(group=SERIES)] = None
    """The column that says when. Default: rows follow each other as they stand."""
    series_column: Annotated[str | None, Parameter(group=SERIES)] = None
    """The column that says which series a row is of. Default: all are of one."""
    stride: Annotated[int | None, Parameter(group=SERIES)] = None
    """Steps from one window to the next. Default: 1, or more where there would be more than 20,000 windows."""
    rows: Annotated[bool, Parameter(group=SERIES, negative=())] = False
    """Rows stand for themselves, though they look like time series."""


@Parameter(name="*")
@dataclass(frozen=True)
class Reading:
    """All that a user can say of how data are to be read."""

    limit: str | None = None
    """Use this many records only, for a quick check."""
    dedupe: Annotated[bool, Parameter(negative=())] = False
    """Keep one of each set of identical pictures or recordings."""
    window: int | None = None
    """Of a running text: characters of a window; default: 32. Of time series: steps; default: taken whole."""
    pictures: PictureFlags = PictureFlags()
    table: TableFlags = TableFlags()
    sounds: SoundFlags = SoundFlags()
    text: TextFlags = TextFlags()
    series: SeriesFlags = SeriesFlags()

    @property
    def count(self) -> int | None:
        """How many records are to be used; None for all.

        Raises:
            UsageError: it is no number.
        """
        return parse_count(self.limit) if self.limit is not None else None

    def data(self, path: Path) -> Any:
        """The path, with what was said of how to read the file."""
        said = {**self.table.said, **self.text.said}
        if self.window is not None and not self._of_series(path):
            said["window"] = self.window
        if not said:
            return path
        from ganwright.data.sources.tables import TableFile
        from ganwright.data.tables.asked import Asked

        return TableFile(path, Asked(**said))

    def modality(self, path: Path, conditions: tuple[str, ...] = (), unlabelled: str = "keep") -> Modality | None:
        """What the data are, if something was said of it; None where it is to be found out.

        Args:
            conditions: what columns beside pictures or recordings are, as `Image` and `Sound` have it.
            unlabelled: likewise.
        """
        if self._of_series(path):
            return self._series()
        if found := self.table.modality() or self.text.modality():
            return found
        if self.series.rows:
            from ganwright.data.modalities.table import Table

            return Table()
        from ganwright.data.sources.sound_folder import SoundFolder
        from ganwright.data.sources.sound_zip import SoundZip

        shared: dict[str, Any] = {"conditions": conditions, "unlabelled": unlabelled, "dedupe": self.dedupe}
        # Some of it may be said of pictures and of sounds alike: what lies at the path decides.
        if self.sounds != SoundFlags() or any(kind.can_open(path) for kind in (SoundFolder, SoundZip)):
            from ganwright.data.modalities.sound import Sound

            sound = Sound(**asdict(self.sounds), **shared)
            return sound if sound != Sound() else None
        from ganwright.data.modalities.image import Image

        image = Image(**self.pictures.settings, **shared)
        return image if image != Image() else None

    def _of_series(self, path: Path) -> bool:
        """Whether rows were said to be steps of series; a window alone says so of a file of cells."""
        if any(said is not None for said in (self.series.time_column, self.series.series_column, self.series.stride)):
            return True
        from ganwright.data.sources.tables import DELIMITED, PARQUET

        return self.window is not None and not self.text.said and path.suffix.lower() in {*DELIMITED, *PARQUET}

    def _series(self) -> Modality:
        from ganwright.data.modalities.series import Series

        if self.series.rows:
            what = "rows cannot be both by themselves and of series: leave out --rows or the rest"
            raise UsageError("E-SERIES-03", what)
        said = (self.series.time_column, self.series.series_column, self.window, self.series.stride)
        return Series(*said, columns=self.table.column, drop=self.table.drop)


AS_FOUND = Reading()
"""Nothing was said: all is found out."""
