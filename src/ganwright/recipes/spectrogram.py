"""Sounds as pictures of how loud each pitch is at each moment, drawn as pictures are."""

from __future__ import annotations

from dataclasses import replace

from ganwright.core.budget import Budget
from ganwright.core.schedule import Schedule
from ganwright.data.spec import DataSpec
from ganwright.optimizers.adam import Adam
from ganwright.recipes.dcgan import dcgan
from ganwright.regularizers.r1 import R1, gamma_for
from ganwright.runtime.device import Machine
from ganwright.training.config import TrainConfig


def spectrogram(spec: DataSpec, machine: Machine, budget: Budget) -> TrainConfig:
    """What draws pictures draws spectrograms, as in SpecGAN (Donahue et al. 2019, arXiv:1802.04208), brought up to date.

    On a CPU the rate falls further than for pictures, each turn has its own fakes, and gamma does not rise: so it was
    measured (bench/README.md).
    """
    penalty = R1(weight=gamma_for(spec.shape), interval=8)
    config = replace(dcgan(spec, machine, budget), recipe="spectrogram", regularizers=(penalty,), reuse_fakes=False)
    if machine.device != "cpu":
        return config
    optimizer = Adam(learning_rate=Schedule(1.5e-3, 1e-4))
    return replace(config, generator_optimizer=optimizer, discriminator_optimizer=optimizer)
