"""One of several processes that train the same things; run as `python process_worker.py RANK SIZE STORE OUT`.

It writes, for every case, the numbers of each step and what the average generator draws in the end.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
import torch.distributed
from support import CPU, tiny_config, tiny_data_of, tiny_dataset, tiny_table
from torch import Tensor, nn
from torch._C._distributed_c10d import FileStore

from ganwright.augment.diff_augment import DiffAugment
from ganwright.core.budget import Budget
from ganwright.data.dataset import Dataset
from ganwright.losses.relativistic import Relativistic
from ganwright.model.noise import draw_noise
from ganwright.networks.base import Conditions
from ganwright.networks.dcgan import Dcgan
from ganwright.networks.keras.definition import Layers
from ganwright.networks.layered import Layered
from ganwright.networks.own.module_pair import ModulePair
from ganwright.networks.r3gan import R3gan
from ganwright.plan import config_for
from ganwright.recipes.registry import RECIPES
from ganwright.regularizers.lecam import Lecam
from ganwright.regularizers.r1 import R1
from ganwright.regularizers.r2 import R2
from ganwright.runtime.distributed import come_near
from ganwright.runtime.keys import Key
from ganwright.runtime.nearby import Nearby, meet
from ganwright.training.adaptive import Adaptive
from ganwright.training.average import on_device
from ganwright.training.batches import ALL, Batches
from ganwright.training.config import TrainConfig
from ganwright.training.run_spec import run_spec
from ganwright.training.state import TrainState, initial_state
from ganwright.training.step import train_step

BATCH = 64
LONG, SHORT = 200, 20
"""Steps in double and in single precision."""
VARIANTS = ("layers as text", "unequal shares")
"""Cases that train as others do, but for what shows soon: SHORT steps are enough."""
FEW = 2
"""Steps of each recipe, in double precision."""


class OwnGenerator(nn.Sequential):
    """As a user writes one: plain torch, with batch normalisation."""

    def __init__(self) -> None:
        super().__init__(
            nn.Linear(8, 32, bias=False),
            nn.BatchNorm1d(32),
            nn.ReLU(),
            nn.Linear(32, 64),
            nn.Tanh(),
            nn.Unflatten(1, (1, 8, 8)),
        )


class OwnDiscriminator(nn.Sequential):
    """As a user writes one, which ends in a sigmoid."""

    def __init__(self) -> None:
        layers = (nn.Flatten(), nn.Linear(64, 32, bias=False), nn.BatchNorm1d(32), nn.LeakyReLU(0.2), nn.Linear(32, 1))
        super().__init__(*layers, nn.Sigmoid())


BUNDLE = Layered(
    Layers(
        (
            "layers.Dense(32, use_bias=False, input_dim=8)",
            "layers.BatchNormalization(momentum=0.8)",
            "layers.LeakyReLU()",
            "layers.Dense(64, activation='tanh')",
            "layers.Reshape((8, 8, 1))",
        )
    ),
    Layers(
        (
            "layers.Flatten(input_shape=(8, 8, 1))",
            "layers.Dense(32)",
            "layers.LeakyReLU()",
            "layers.Dropout(0.3)",
            "layers.GaussianNoise(0.1)",
            "layers.Dense(1, activation='sigmoid')",
        )
    ),
)


def cases() -> dict[str, tuple[TrainConfig, Dataset]]:
    """What is trained."""
    pictures, rows = tiny_dataset(200), tiny_table(256)
    small = {"batch": BATCH, "total_samples": BATCH * 1000}
    dcgan = tiny_config(network=Dcgan(latent=8, width=4, max_width=8), regularizers=(R1(interval=4), Lecam()), **small)
    dcgan = replace(dcgan, augmentations=(DiffAugment(),), augmentation_strength=Adaptive(target=0.0), mirror=True)
    penalties = (R1(interval=1), R2(interval=1))
    residual = R3gan(latent=8, width=4, max_width=8, blocks=1, group_channels=4)
    torch.manual_seed(0)  # a user's modules come with weights; of several processes all take the leader's
    own = ModulePair(OwnGenerator(), OwnDiscriminator(), (8,)).resolved(pictures.codec.spec)
    table = config_for(rows, CPU, "columns", Budget(), parts=small)
    return {
        "dcgan": (dcgan, pictures),
        "r3gan": (
            tiny_config(network=residual, loss=Relativistic(), regularizers=penalties, **small),
            tiny_dataset(200, 4, 4),
        ),
        "columns": (replace(table, network=replace(table.network, **narrow(table.network))), rows),
        "own modules": (tiny_config(network=own, **small), pictures),
        "layers as text": (tiny_config(network=BUNDLE, **small), pictures),
        "unequal shares": (replace(dcgan, batch=21), pictures),
    }


def recipes() -> dict[str, tuple[TrainConfig, Dataset]]:
    """Every recipe that is no size for many GPUs, for small records of the kind that it is for."""
    published = {f"{base}-{variant}" for base, variants in RECIPES.variants.items() for variant in variants}
    found: dict[str, tuple[TrainConfig, Dataset]] = {}
    for name in sorted(set(RECIPES) - published):
        dataset = tiny_data_of(name)
        found[name] = config_for(dataset, CPU, name, Budget(), parts={"batch": 8, "total_samples": 800}), dataset
    return found


def narrow(family: Any) -> dict[str, Any]:
    """Settings that make it quick."""
    return {name: 16 for name in ("width", "latent") if hasattr(family, name)}


class DoubledBatches(Batches):
    """Reals in double precision."""

    def real(self, key: Key, rows: slice = ALL) -> tuple[Tensor, Conditions]:
        x, conditions = super().real(key, rows)
        return x.double(), conditions


def trained(config: TrainConfig, dataset: Dataset, steps: int, double: bool) -> dict[str, Any]:
    """The numbers of each step, and samples."""
    spec = run_spec(config, dataset)
    state = initial_state(config, spec)
    if double:
        state = doubled(state, config, dataset)
    batches = DoubledBatches(dataset, config) if double else Batches(dataset, config)
    trace = [{name: float(value) for name, value in train_step(state, config, spec, batches).items()} for _ in range(steps)]
    state.average.estimate_statistics(0, "cpu", 2)
    noise = on_device(draw_noise(state.generator.noise, 16, Key(1)), "cpu")
    told = config.known is not None or config.conditions
    samples = [] if told else state.average.generator(noise, {}).raw.detach().flatten().tolist()
    weights = [float(weight.detach().double().norm()) for weight in state.generator.parameters()]
    return {"trace": trace, "samples": samples, "weights": weights}


def doubled(state: TrainState, config: TrainConfig, dataset: Dataset) -> TrainState:
    """The same in double precision: optimizers anew, and whatever comes in is converted."""
    for network in (state.generator, state.discriminator, state.average.generator):
        for module in network.double().modules():
            module.register_forward_pre_hook(lambda _, inputs: _doubled(inputs))
    state.average._averaged = list(state.average.generator.parameters())
    state.generator_optimizer = config.generator_optimizer.build(_learning(state.generator), "cpu")
    state.discriminator_optimizer = config.discriminator_optimizer.build(_learning(state.discriminator), "cpu")
    return state


def _learning(network: nn.Module) -> list[nn.Parameter]:
    return list(network.parameters())


def _doubled(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.double() if value.is_floating_point() else value
    if isinstance(value, Mapping):
        return {name: _doubled(each) for name, each in value.items()}
    return tuple(_doubled(each) for each in value) if isinstance(value, tuple) else value


def all_of_them(nearby: Nearby | None = None) -> dict[str, Any]:
    """Every case in both precisions, by way of `nearby`; then every recipe, by torch's way."""
    found: dict[str, Any] = {}
    come_near(nearby)
    for name, (config, dataset) in cases().items():
        found[f"{name}, double"] = trained(config, dataset, SHORT if name in VARIANTS else LONG, double=True)
        found[f"{name}, single"] = trained(config, dataset, SHORT, double=False)
    come_near(None)
    for name, (config, dataset) in recipes().items():
        found[f"recipe {name}"] = trained(config, dataset, FEW, double=True)
    return found


if __name__ == "__main__":
    rank, size, store, out = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], Path(sys.argv[4])
    meeting_place = FileStore(store, size)
    torch.distributed.init_process_group(
        "gloo", store=meeting_place, rank=rank, world_size=size, timeout=timedelta(seconds=120)
    )
    result = all_of_them(meet(rank, size, meeting_place))
    if rank == 0:
        out.write_text(json.dumps(result))
    torch.distributed.barrier()
    torch.distributed.destroy_process_group()
