"""What a run was asked to do, as its folder keeps it: with this, the config and the data it can be gone on with."""

from __future__ import annotations

from dataclasses import dataclass

from ganwright.core.errors import UsageError
from ganwright.data.modalities.base import Modality
from ganwright.data.tables.asked import Asked
from ganwright.model.locate import REQUEST as REQUEST


@dataclass(frozen=True)
class Request:
    """Beside what config.toml says."""

    place: str = ""
    """The absolute path of the data; empty for objects in memory."""
    labels: str = ""
    """The absolute path of a file of labels that was given with them."""
    asked: Asked | None = None
    """How to read a file of cells, if the user said so."""
    modality: Modality | None = None
    """How to read the data, if the user said so."""
    limit: int | None = None
    start_from: str = ""
    """The absolute path of the model that it started from; empty where it did from none."""
    as_numbers: bool = False
    """Whether rows are taken as plain numbers, since the networks are the user's own."""
    holdout: bool = True
    train_seconds: float | None = None
    """That may be trained, all sittings together; None for a run that ends with its samples."""
    epochs: bool = False
    look_every_samples: float | None = None
    keep_discriminator: bool = False
    keep: int = 2
    """Checkpoints that are kept."""

    def __post_init__(self) -> None:
        if self.keep < 2:
            raise UsageError("E-RUN-08", f"a run keeps 2 checkpoints at least, not {self.keep}", hints=("--keep 2",))
