"""Sounds as pictures of how loud each pitch is at each moment, drawn as pictures are."""

from __future__ import annotations

from dataclasses import replace

from ganwright.core.budget import Budget
from ganwright.data.spec import DataSpec
from ganwright.recipes.dcgan import dcgan
from ganwright.runtime.device import Machine
from ganwright.training.config import TrainConfig


def spectrogram(spec: DataSpec, machine: Machine, budget: Budget) -> TrainConfig:
    """What draws pictures draws spectrograms, as in SpecGAN (Donahue et al. 2019, arXiv:1802.04208), brought up to date."""
    return replace(dcgan(spec, machine, budget), recipe="spectrogram")
