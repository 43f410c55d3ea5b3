"""Pictures with convolutions, in minutes."""

from __future__ import annotations

import math
from dataclasses import replace

from ganwright.core.budget import Budget
from ganwright.core.schedule import Schedule
from ganwright.data.spec import DataSpec
from ganwright.losses.non_saturating import NonSaturating
from ganwright.networks.dcgan import Dcgan
from ganwright.optimizers.adam import Adam
from ganwright.regularizers.r1 import R1, gamma_for
from ganwright.runtime.device import Machine
from ganwright.training.config import TrainConfig

RISES_FROM, RISE = 3 * 32 * 32, 4.0
"""Values of a picture from which gamma rises over the run, and to what at most, times its first value."""


def dcgan(spec: DataSpec, machine: Machine, budget: Budget) -> TrainConfig:
    """The DCGAN pair with the non-saturating loss and a lazy R1 penalty: steady, sharp, and small enough for a CPU.

    A squared gradient is a sum over a picture's values, and shrinks as they grow in number: gamma follows it. Small batches
    make many steps of the few pictures that a CPU can look at in minutes, at rates that start high and fall. Chosen by
    Frechet distance of learned features on cat faces of 64 px (width 16, 400 seconds of one core, one seed): batches of 32,
    16 and 8 at a rate of 1e-3 got 0.195, 0.128 and 0.187; a batch of 16 whose rate falls to 1e-4 got 0.131, with a recall of
    0.63 instead of 0.54. The relativistic loss got 0.290 with that. How far it should fall, and gamma rise:
    docs/bakeoff/README.md.
    """
    on_cpu = machine.device == "cpu"
    optimizer = Adam(learning_rate=Schedule(1.5e-3, 5e-4) if on_cpu else 2e-4)
    return TrainConfig(
        recipe="dcgan",
        network=Dcgan(width=32 if on_cpu else 64),
        loss=NonSaturating(),
        regularizers=(R1(weight=_gamma(spec.shape), interval=8),),
        generator_optimizer=optimizer,
        discriminator_optimizer=optimizer,
        batch=16 if on_cpu else 64,
        reuse_fakes=True,
        average_half_life_samples=10_000,
        precision=machine.precision("auto", coarse=spec.is_coarse),
        device=machine.device,
    )


def _gamma(shape: tuple[int, ...]) -> float | Schedule:
    """Constant up to 32 px; for larger pictures it rises over the run, by how many values they have, from 64 px on fourfold.

    Found by whole runs on cat faces of 64 px, emoji of 72 px and CIFAR-10: docs/bakeoff/README.md.
    """
    gamma = gamma_for(shape)
    rise = min(RISE, math.prod(shape) / RISES_FROM)
    return Schedule(gamma, rise * gamma) if rise > 1 else gamma


def dcgan_published(spec: DataSpec, machine: Machine, budget: Budget) -> TrainConfig:
    """As Radford et al. 2016 (arXiv:1511.06434) have it, and most tutorials since: the yardstick of what came later.

    But for what every run has: samples are those of the average generator.
    """
    optimizer = Adam(learning_rate=2e-4, beta1=0.5, beta2=0.999)
    return replace(
        dcgan(spec, machine, budget),
        recipe="dcgan-published",
        network=Dcgan(latent=100, width=64, form="published", noise="uniform"),
        regularizers=(),
        generator_optimizer=optimizer,
        discriminator_optimizer=optimizer,
        batch=128,
    )
