"""Sounds as the samples themselves."""

from __future__ import annotations

from ganwright.core.budget import Budget
from ganwright.data.modalities.sound import Sound
from ganwright.data.spec import DataSpec
from ganwright.losses.wasserstein import Wasserstein
from ganwright.networks.wavegan import Wavegan
from ganwright.optimizers.adam import Adam
from ganwright.recipes.registry import reads
from ganwright.regularizers.gradient_penalty import GradientPenalty
from ganwright.runtime.device import Machine
from ganwright.training.config import TrainConfig


@reads(Sound(representation="waveform"))
def wavegan(spec: DataSpec, machine: Machine, budget: Budget) -> TrainConfig:
    """WaveGAN with phase shuffle as published (Donahue et al. 2019, arXiv:1802.04208), a quarter as wide on a CPU.

    Five turns of the critic for each of the generator's, a gradient penalty of 10, batches of 64. They trained for four days
    on a GPU; in minutes, `spectrogram` shows more.
    """
    on_cpu = machine.device == "cpu"
    optimizer = Adam(learning_rate=1e-4, beta1=0.5, beta2=0.9)
    return TrainConfig(
        recipe="wavegan",
        network=Wavegan(width=16 if on_cpu else 64, max_width=256 if on_cpu else 1024, noise="uniform"),
        loss=Wasserstein(),
        regularizers=(GradientPenalty(),),
        generator_optimizer=optimizer,
        discriminator_optimizer=optimizer,
        discriminator_steps=5,
        batch=64,
        average_half_life_samples=10_000,
        precision=machine.precision("auto", coarse=spec.is_coarse),
        device=machine.device,
    )
