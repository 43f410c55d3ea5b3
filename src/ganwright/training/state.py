"""Everything that changes while training."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.optim import Adam

from ganwright.data.spec import DataSpec
from ganwright.networks.base import Discriminator, Generator
from ganwright.regularizers.base import RegularizerState
from ganwright.runtime.keys import Key
from ganwright.training.average import AverageGenerator
from ganwright.training.config import AdamConfig, TrainConfig


@dataclass
class TrainState:
    """Networks, optimizers, average generator, the regularizers' memory, and the position in the run."""

    generator: Generator
    discriminator: Discriminator
    generator_optimizer: Adam
    discriminator_optimizer: Adam
    average: AverageGenerator
    regularizer_states: list[RegularizerState]
    seed: int
    attempt: int = 0
    step: int = 0
    samples_seen: int = 0

    def key(self, turn: str, repeat: int = 0) -> Key:
        """The key of this step's draws in one turn."""
        return Key(self.seed, self.attempt, self.step, turn, repeat)


def initial_state(config: TrainConfig, spec: DataSpec) -> TrainState:
    """A run before its first step; the weights follow from the seed alone, whatever the device."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(Key(config.seed).seed_for("weights"))
        generator, discriminator = config.network.build(spec)
    # Channels-last suits the convolutions of every device we know; dense layers do not mind.
    layout = torch.channels_last
    generator = generator.to(config.device).to(memory_format=layout).requires_grad_(False)  # type: ignore[call-overload]
    discriminator = discriminator.to(config.device).to(memory_format=layout).requires_grad_(False)  # type: ignore[call-overload]
    return TrainState(
        generator=generator.train(),
        discriminator=discriminator.train(),
        generator_optimizer=_adam(generator, config.generator_optimizer, config.device),
        discriminator_optimizer=_adam(discriminator, config.discriminator_optimizer, config.device),
        average=AverageGenerator(generator),
        regularizer_states=[regularizer.initial_state() for regularizer in config.regularizers],
        seed=config.seed,
    )


def _adam(network: Generator | Discriminator, config: AdamConfig, device: str) -> Adam:
    betas = (config.beta1, config.beta2)
    # The rate is set at every step from its schedule.
    return Adam(network.parameters(), lr=0.0, betas=betas, eps=config.epsilon, fused=device in ("cpu", "cuda"))
