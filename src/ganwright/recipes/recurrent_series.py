"""Time series: drawn step after step, judged in pairs of a real and a made one."""

from __future__ import annotations

from dataclasses import replace

from ganwright.core.budget import Budget
from ganwright.data.spec import DataSpec
from ganwright.networks.recurrent_series import RecurrentSeries
from ganwright.recipes.conv_series import conv_series
from ganwright.runtime.device import Machine
from ganwright.training.config import TrainConfig


def recurrent_series(spec: DataSpec, machine: Machine, budget: Budget) -> TrainConfig:
    """DoppelGANger's networks (Lin et al. 2020, arXiv:1909.13403), trained as `conv_series` is."""
    return replace(conv_series(spec, machine, budget), recipe="recurrent_series", network=RecurrentSeries(), batch=100)
