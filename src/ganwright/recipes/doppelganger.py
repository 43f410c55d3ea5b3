"""Time series as DoppelGANger draws them: what holds for all of a series first, then step after step."""

from __future__ import annotations

from ganwright.core.budget import Budget
from ganwright.data.spec import DataSpec
from ganwright.losses.wasserstein import Wasserstein
from ganwright.networks.recurrent_series import RecurrentSeries
from ganwright.optimizers.adam import Adam
from ganwright.regularizers.gradient_penalty import GradientPenalty
from ganwright.runtime.device import Machine
from ganwright.training.config import TrainConfig


def doppelganger(spec: DataSpec, machine: Machine, budget: Budget) -> TrainConfig:
    """Lin et al. 2020 (arXiv:1909.13403): a Wasserstein pair, the gradient penalty of each series by itself, and a second
    verdict on what holds for all of a series."""
    optimizer = Adam(learning_rate=1e-3, beta1=0.5, beta2=0.999)
    return TrainConfig(
        recipe="doppelganger",
        network=RecurrentSeries(),
        loss=Wasserstein(),
        regularizers=(GradientPenalty(weight=10.0),),
        generator_optimizer=optimizer,
        discriminator_optimizer=optimizer,
        batch=100,
        average_half_life_samples=20_000,
        precision=machine.precision("auto", coarse=spec.is_coarse),
        device=machine.device,
    )
