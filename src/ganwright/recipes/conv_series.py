"""Time series: all steps at once, by convolutions along time."""

from __future__ import annotations

from ganwright.core.budget import Budget
from ganwright.core.schedule import Schedule
from ganwright.data.spec import DataSpec
from ganwright.losses.relativistic import Relativistic
from ganwright.networks.conv_series import ConvSeries
from ganwright.optimizers.adam import Adam
from ganwright.regularizers.r1 import R1
from ganwright.regularizers.r2 import R2
from ganwright.runtime.device import Machine
from ganwright.training.config import TrainConfig


def conv_series(spec: DataSpec, machine: Machine, budget: Budget) -> TrainConfig:
    """A relativistic pair with lazy R1 and R2; height and size of a series are drawn first, its course from them."""
    optimizer = Adam(learning_rate=Schedule(1e-3, 2e-5), beta1=0.0, beta2=0.99)
    return TrainConfig(
        recipe="conv_series",
        network=ConvSeries(),
        loss=Relativistic(),
        regularizers=(R1(weight=0.1, interval=4), R2(weight=0.1, interval=4)),
        generator_optimizer=optimizer,
        discriminator_optimizer=optimizer,
        batch=64,
        average_half_life_samples=20_000,
        precision=machine.precision("auto", coarse=spec.is_coarse),
        device=machine.device,
    )
