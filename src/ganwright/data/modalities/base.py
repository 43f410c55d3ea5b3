"""A modality gives bytes their meaning: it learns a codec from a source, and the codec does the rest."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
from PIL import Image as PillowImage
from torch import Tensor

from ganwright.core.config import Part
from ganwright.core.registry import Registry
from ganwright.data.progress import Progress, no_progress
from ganwright.data.record import Record, Skipped
from ganwright.data.record_kind import Kind
from ganwright.data.series.values import SeriesValues
from ganwright.data.sources.base import Source
from ganwright.data.spec import Condition, DataSpec
from ganwright.data.table_rows import TableRows
from ganwright.data.texts.lines import Texts

CLIPPED = "values beyond the range that was found, clipped to it"
"""The note of a codec that packs records which it has not seen when it was fitted."""
MODALITIES = Registry("modality", "ganwright.data.modalities")

__all__ = ["CLIPPED", "MODALITIES", "Codec", "Modality", "Packed", "Progress", "no_progress"]


@dataclass
class Packed:
    """A chunk of records in compact storage, row for row."""

    columns: dict[str, np.ndarray]
    """Arrays of equal length: for pictures {"x": uint8 (n, H, W, C)}, and one per condition, as it says."""
    names: list[str]
    """The record each row came from."""
    skipped: list[Skipped] = field(default_factory=list)
    notes: dict[str, int] = field(default_factory=dict)
    """How often each noteworthy thing was done, by sentence: {"turned upright by their camera tag": 41}."""


class Codec(ABC):
    """What was learned of the data: packs records, expands batches for the networks, decodes what they make.

    Its state is JSON (`state`) plus tensors (`tensors`), and is all that a model file needs of the data.
    """

    modality: ClassVar[str]
    reads: ClassVar[Kind] = "rows"
    """Of what kind records are before they are packed."""
    default_recipe: str
    noun: ClassVar[str] = "records"
    """What many records are called: "pictures"."""
    suffixes: ClassVar[tuple[str, ...]]
    """Of the files that objects can be written to, the usual one first: (".png", ".jpg")."""
    repeats: ClassVar[bool] = False
    """Whether equal records come by nature, as rows of a table do and photos do not."""
    cells: ClassVar[bool] = False
    """Whether an object has cells with names that can be asked for."""
    heard: ClassVar[bool] = False
    """Whether records can be listened to."""
    tells_class: ClassVar[bool] = False
    """Whether networks are told the class of a record unless the user says otherwise, where every record has one."""
    shown: ClassVar[int] = 64
    """Of samples, how many a picture shows when nothing else is said."""
    metrics: ClassVar[tuple[str, ...]] = (
        "frechet",
        "kernel",
        "cmmd",
        "precision_recall",
        "density_coverage",
        "diversity",
        "memorisation",
        "classes",
    )
    """What samples are measured by."""
    default_features: ClassVar[str] = "self"
    """In which features an evaluation compares records, unless the user names others."""
    scoring_features: ClassVar[str] = "random"
    """In which features samples are scored while training."""
    reason: str = ""
    """How the shape was chosen, for the data report; no part of the state."""
    notes: tuple[str, ...] = ()
    """What was found beside it, likewise."""

    @property
    @abstractmethod
    def spec(self) -> DataSpec:
        """One record as the networks see it, with no conditions asked for."""

    @property
    @abstractmethod
    def conditions(self) -> tuple[Condition, ...]:
        """Everything known of the records beside their content."""

    @abstractmethod
    def pack(self, records: Sequence[Record]) -> Packed:
        """Compact storage of the usable ones of `records`, in their order."""

    @abstractmethod
    def expand(self, columns: Mapping[str, Tensor]) -> Tensor:
        """A packed batch, on whatever device it lies, as the float32 tensor that the networks see: (B, *spec.shape)."""

    @abstractmethod
    def decode(self, x: Tensor) -> Any:
        """A batch (B, *spec.shape) as B natural objects, in something that has a length and can be sliced.

        A list of PIL pictures, an array of rows, ...
        """

    def as_recorded(self, x: Tensor) -> Tensor:
        """A batch (B, *spec.shape) as it would be after writing it down and reading it again, so that made records are held
        against real ones on equal terms."""
        return x

    @property
    def measured_spec(self) -> DataSpec:
        """One record as measures see it: as networks do, unless `measured` says otherwise."""
        return self.spec

    def measured(self, x: Tensor) -> Tensor:
        """A batch (B, *spec.shape) as measures see it, (B, *measured_spec.shape)."""
        return x

    def arranged(self, source: Source) -> Source:
        """The source whose records are packed, where a record is more than one of `source`'s; here it is that itself."""
        return source

    def rows(self, x: Tensor) -> TableRows | None:
        """A batch (B, *spec.shape) as rows in natural values, for measures of tables; None where records are none."""
        return None

    def lines(self, objects: Any) -> tuple[str, ...]:
        """Objects (of `decode` or `join`) as lines of text, where these say more than a picture; else none."""
        return ()

    def texts(self, x: Tensor) -> Texts | None:
        """A batch (B, *spec.shape) as texts, for measures of texts; None where records are none."""
        return None

    def series(self, x: Tensor) -> SeriesValues | None:
        """A batch (B, *spec.shape) as series in natural values, for measures of series; None where records are none."""
        return None

    def beside(self, real: Any, objects: Any) -> PillowImage.Image | None:
        """Objects (of `decode` or `join`) drawn beside real ones, where that shows more than `preview`; else None."""
        return None

    def join(self, parts: Sequence[Any]) -> Any:
        """What `decode` gave for several batches, as the one thing that a user gets: here one list of them all."""
        return [item for part in parts for item in part]

    def with_identifiers(self, objects: Any, first: int, seed: int = 0) -> Any:
        """Objects (of `decode` or `join`) first.. with new names where the data's had some; here none have."""
        return objects

    @abstractmethod
    def preview(self, objects: Any, columns: int, title: str = "") -> PillowImage.Image:
        """Objects (of `decode` or `join`) drawn side by side in rows of `columns`, large enough to be looked at.

        A title is drawn above them, shortened to the picture's width.

        Raises:
            ValueError: no objects.
        """

    def aloud(self, objects: Any) -> bytes:
        """Objects (of `decode` or `join`) one after another as a WAV file; b"" where there is nothing to hear."""
        return b""

    @abstractmethod
    def paths(self, folder: Path, first: int, count: int, suffix: str = "") -> list[Path]:
        """The files in `folder` that objects first..first+count-1 belong in: one each, or one that holds them all. `folder`
        may name that one itself, or the only one.

        Args:
            suffix: one of `suffixes`, in any case; empty for the first of them.

        Raises:
            UsageError: objects of this kind cannot be written as such files.
        """

    @abstractmethod
    def write(self, objects: Any, folder: Path, first: int, suffix: str = "") -> list[Path]:
        """Objects (of `decode` or `join`) as the files that `paths` names, which it gives back.

        A file that holds many objects is begun anew at `first` = 0 and added to after that. Whose a file was that lies there
        already is asked with `data.ownership.is_ours`, by the caller and before.

        Raises:
            UsageError: as `paths`.
            OSError: the disk refuses.
        """

    @abstractmethod
    def describe(self) -> str:
        """The shape for people and run names: "64x64 colour"."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """Plain JSON values from which `from_state` makes the codec again."""

    def tensors(self) -> dict[str, Tensor]:
        """The part of the state that is too long for JSON."""
        return {}

    @classmethod
    @abstractmethod
    def from_state(cls, state: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Self:
        """The codec again.

        Raises:
            UsageError, ValueError: the state is not one that `state` gives; every size is checked against bounds first.
        """


class Modality(Part, ABC):
    """A frozen dataclass of settings that learns a codec."""

    registry = MODALITIES
    codec: ClassVar[type[Codec]]
    decodes_twice: ClassVar[bool] = False
    """Whether its records are files that `fit` may decode, for `pack` to find them decoded (`Source.remember`)."""

    @property
    def duplicates(self) -> Literal["ignore", "count", "drop"]:
        """What is done about records that are the same once packed; rows of a table repeat by nature, photos do not."""
        return "ignore"

    @abstractmethod
    def fits(self, source: Source) -> bool:
        """Whether the records of `source` look like this modality's."""

    def arranged(self, source: Source) -> Source:
        """As `Codec.arranged`, before there is a codec."""
        return source

    @abstractmethod
    def fit(self, source: Source, progress: Progress) -> Codec:
        """The codec for `source`: one look over all records, or over as many as decide the question.

        Raises:
            DataError: nothing usable.
        """
