"""Everything that decides how a run trains; with the data and the versions it decides the result."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ganwright.augment.base import Augmentation
from ganwright.core.errors import ResourceError, UsageError
from ganwright.core.schedule import Schedule
from ganwright.data.sampler import KnownColumns
from ganwright.losses.base import Loss
from ganwright.networks.base import NetworkFamily
from ganwright.optimizers.adam import Adam
from ganwright.optimizers.base import Optimizer
from ganwright.regularizers.base import Regularizer
from ganwright.runtime.compiling import Compile
from ganwright.runtime.device import Precision
from ganwright.training.adaptive import Adaptive
from ganwright.training.origin import Origin
from ganwright.training.scoring import Scoring

LEAST_AT_ONCE = 2
"""Records that have a spread, which batch normalisation needs."""


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """A whole GAN: its networks, what they minimise, how fast, and for how long."""

    recipe: str
    """The recipe that it started from."""
    network: NetworkFamily
    """The pair of networks."""
    conditions: tuple[str, ...] = ()
    """What the networks are told of each record beside its content, by name; empty for an unconditional GAN."""
    known: KnownColumns | None = None
    """Of tables: what the networks are told of the rest of a row, so that any columns can be asked for."""
    loss: Loss
    """What the two minimise."""
    regularizers: tuple[Regularizer, ...] = ()
    """Penalties added to either player's loss."""
    augmentations: tuple[Augmentation, ...] = ()
    """Changes applied to what the discriminator sees, real and fake alike, in order."""
    augmentation_strength: float | Schedule | Adaptive = 1.0
    """Between 0 (none) and 1; or a table with a target, and it is adapted to how often the discriminator is right."""
    generator_optimizer: Optimizer = field(default_factory=Adam)
    """The generator's."""
    discriminator_optimizer: Optimizer = field(default_factory=Adam)
    """The discriminator's."""
    balance: bool = False
    """Whether records are drawn so that every class comes equally often, however many records it has."""
    mirror: bool = False
    """Whether real pictures are mirrored half of the time."""
    batch: int = 64
    """Records per turn over all processes."""
    micro_batches: int = 1
    """Parts of it that are worked on in turn: less memory, more time, the same gradients but for batch statistics."""
    discriminator_steps: int = 1
    """Discriminator turns before each generator turn."""
    reuse_fakes: bool = False
    """Whether the generator may learn from the fakes that the discriminator learned from, a pass less, instead of others.

    Of a batch in parts it learns from others all the same.
    """
    average_half_life_samples: float | Schedule = 3_000
    """Samples after which a past generator counts half in the average generator, which is the one that is kept."""
    scoring: Scoring = field(default_factory=Scoring)
    """How often the average generator is scored on the way; the best one is kept."""
    total_samples: int = 0
    """Samples at which schedules end, and training with them; 0 until planned."""
    seed: int = 0
    """Every random number of the run follows from it."""
    device: str = "cpu"
    """Where it was planned to run: "cpu", "cuda", "mps"."""
    precision: Precision = "fp32"
    """Of the networks' products; losses, norms and sums are always fp32."""
    compiled: Compile = "off"
    """Whether torch's compiler makes the networks' calls faster, where no penalty is due (a plan keeps it where it pays)."""
    threads: int = 0
    """CPU threads that were used; 0 means not recorded."""
    trained_from: Origin | None = None
    """The model whose weights it began with; None where they were random."""

    def __post_init__(self) -> None:
        for name, least in (("batch", LEAST_AT_ONCE), ("discriminator_steps", 1), ("micro_batches", 1)):
            if getattr(self, name) < least:
                raise UsageError("E-CONFIG-04", f"{name} must be at least {least}, not {getattr(self, name)}")
        half_life = self.average_half_life_samples
        if (half_life.last if isinstance(half_life, Schedule) else half_life) <= 0:
            raise UsageError("E-CONFIG-04", "average_half_life_samples must be above zero")
        self._check_augmentation()

    def _check_augmentation(self) -> None:
        strength = self.augmentation_strength
        if isinstance(strength, Adaptive):
            if not self.augmentations:
                hints = ("--augment adaptive", "--set 'augmentations=[\"pipeline\"]'")
                raise UsageError("E-AUGMENT-02", "augmentation_strength is to be adapted, of no augmentation", hints=hints)
            return
        values = (strength.start, strength.last) if isinstance(strength, Schedule) else (strength,)
        if not all(0 <= value <= 1 for value in values):
            raise UsageError("E-CONFIG-04", f"augmentation_strength must lie in 0..1, not {max(values, key=abs)}")

    @property
    def generator_needs_real(self) -> bool:
        """Whether fresh reals are drawn for the generator's turn."""
        asked = any("real" in part.needs for part in self.regularizers if part.player == "generator")
        return self.loss.generator_needs_real or self.known is not None or asked

    @property
    def fakes_go_on(self) -> bool:
        """Whether the generator's turn takes the discriminator's fakes: of a whole batch, with no other wish for them."""
        alone = all(part.player != "generator" for part in self.regularizers)
        return self.reuse_fakes and alone and self.micro_batches == 1 and not self.generator_needs_real

    @property
    def total_steps(self) -> int:
        """Steps until the planned samples are seen."""
        return -(-self.total_samples // self.samples_per_step)

    @property
    def samples_per_step(self) -> int:
        """Real records that the discriminator sees in one step."""
        return self.batch * self.discriminator_steps

    @property
    def parts_in_words(self) -> str:
        """How a batch is worked on, where that is not at once."""
        at_once = -(-self.batch // self.micro_batches)
        return f"each batch of {self.batch} is worked on in {self.micro_batches} parts ({at_once} fit at once)"

    def in_smaller_parts(self) -> TrainConfig:
        """The same with half as many records at once, after memory ran out.

        Raises:
            ResourceError: they are two already.
        """
        parts = 2 * self.micro_batches
        if self.batch // parts < LEAST_AT_ONCE:
            at_once = -(-self.batch // self.micro_batches)
            hints = ("a smaller --size", "a smaller network: --set network.width=...", "close other programs")
            raise ResourceError("E-MEMORY-02", f"out of memory, even with {at_once} records at once", hints=hints)
        return replace(self, micro_batches=parts)
