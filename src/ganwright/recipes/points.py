"""Records of few numbers, such as points in a plane: groups of them, however narrow, and what lies between left empty."""

from __future__ import annotations

import math

from ganwright.core.budget import Budget
from ganwright.core.schedule import Schedule
from ganwright.data.spec import DataSpec
from ganwright.losses.relativistic import Relativistic
from ganwright.networks.mlp import Mlp
from ganwright.optimizers.adam import Adam
from ganwright.regularizers.r1 import R1
from ganwright.regularizers.r2 import R2
from ganwright.runtime.device import Machine
from ganwright.training.config import TrainConfig

MOST_LATENT = 7
"""Numbers that a record is drawn from beside the signs, at most: of 16 columns, 15 drew no better than one."""


def points(spec: DataSpec, machine: Machine, budget: Budget) -> TrainConfig:
    """A relativistic pair of dense networks; the generator draws from signs and few numbers, the discriminator sees waves.

    Of signs, no bridge need be drawn from group to group. The penalties R1 and R2 start strong enough that all groups are
    found, and fall until a slope as steep as a group's edge costs little.
    """
    penalty = Schedule(0.07, 1.5e-4)
    optimizer = Adam(learning_rate=Schedule(6e-3, 1.2e-4), beta1=0.0, beta2=0.99)
    return TrainConfig(
        recipe="points",
        network=Mlp(
            latent=max(1, min(math.prod(spec.shape) - 1, MOST_LATENT)),
            signs=8,
            octaves=5,
            generator_widths=(128, 128),
            discriminator_widths=(64, 64, 64),
            generator_slope=0.0,
            batch_normalisation=False,
        ),
        loss=Relativistic(),
        regularizers=(R1(weight=penalty, interval=4), R2(weight=penalty, interval=4)),
        generator_optimizer=optimizer,
        discriminator_optimizer=optimizer,
        batch=192,
        average_half_life_samples=2_000,
        precision=machine.precision("auto", coarse=spec.is_coarse),
        device=machine.device,
    )
