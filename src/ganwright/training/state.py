"""Everything that changes while training."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from ganwright.core.errors import UsageError
from ganwright.core.schedule import value_at
from ganwright.data.spec import DataSpec
from ganwright.networks.base import Discriminator, Generator
from ganwright.networks.parts.joint_norm import join_statistics
from ganwright.regularizers.base import RegularizerState
from ganwright.runtime.compiling import CompiledCalls, compiled_calls
from ganwright.runtime.distributed import summed, world_size
from ganwright.runtime.keys import Key
from ganwright.runtime.placing import place
from ganwright.training.adaptive import STRENGTH, Adaptive
from ganwright.training.average import AverageGenerator
from ganwright.training.config import TrainConfig


@dataclass
class TrainState:
    """Networks, optimizers, average generator, the regularizers' memory, and the position in the run."""

    generator: Generator
    discriminator: Discriminator
    generator_optimizer: Optimizer
    discriminator_optimizer: Optimizer
    average: AverageGenerator
    regularizer_states: list[RegularizerState]
    seed: int
    attempt: int = 0
    step: int = 0
    samples_seen: int = 0
    adapted: dict[str, Tensor] = field(default_factory=dict)
    """What `Adaptive` remembers; empty where the augmentation's strength is not adapted."""
    remembered: dict[int, RegularizerState] = field(default_factory=dict[int, RegularizerState])
    """What penalties, by their numbers, will remember of the turn that is under way; empty between steps."""
    compiled: CompiledCalls | None = None
    """How networks are called where no penalty is due; None: as they are."""

    def remember(self, number: int, memory: RegularizerState, share: float) -> None:
        """Add what the penalty of that number in the config would remember of `share` of a turn's rows."""
        total = self.remembered.setdefault(number, {})
        for name, value in memory.items():
            value = value.detach() * share
            total[name] = total[name] + value if name in total else value

    def settle(self) -> None:
        """At a turn's end, over all processes: what was gathered takes the place of what was remembered."""
        for number in sorted(self.remembered):
            self.regularizer_states[number] = {name: summed(value) for name, value in self.remembered.pop(number).items()}

    def key(self, turn: str, repeat: int = 0) -> Key:
        """The key of this step's draws in one turn."""
        return Key(self.seed, self.attempt, self.step, turn, repeat)

    def augmentation_strength(self, config: TrainConfig) -> float | Tensor:
        """Of this step, in 0..1; a tensor () on the run's device where it is adapted."""
        if isinstance(config.augmentation_strength, Adaptive):
            return self.adapted[STRENGTH]
        return value_at(config.augmentation_strength, self.samples_seen, config.total_samples)

    def adapt_augmentation(self, config: TrainConfig, real_called_real: Tensor) -> dict[str, Tensor]:
        """Move the strength of what was augmented in this step, where that is asked for; gives what it was, for the report.

        Args:
            real_called_real: the share of verdicts on reals that were right.
        """
        if not config.augmentations:
            return {}
        was = self.augmentation_strength(config)
        if isinstance(adaptive := config.augmentation_strength, Adaptive):
            seen, total = config.samples_per_step, config.total_samples
            self.adapted = adaptive.adapt(self.adapted, real_called_real, self.step, seen, total)
        return {"augmentation": was if isinstance(was, Tensor) else torch.full((), was, device=config.device)}


def initial_state(config: TrainConfig, spec: DataSpec) -> TrainState:
    """A run before its first step; the weights follow from the seed alone, whatever the device.

    Raises:
        UsageError: a network without weights that learn.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(Key(config.seed).seed_for("weights"))
        generator, discriminator = config.network.build(spec)
    for network in (generator, discriminator):
        place(network, config.device)
        if world_size() > 1:
            join_statistics(network)
    # What a user's own network keeps frozen never gets into an optimizer, and so stays frozen.
    learning = {"generator": _learning("generator", generator), "discriminator": _learning("discriminator", discriminator)}
    strength = config.augmentation_strength
    return TrainState(
        generator=generator.requires_grad_(False).train(),
        discriminator=discriminator.requires_grad_(False).train(),
        generator_optimizer=config.generator_optimizer.build(learning["generator"], config.device),
        discriminator_optimizer=config.discriminator_optimizer.build(learning["discriminator"], config.device),
        average=AverageGenerator(generator, spec.conditions),
        regularizer_states=[regularizer.initial_state() for regularizer in config.regularizers],
        seed=config.seed,
        adapted=strength.initial(config.device) if isinstance(strength, Adaptive) else {},
        compiled=compiled_calls(config.compiled),
    )


def _learning(player: str, network: nn.Module) -> list[nn.Parameter]:
    parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
    if not parameters:
        raise UsageError("E-NETWORK-04", f"the {player} has no weights that could learn")
    return parameters
