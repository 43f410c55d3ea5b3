"""One player's turn: its draws, and the two networks under the turn's augmentation and precision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from ganwright.data.spec import DataSpec
from ganwright.model.noise import draw_noise
from ganwright.model.output import apply_output
from ganwright.networks.base import UNCONDITIONED, Conditions
from ganwright.networks.parts.joint_draws import JointDraws, drawing
from ganwright.regularizers.base import Regularizer
from ganwright.runtime.distributed import share_of
from ganwright.runtime.keys import Key
from ganwright.runtime.precision import at_least_single
from ganwright.runtime.seeding import seed_draws
from ganwright.training.config import TrainConfig
from ganwright.training.state import TrainState


@dataclass
class Turn:
    """Draws are made for the whole global batch, and this turn takes its rows.

    Everything judged within a turn is augmented by the same draws: real i, fake i and whatever lies between them.
    """

    state: TrainState
    config: TrainConfig
    spec: DataSpec
    key: Key
    rows: slice
    """Of the global batch, that are worked on here."""
    condition: Conditions = field(default_factory=lambda: UNCONDITIONED)
    """Of real i and fake i alike."""
    real: Tensor | None = None
    fake: Tensor = field(init=False)
    real_logits: tuple[Tensor, ...] = ()
    fake_logits: tuple[Tensor, ...] = ()
    extras: Mapping[str, Tensor] = field(default_factory=dict)
    """What the generator gave besides the last fakes."""
    _joint_draws: JointDraws | None = None
    """None where these rows are the whole batch."""

    def __post_init__(self) -> None:
        # What modules draw by themselves (a user's own noise) follows the step too, apart for other rows; layers of ours
        # (dropout) draw for the whole batch, and take these rows.
        seed_draws(self.key.seed_for(f"modules {self.rows.start}"), self.config.device)
        batch = self.config.batch
        if len(range(batch)[self.rows]) < batch:
            self._joint_draws = JointDraws(self.rows, batch, self.key.seed_for("modules 0"), self.config.device)

    def generate(self) -> Tensor:
        """Fakes for this turn's noise, (B, *shape) float32."""
        with self._precision(), drawing(self._joint_draws):
            made = self._called(self.state.generator, self._noise(), self.condition)
        self.extras = made.extras
        return apply_output(self.spec, at_least_single(made.raw))

    def judge(self, x: Tensor) -> tuple[Tensor, ...]:
        """The discriminator's logits per head, float32."""
        return self._verdict(self._augmented(x), self.condition)

    def judge_together(self, x: Tensor, y: Tensor) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        """As `judge` of each, in one call, which is quicker; for a discriminator that judges each record by itself."""
        condition = {name: torch.cat([value, value]) for name, value in self.condition.items()}
        heads = self._verdict(self._augmented(torch.cat([x, y])), condition)
        return tuple(head[: len(x)] for head in heads), tuple(head[len(x) :] for head in heads)

    def reconstruct(self, x: Tensor) -> tuple[tuple[Tensor, Tensor], ...]:
        """What the discriminator draws again from its own maps, and what it was meant to be, float32.

        Raises:
            UsageError: it is of a family that does not.
        """
        discriminator = self.state.discriminator
        draws = self.uniform("reconstruction", (x.shape[0], discriminator.reconstruction_draws))
        x = self._augmented(x)
        with self._precision(), drawing(self._joint_draws):
            pairs = discriminator.reconstruct(x, draws)
        return tuple((at_least_single(drawn), at_least_single(meant)) for drawn, meant in pairs)

    def log_likelihood(self, x: Tensor) -> Tensor:
        """How likely the generator is to make `x` (B, *shape) of this turn's noise, (B,) float32 in nats.

        Raises:
            UsageError: it is of a family that cannot tell.
        """
        with self._precision():
            return at_least_single(self.state.generator.log_likelihood(x, self._noise(), self.condition))

    @property
    def is_first(self) -> bool:
        """Whether its rows are the first ones that this process works on."""
        return self.rows.start == share_of(self.config.batch).start

    def uniform(self, purpose: str, shape: tuple[int, ...]) -> Tensor:
        """Numbers in [0, 1), one row of `shape` per place of the batch."""
        drawn = self.key.generator(purpose).random((self.config.batch, *shape[1:]), dtype="float32")
        return self._mine(torch.from_numpy(drawn))

    def _augmented(self, x: Tensor) -> Tensor:
        """What the discriminator sees of `x`, which may be several batches one after another, each with the same draws."""
        strength = self.state.augmentation_strength(self.config)
        known = not isinstance(strength, Tensor) or strength.device.type == "cpu"  # a GPU would have to be waited for
        if known and strength == 0:
            return x  # which is what would come back
        for number, augmentation in enumerate(self.config.augmentations):
            draws = self.uniform(f"augmentation {number}", (self.config.batch, augmentation.draws()))
            x = augmentation.apply(x, strength, draws.repeat(len(x) // len(draws), 1))
        return x

    def _verdict(self, x: Tensor, condition: Conditions) -> tuple[Tensor, ...]:
        with self._precision(), drawing(self._joint_draws):
            logits = self._called(self.state.discriminator, x, condition).logits
        return tuple(at_least_single(head) for head in logits)

    def _called(self, network: nn.Module, *inputs: Any) -> Any:
        """The network's answer, by compiled calls where there are such and no penalty may differentiate twice."""
        compiled = self.state.compiled
        if compiled is None or due(self.config, self.key.turn, self.state.step):
            return network(*inputs)
        return compiled(network, *inputs)

    def _noise(self) -> dict[str, Tensor]:
        """The turn's noise for these rows, by name."""
        noise = draw_noise(self.state.generator.noise, self.config.batch, self.key)
        return {name: self._mine(value) for name, value in noise.items()}

    def _mine(self, drawn: Tensor) -> Tensor:
        return drawn[self.rows].to(self.config.device, non_blocking=True)

    def _precision(self) -> torch.autocast:
        return torch.autocast(self.config.device, torch.bfloat16, enabled=self.config.precision == "bf16")


def due(config: TrainConfig, player: str, step: int) -> list[tuple[int, Regularizer]]:
    """The player's regularizers whose turn it is at `step`, with their places in the config."""
    numbered = enumerate(config.regularizers)
    return [
        (i, regularizer) for i, regularizer in numbered if regularizer.player == player and step % regularizer.interval == 0
    ]
