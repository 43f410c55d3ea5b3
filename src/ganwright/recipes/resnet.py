"""Pictures with residual convolutions and a spectrally normalised discriminator."""

from __future__ import annotations

from ganwright.core.budget import Budget
from ganwright.data.spec import DataSpec
from ganwright.losses.hinge import Hinge
from ganwright.networks.resnet import Resnet
from ganwright.optimizers.adam import Adam
from ganwright.runtime.device import Machine
from ganwright.training.config import TrainConfig


def resnet(spec: DataSpec, machine: Machine, budget: Budget) -> TrainConfig:
    """The residual pair of Miyato et al. 2018 (arXiv:1802.05957) with the hinge loss and no penalty.

    They give the discriminator five steps for each of the generator's. One step at twice the rate (Heusel et al. 2017,
    arXiv:1706.08500; Zhang et al. 2019, arXiv:1805.08318) shows more in the same time.
    """
    on_cpu = machine.device == "cpu"
    return TrainConfig(
        recipe="resnet",
        network=Resnet(width=16, max_width=128) if on_cpu else Resnet(),
        loss=Hinge(),
        generator_optimizer=Adam(learning_rate=2e-4, beta1=0.0, beta2=0.9),
        discriminator_optimizer=Adam(learning_rate=4e-4, beta1=0.0, beta2=0.9),
        batch=32 if on_cpu else 64,
        average_half_life_samples=10_000,
        precision=machine.precision("auto", coarse=spec.is_coarse),
        device=machine.device,
    )
