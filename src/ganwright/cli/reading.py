"""How the data of a command are to be read: flags about pictures, tables or sounds."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Group, Parameter

if TYPE_CHECKING:
    from ganwright.data.modalities.base import Modality

TABLES = Group("Tables", sort_key=10)
TEXTS = Group("Texts", sort_key=12)
SOUNDS = Group("Sounds", sort_key=11)
SHARED = ("conditions", "unlabelled", "dedupe")
"""What is said of pictures and of sounds alike."""


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
    window: Annotated[int | None, Parameter(group=TEXTS)] = None
    """Characters of a window. Default: 32."""
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
        said = {"cut": self.cut, "window": self.window, "field": self.field}
        return {name: value for name, value in said.items() if value is not None}

    def modality(self) -> Modality | None:
        """Texts, if something was said of their symbols."""
        if self.symbols == "auto" and self.vocabulary is None and self.length is None:
            return None
        from ganwright.data.modalities.text import Text

        return Text(symbols=self.symbols, vocabulary=self.vocabulary, length=self.length)


NOTHING_SAID = TableFlags()
NOTHING_OF_TEXTS = TextFlags()


def data_at(path: Path, table: TableFlags, text: TextFlags) -> Any:
    """The path, with what was said of how to read the file."""
    said = {**table.said, **text.said}
    if not said:
        return path
    from ganwright.data.sources.tables import TableFile
    from ganwright.data.tables.asked import Asked

    return TableFile(path, Asked(**said))


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


NO_SOUND_SAID = SoundFlags()


def said_modality(
    path: Path, table: TableFlags, text: TextFlags, sounds: SoundFlags, pictures: dict[str, Any]
) -> Modality | None:
    """What the data are, if something was said of it; None where it is to be found out.

    Args:
        pictures: settings of `Image`, of which some may mean sounds just as well: what lies at `path` decides.
    """
    if found := table.modality() or text.modality():
        return found
    from ganwright.data.sources.sound_folder import SoundFolder
    from ganwright.data.sources.sound_zip import SoundZip

    if sounds == NO_SOUND_SAID and not any(kind.can_open(path) for kind in (SoundFolder, SoundZip)):
        return image_modality(pictures)
    from ganwright.data.modalities.sound import Sound

    sound = Sound(**asdict(sounds), **{name: value for name, value in pictures.items() if name in SHARED})
    return sound if sound != Sound() else None


def image_modality(settings: dict[str, Any]) -> Modality | None:
    """Pictures, if something was said of them."""
    from ganwright.data.modalities.image import Image

    image = Image(**settings)
    return image if image != Image() else None
