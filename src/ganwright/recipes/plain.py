"""What most tutorials and the older tools train: for networks of your own."""

from __future__ import annotations

from ganwright.core.budget import Budget
from ganwright.data.spec import DataSpec
from ganwright.losses.non_saturating import NonSaturating
from ganwright.networks.mlp import Mlp
from ganwright.optimizers.adam import Adam
from ganwright.runtime.device import Machine
from ganwright.training.config import TrainConfig


def plain(spec: DataSpec, machine: Machine, budget: Budget) -> TrainConfig:
    """Binary cross-entropy, the generator's labels turned round, and nothing else: as simple as a GAN can be.

    Radford et al. 2016 (arXiv:1511.06434) chose this Adam.
    """
    optimizer = Adam(learning_rate=2e-4, beta1=0.5, beta2=0.999)
    return TrainConfig(
        recipe="plain",
        network=Mlp(),
        loss=NonSaturating(),
        generator_optimizer=optimizer,
        discriminator_optimizer=optimizer,
        batch=100,
        reuse_fakes=True,
        average_half_life_samples=3_000,
        precision=machine.precision("auto", coarse=spec.is_coarse),
        device=machine.device,
    )
