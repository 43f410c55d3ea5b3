"""Tables: numbers drawn together, then word after word."""

from __future__ import annotations

from ganwright.core.budget import Budget
from ganwright.core.schedule import Schedule
from ganwright.data.sampler import KnownColumns
from ganwright.data.spec import DataSpec
from ganwright.losses.relativistic import Relativistic
from ganwright.networks.columns import Columns
from ganwright.optimizers.adam import Adam
from ganwright.regularizers.likelihood import Likelihood
from ganwright.regularizers.r1 import R1
from ganwright.regularizers.r2 import R2
from ganwright.runtime.device import Machine
from ganwright.training.config import TrainConfig


def columns(spec: DataSpec, machine: Machine, budget: Budget) -> TrainConfig:
    """A relativistic pair with lazy R1 and R2 for the numbers, likelihood besides for the words."""
    # Numbers have one pass for all of them, and are the harder part.
    numbers = sum(block.number for block in spec.blocks) / max(1, len(spec.blocks))
    rate = Schedule(5e-4, 1e-5)
    optimizer = Adam(learning_rate=rate, beta1=0.0, beta2=0.99)
    return TrainConfig(
        recipe="columns",
        network=Columns(),
        known=KnownColumns(numbers=min(0.9, max(0.5, numbers)), usual=0.9),
        loss=Relativistic(),
        regularizers=(R1(weight=0.02, interval=4), R2(weight=0.02, interval=4), Likelihood()),
        generator_optimizer=optimizer,
        discriminator_optimizer=optimizer,
        batch=500,
        average_half_life_samples=20_000,
        precision=machine.precision("auto", coarse=spec.is_coarse),
        device=machine.device,
    )
