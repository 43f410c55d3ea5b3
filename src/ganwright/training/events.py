"""What the loop says while it trains; the console, the run folder and a notebook each take what they need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from PIL import Image as PillowImage

from ganwright.model.model import Model

if TYPE_CHECKING:
    from ganwright.training.config import TrainConfig

Ending = Literal["finished", "stopped", "preempted"]
"""Of its own accord; asked to stop; told to hurry, when all is saved and nothing else is done."""


@dataclass(frozen=True)
class Progress:
    """Where training is, about once a second."""

    step: int
    samples_seen: int
    total_samples: int
    elapsed_seconds: float
    """Since the loop began."""
    seconds_left: float
    """Until the samples are done or the time is up, whichever comes first."""
    records_per_second: float
    """Over the last few seconds."""
    epoch: float | None
    """Passes over the data so far; None for an endless stream."""
    health: str
    """ "ok", or what is wrong in a few words."""
    diversity: float | None
    """Mean distance between samples over that between real records; None before the first pictures."""
    numbers: dict[str, float]
    """Losses, logits and penalties, averaged since the last progress."""
    epoch_ended: bool = False
    """Whether a pass over the data has just been completed; only told where the run is counted in passes."""
    by_heart: float | None = None
    """Where held-out records lie, for the discriminator, between those it learns from (0) and fakes (1); None if unknown."""


@dataclass(frozen=True)
class Pictures:
    """The fixed-seed samples, drawn by the codec."""

    step: int
    epoch: float | None
    """As in `Progress`."""
    grid: PillowImage.Image
    lines: tuple[str, ...] = ()
    """The same as lines of text, where that says more."""
    sound: bytes = b""
    """A WAV file of the same samples one after another, of records that can be heard."""


@dataclass(frozen=True)
class Scored:
    """How good the average generator is."""

    step: int
    samples_seen: int
    frechet: float
    """See `yardstick.Score`: lower is better; a Fréchet distance, or what `measure` says."""
    recall: float
    error: float
    """The standard error of `frechet`, from all scores so far."""
    kept: bool
    """Whether no score before was better by more than chance: then this model is kept so far."""
    kept_frechet: float
    """Of the model that is kept so far,"""
    kept_step: int
    """and the step that it is of."""
    features: str
    """The identity of the features that it was measured in."""
    samples: int
    seconds: float
    """That scoring took."""
    measure: str = "Fréchet distance"
    """What `frechet` and `kept_frechet` are, for people."""


@dataclass(frozen=True)
class Snapshot:
    """The model as it is now: its average generator is ready to be saved or sampled, until the next step changes it."""

    step: int
    epoch: float | None
    """As in `Progress`."""
    model: Model


@dataclass(frozen=True)
class Kept:
    """The model that is to be kept so far: the best but for chance, or the latest of a run that is not scored (yet).

    It is a copy, which never changes.
    """

    step: int
    """At which it was as it is."""
    model: Model


@dataclass(frozen=True)
class Checkpointed:
    """Everything that a run needs to go on from this step, as if it had never stopped, has been written."""

    step: int


@dataclass(frozen=True)
class WentBack:
    """The run went back to a good copy of an earlier state, and goes on from there."""

    step: int
    """That it had come to,"""
    to_step: int
    """and that it is at again."""
    why: str


@dataclass(frozen=True)
class Reconfigured:
    """The run goes on with another config."""

    config: TrainConfig


@dataclass(frozen=True)
class Warned:
    """Something the user should know; each text is said once."""

    text: str


@dataclass(frozen=True)
class Ended:
    """The loop's last word."""

    ending: Ending
    why: str
    step: int
    samples_seen: int
    elapsed_seconds: float
    health: str
    kept_step: int
    """Of the model that is kept: the best by its score, or the last one of a run that was not scored."""
