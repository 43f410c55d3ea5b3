"""Records of any kind with dense layers: quick, simple, and blurred on pictures of any size."""

from __future__ import annotations

from ganwright.core.budget import Budget
from ganwright.data.spec import DataSpec
from ganwright.losses.non_saturating import NonSaturating
from ganwright.networks.mlp import Mlp
from ganwright.optimizers.adam import Adam
from ganwright.regularizers.r1 import R1, gamma_for
from ganwright.runtime.device import Machine
from ganwright.training.config import TrainConfig


def mlp(spec: DataSpec, machine: Machine, budget: Budget) -> TrainConfig:
    """The dense pair of the earliest GANs with the non-saturating loss and a lazy R1 penalty."""
    return TrainConfig(
        recipe="mlp",
        network=Mlp(),
        loss=NonSaturating(),
        regularizers=(R1(weight=gamma_for(spec.shape), interval=8),),
        generator_optimizer=Adam(learning_rate=2e-4),
        discriminator_optimizer=Adam(learning_rate=2e-4),
        batch=128,
        average_half_life_samples=10_000,
        precision=machine.precision("auto", coarse=spec.is_coarse),
        device=machine.device,
    )
