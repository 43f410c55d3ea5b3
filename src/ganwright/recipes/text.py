"""Texts: a recurrent generator that chooses symbols, taught by likelihood at first and by a discriminator more and more."""

from __future__ import annotations

from ganwright.core.budget import Budget
from ganwright.core.schedule import Schedule
from ganwright.data.spec import DataSpec
from ganwright.losses.relativistic import Relativistic
from ganwright.networks.recurrent import Recurrent
from ganwright.optimizers.adam import Adam
from ganwright.regularizers.r1 import R1
from ganwright.regularizers.r2 import R2
from ganwright.regularizers.teaching import Teaching
from ganwright.runtime.device import Machine
from ganwright.training.config import TrainConfig


def text(spec: DataSpec, machine: Machine, budget: Budget) -> TrainConfig:
    """A relativistic pair without reinforcement learning: gradients go straight through the chosen symbols."""
    return TrainConfig(
        recipe="text",
        network=Recurrent(),
        loss=Relativistic(),
        regularizers=(
            R1(weight=0.02, interval=8),
            R2(weight=0.02, interval=8),
            # At first next to nothing of the adversary's gradient is heard, which says little of letters without a sense.
            Teaching(weight=Schedule(10.0, 1.0)),
        ),
        generator_optimizer=Adam(learning_rate=Schedule(4e-3, 1e-4), beta1=0.5, beta2=0.99),
        discriminator_optimizer=Adam(learning_rate=Schedule(1e-3, 1e-4), beta1=0.5, beta2=0.99),
        batch=64,
        average_half_life_samples=20_000,
        precision=machine.precision("auto", coarse=spec.is_coarse),
        device=machine.device,
    )
