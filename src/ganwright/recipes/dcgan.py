"""Pictures with convolutions, in minutes."""

from __future__ import annotations

from ganwright.core.budget import Budget
from ganwright.data.spec import DataSpec
from ganwright.losses.non_saturating import NonSaturating
from ganwright.networks.dcgan import Dcgan
from ganwright.regularizers.r1 import R1
from ganwright.runtime.device import Machine
from ganwright.training.config import AdamConfig, TrainConfig


def dcgan(spec: DataSpec, machine: Machine, budget: Budget) -> TrainConfig:
    """The DCGAN pair with the non-saturating loss and a lazy R1 penalty: steady, sharp, and small enough for a CPU."""
    return TrainConfig(
        recipe="dcgan",
        network=Dcgan(width=32),
        loss=NonSaturating(),
        regularizers=(R1(weight=1.0, interval=8),),
        generator_optimizer=AdamConfig(learning_rate=2e-4),
        discriminator_optimizer=AdamConfig(learning_rate=2e-4),
        batch=64 if machine.device == "cpu" else 128,
        precision=machine.precision("auto"),
        device=machine.device,
    )
