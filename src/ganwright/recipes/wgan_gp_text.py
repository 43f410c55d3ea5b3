"""Texts as Gulrajani et al. 2017 drew them: convolutions, a critic with a gradient penalty, and no likelihood at all."""

from __future__ import annotations

from ganwright.core.budget import Budget
from ganwright.data.spec import DataSpec
from ganwright.losses.wasserstein import Wasserstein
from ganwright.networks.conv_text import ConvText
from ganwright.optimizers.adam import Adam
from ganwright.regularizers.gradient_penalty import GradientPenalty
from ganwright.runtime.device import Machine
from ganwright.training.config import TrainConfig


def wgan_gp_text(spec: DataSpec, machine: Machine, budget: Budget) -> TrainConfig:
    """The character model of arXiv:1704.00028, section 5.4, with the settings of its code, where ten turns of the critic
    come before each of the generator's.

    On a CPU a quarter of its channels and three of its five blocks, and five turns: with the whole of it ten minutes are a
    few hundred steps.
    """
    on_cpu = machine.device == "cpu"
    optimizer = Adam(learning_rate=1e-4, beta1=0.5, beta2=0.9)
    return TrainConfig(
        recipe="wgan_gp_text",
        network=ConvText(width=128, blocks=3) if on_cpu else ConvText(),
        loss=Wasserstein(),
        regularizers=(GradientPenalty(weight=10.0, interval=1),),
        generator_optimizer=optimizer,
        discriminator_optimizer=optimizer,
        batch=64,
        discriminator_steps=5 if on_cpu else 10,
        average_half_life_samples=10_000,
        precision=machine.precision("auto", coarse=spec.is_coarse),
        device=machine.device,
    )
