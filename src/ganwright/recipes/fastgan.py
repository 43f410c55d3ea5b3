"""Tens to some thousands of pictures: a light pair whose discriminator also learns to draw what it saw."""

from __future__ import annotations

from ganwright.augment.diff_augment import DiffAugment
from ganwright.core.budget import Budget
from ganwright.data.spec import DataSpec
from ganwright.losses.hinge import Hinge
from ganwright.networks.fastgan import Fastgan
from ganwright.optimizers.adam import Adam
from ganwright.regularizers.reconstruction import Reconstruction
from ganwright.runtime.device import Machine
from ganwright.training.config import TrainConfig


def fastgan(spec: DataSpec, machine: Machine, budget: Budget) -> TrainConfig:
    """The pair of Liu et al. 2021 (arXiv:2101.04775) with the hinge loss, its decoders, and small batches.

    As published, colours and places of what the discriminator sees are changed (Zhao et al. 2020, arXiv:2006.10738).
    """
    on_cpu = machine.device == "cpu"
    optimizer = Adam(learning_rate=2e-4, beta1=0.5, beta2=0.999)
    return TrainConfig(
        recipe="fastgan",
        network=Fastgan(latent=128, width=8) if on_cpu else Fastgan(),
        loss=Hinge(),
        regularizers=(Reconstruction(),),
        augmentations=(DiffAugment(("colour", "translation")),),
        generator_optimizer=optimizer,
        discriminator_optimizer=optimizer,
        batch=8 if on_cpu else 16,
        reuse_fakes=True,
        average_half_life_samples=5_500,  # 0.999 a step of eight
        precision=machine.precision("auto", coarse=spec.is_coarse),
        device=machine.device,
    )
