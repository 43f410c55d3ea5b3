"""R3GAN of Huang et al. 2024 (arXiv:2501.05441): a relativistic pair, flat on both sides, with modern residual networks.

`r3gan` is cut to the machine and the data; its variants have the published numbers of one data set each.
"""

from __future__ import annotations

import math
from dataclasses import replace

from ganwright.augment.pipeline import Pipeline
from ganwright.core.budget import Budget
from ganwright.core.schedule import Schedule
from ganwright.data.spec import DataSpec
from ganwright.losses.relativistic import Relativistic
from ganwright.networks.r3gan import R3gan
from ganwright.optimizers.adam import Adam
from ganwright.regularizers.r1 import R1, gamma_for
from ganwright.regularizers.r2 import R2
from ganwright.runtime.device import Machine
from ganwright.training.config import TrainConfig

RATES = (2e-4, 5e-5)
CPU_RATES = (1e-3, 1e-4)
"""A CPU takes thousands of steps, not hundreds of thousands; narrow networks bear larger ones."""
SMALL_SIDE = 32
PENALTY_FALLS_BY = 0.1
"""What gamma ends at, as a share of what it starts at: so in every published preset."""


def r3gan(spec: DataSpec, machine: Machine, budget: Budget) -> TrainConfig:
    """Half as wide as published on a GPU, and narrow enough for a CPU to take a few steps a second of small pictures."""
    side = math.sqrt(math.prod(spec.shape[1:]))
    if machine.device == "cpu":
        network = R3gan(width=32 if side <= SMALL_SIDE else 16, max_width=128, blocks=1)
        batch, half_life, rates = 32, 10_000, CPU_RATES
    else:
        width = max(48, min(384, round(384 * SMALL_SIDE / side / 48) * 48))
        network = R3gan(width=width, max_width=384)
        batch, half_life, rates = 128, 200_000, RATES
    return TrainConfig(
        recipe="r3gan",
        network=network,
        loss=Relativistic(),
        regularizers=_penalties(gamma_of(spec.shape)),
        augmentations=(Pipeline.half_colours(),),
        augmentation_strength=Schedule(0.0, 0.3),
        generator_optimizer=_adam(rates),
        discriminator_optimizer=_adam(rates),
        batch=batch,
        average_half_life_samples=Schedule(0.0, half_life),
        precision=machine.precision("auto", coarse=spec.is_coarse),
        device=machine.device,
    )


def gamma_of(shape: tuple[int, ...]) -> float:
    """The first weight of R1 and R2 for pictures of `shape`: 0.25 for grey ones of 28x28, 2 at 64 px, 128 at 256 px.

    A rule through the published presets, 2 at 64 px and 150 at 256 px (at 32 px they have 0.05 and 0.5), but no less than
    what other networks get: digits of 8x8 came out better after 300 steps with 0.05 and with 0.3 than with the rule's 0.004
    (Frechet distance of pixels 12.7, 11.3 and 17.9; one seed).
    """
    side = math.sqrt(math.prod(shape[1:]))
    return max(gamma_for(shape), 2 * (side / 64) ** 3)


def r3gan_cifar10(spec: DataSpec, machine: Machine, budget: Budget) -> TrainConfig:
    """CIFAR-10, 32 px: published for classes (`--conditional`), 8 GPUs and 250 M pictures."""
    network = R3gan(width=768, max_width=768)
    return _published("cifar10", network, 512, 0.05, 0.55, 5_000_000, 20_000_000, spec, machine, budget)


def r3gan_ffhq64(spec: DataSpec, machine: Machine, budget: Budget) -> TrainConfig:
    """Faces of FFHQ, 64 px."""
    network = R3gan(width=384, max_width=768)
    return _published("ffhq64", network, 256, 2.0, 0.3, 500_000, 20_000_000, spec, machine, budget)


def r3gan_ffhq256(spec: DataSpec, machine: Machine, budget: Budget) -> TrainConfig:
    """Faces of FFHQ, 256 px."""
    network = R3gan(width=96, max_width=768)
    return _published("ffhq256", network, 256, 150.0, 0.3, 500_000, 20_000_000, spec, machine, budget)


def r3gan_imagenet32(spec: DataSpec, machine: Machine, budget: Budget) -> TrainConfig:
    """ImageNet, 32 px: published for classes (`--conditional`), 32 GPUs and 1000 M pictures."""
    network = R3gan(width=1536, max_width=1536, group_channels=32)
    return _published("imagenet32", network, 4096, 0.5, 0.5, 50_000_000, 200_000_000, spec, machine, budget)


def r3gan_imagenet64(spec: DataSpec, machine: Machine, budget: Budget) -> TrainConfig:
    """ImageNet, 64 px: published for classes (`--conditional`), 64 GPUs and 1000 M pictures."""
    network = R3gan(width=1536, max_width=1536, group_channels=32)
    return _published("imagenet64", network, 4096, 1.0, 0.4, 50_000_000, 200_000_000, spec, machine, budget)


def _published(
    variant: str,
    network: R3gan,
    batch: int,
    gamma: float,
    strength: float,
    half_life: int,
    change_samples: int,
    spec: DataSpec,
    machine: Machine,
    budget: Budget,
) -> TrainConfig:
    """A published preset: everything that changes does so over `change_samples`, or over the run where that is shorter.

    A run whose length is not said in pictures changes over its whole length.
    """
    over = min(1.0, change_samples / budget.images) if budget.images is not None else 1.0
    optimizer = _adam(RATES, over)
    return replace(
        r3gan(spec, machine, budget),
        recipe=f"r3gan-{variant}",
        network=network,
        regularizers=_penalties(gamma, over),
        augmentation_strength=Schedule(0.0, strength, over),
        generator_optimizer=optimizer,
        discriminator_optimizer=optimizer,
        batch=batch,
        average_half_life_samples=Schedule(0.0, half_life, over),
    )


def _penalties(gamma: float, over: float = 1.0) -> tuple[R1, R2]:
    """Both at every step, and of one weight."""
    weight = Schedule(gamma, PENALTY_FALLS_BY * gamma, over)
    return R1(weight=weight, interval=1), R2(weight=weight, interval=1)


def _adam(rates: tuple[float, float], over: float = 1.0) -> Adam:
    return Adam(learning_rate=Schedule(*rates, over), beta1=0.0, beta2=Schedule(0.9, 0.99, over), epsilon=1e-8)
