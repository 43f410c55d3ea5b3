"""What a pair of networks is, whatever it draws."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import ClassVar, Literal, Self

import torch
from torch import Tensor, nn

from ganwright.core.config import Part
from ganwright.core.errors import UsageError
from ganwright.core.registry import Registry
from ganwright.data.spec import DataSpec

NETWORKS = Registry("network", "ganwright.networks")

MAX_WIDTH = 8192
"""The widest layer that a family accepts: a stranger's model file must not ask for more."""

Distribution = Literal["normal", "uniform", "truncated", "sphere", "signs"]
"""normal: mean 0, deviation 1; uniform: in [-1, 1); truncated: normal, values beyond two deviations drawn again; sphere:
normal, scaled to the length that normal vectors have on average (the root of their number of values); signs: -1 or 1, each
half of the time."""

Conditions = Mapping[str, Tensor]
"""What the rows of a batch are conditioned on, by name and in the spec's order: a class's place int64 (B,), labels float32
(B, K) of 0 and 1, a number float32 (B,) in -1..1 (`data.spec.Condition`). Of tables also
`data.blocks.KNOWN`, float32 (B, W + 2C): what is known of each row, and which columns are drawn."""

UNCONDITIONED: Conditions = MappingProxyType({})


@dataclass(frozen=True)
class NoiseInput:
    """One source of randomness that a generator takes."""

    shape: tuple[int, ...]
    """Of one record's draw."""
    distribution: Distribution = "normal"
    """Of its values."""


@dataclass(frozen=True)
class Generated:
    """What a generator makes."""

    raw: Tensor
    """(B, *spec.shape) before the spec's output activation."""
    extras: Mapping[str, Tensor] = field(default_factory=dict)
    """What a helper loss of the same family needs besides."""


@dataclass(frozen=True)
class Verdict:
    """What a discriminator says of a batch."""

    logits: tuple[Tensor, ...]
    """One tensor per head, each (B,) or (B, patches)."""
    features: Tensor | None = None
    """(B, F): the last layer's input, where a family offers it."""


@dataclass(frozen=True)
class Place:
    """Where a weight stands in its network, in words that mean the same in its family's networks for other records."""

    name: str
    """Stages are counted from the smallest map, which stays when there are more of them."""
    maps: Mapping[int, tuple[int, int]] = field(default_factory=dict[int, tuple[int, int]])
    """Axes that run through the values of maps, channel after channel: (height, width) of one."""


class Network(nn.Module, ABC):
    """Either player."""

    def place(self, name: str) -> Place:
        """Of the entry `name` of the state dict; what says nothing of itself stands under its name.

        It decides what a run takes over from a model of other records (`training.carrying`).
        """
        return Place(name)


class Generator(Network):
    """Noise, and what the record is conditioned on, to a record."""

    noise: dict[str, NoiseInput]
    block: ClassVar[int] = 64
    """Samples that are drawn at once, a multiple of `model.noise.BLOCK`: another number changes their last digits."""
    reentrant: ClassVar[bool] = True
    """Whether several threads may call it at once."""

    @abstractmethod
    def forward(self, noise: Mapping[str, Tensor], condition: Conditions = UNCONDITIONED) -> Generated:
        """A batch; `noise` has one tensor (B, *shape) per declared input."""

    def follow(self, samples_seen: int, total_samples: int) -> None:
        """Set what changes in the course of training, by a schedule of the family's; nothing here."""

    def log_likelihood(self, x: Tensor, noise: Mapping[str, Tensor], condition: Conditions = UNCONDITIONED) -> Tensor:
        """How likely it is to make records x (B, *spec.shape) of such a latent, whatever else of the noise it draws from,
        (B,) in nats.

        Raises:
            UsageError: the family cannot tell.
        """
        what = "this generator does not know how likely a record is"
        raise UsageError("E-PENALTY-03", what, hints=("network recurrent", "leave the penalty teaching out"))


class Discriminator(Network):
    """A record to logits: high for real."""

    by_itself: bool = False
    """Whether its verdict on a record is the same whatever else is in the batch: reals and fakes then share a call."""
    reconstruction_draws: ClassVar[int] = 0
    """Numbers in [0, 1) that `reconstruct` takes for each record."""

    @abstractmethod
    def forward(self, x: Tensor, condition: Conditions = UNCONDITIONED) -> Verdict:
        """A verdict on x (B, *spec.shape)."""

    def score(self, x: Tensor, condition: Conditions = UNCONDITIONED) -> Tensor:
        """How real each record looks, (B,), the mean over heads and patches: logits, unless the network says otherwise."""
        return mean_verdict(self(x, condition).logits)

    def reconstruct(self, x: Tensor, draws: Tensor) -> tuple[tuple[Tensor, Tensor], ...]:
        """What helper networks within the discriminator draw again from its maps of x (B, *spec.shape), as pairs
        (drawn, meant) of equal shapes (B, ...); draws (B, self.reconstruction_draws) say which part of a record.

        Raises:
            UsageError: the family has no such helpers.
        """
        what = "this discriminator reconstructs nothing"
        raise UsageError("E-PENALTY-02", what, hints=("network fastgan", "leave the penalty reconstruction out"))


@dataclass(frozen=True)
class NetworkFamily(Part, ABC):
    """A frozen dataclass of settings that builds both networks for any fitting DataSpec.

    Building may happen on the meta device, so a family allocates nothing before its settings have passed their bounds.
    """

    noise: Distribution = field(default="normal", kw_only=True)
    """What the latent is drawn from."""

    registry = NETWORKS
    kinds: ClassVar[frozenset[str]]
    """The spec kinds it can draw; empty means any."""
    applies_output: ClassVar[bool] = False
    """Whether its generators apply an output activation of their own, or want none, so that the spec's is left out."""
    hears_conditions: ClassVar[bool] = True
    """Whether its networks can be told what is known of a record."""

    @property
    def cpu_widths(self) -> tuple[int, ...]:
        """Values of its setting `width`, narrow to wide, of which a run on a CPU gets what its time allows; empty: none."""
        return ()

    @property
    def condition_inputs(self) -> int | None:
        """How many conditions its networks take; None: as many as the run has."""
        return None if self.hears_conditions else 0

    def resolved(self, spec: DataSpec) -> Self:
        """The settings with what only a look at the networks tells.

        Raises:
            UsageError: the networks do not fit `spec`.
        """
        return self

    def resized(self, old: DataSpec, new: DataSpec) -> Self:
        """The settings for records of `new` with which small maps are as they are in the networks for `old`.

        So that what was learned of them can be taken over; most families have nothing to change.
        """
        return self

    @classmethod
    def example(cls, spec: DataSpec) -> Self:
        """Small settings that fit `spec`, for tests; a family whose settings have no defaults says which."""
        return cls()

    @abstractmethod
    def generator(self, spec: DataSpec) -> Generator:
        """The generator alone, as sampling needs it."""

    @abstractmethod
    def discriminator(self, spec: DataSpec) -> Discriminator:
        """The discriminator alone."""

    def build(self, spec: DataSpec) -> tuple[Generator, Discriminator]:
        """Both, the generator first."""
        return self.generator(spec), self.discriminator(spec)


def mean_verdict(heads: Sequence[Tensor]) -> Tensor:
    """The mean over heads and patches, (B,), of tensors (B,) or (B, patches)."""
    return torch.stack([head.flatten(1).mean(1) if head.ndim > 1 else head for head in heads]).mean(0)


def check_share(name: str, value: float) -> None:
    """Raise ValueError unless `value` lies in 0..1; NaN does not."""
    if not 0 <= value <= 1:
        raise ValueError(f"{name} must lie in 0..1, not {value}")


def check_width(name: str, width: int) -> None:
    """Raise ValueError unless `width` lies in 1..MAX_WIDTH."""
    if not 1 <= width <= MAX_WIDTH:
        raise ValueError(f"{name} must lie in 1..{MAX_WIDTH}, not {width}")
