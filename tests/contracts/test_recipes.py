"""What holds for every recipe: a complete config, written down without loss, that trains."""

from __future__ import annotations

import math
import tomllib
from dataclasses import replace

import pytest
import tomli_w
import torch
from support import CPU, series_spec, table_spec, text_spec, tiny_data_of, tiny_dataset, tiny_sounds, train

from ganwright.core.budget import Budget
from ganwright.core.config import from_plain, to_plain
from ganwright.recipes.registry import RECIPES
from ganwright.runtime.device import Machine
from ganwright.training.config import TrainConfig

MACHINES = [CPU, Machine("cuda", "GPU", 8, 80 << 30, fast_bf16=True)]
every_recipe = pytest.mark.parametrize("name", RECIPES.names())


OF_TABLES, OF_WAVES = {"columns"}, {"wavegan"}
OF_TEXTS = {"text", "wgan_gp_text"}
OF_SERIES = {"conv_series", "doppelganger", "recurrent_series"}
PUBLISHED = {f"{base}-{variant}" for base, variants in RECIPES.variants.items() for variant in variants}
"""Recipes for many GPUs, whose networks are built on the meta device only."""


def config_of(name: str, machine: Machine = CPU, size: int = 8) -> TrainConfig:
    spec = tiny_dataset(height=size, width=size).codec.spec
    for names, other in ((OF_TABLES, table_spec()), (OF_TEXTS, text_spec()), (OF_SERIES, series_spec())):
        spec = other if name in names else spec
    if name in OF_WAVES:
        spec = tiny_sounds(representation="waveform").codec.spec
    return RECIPES.get(name)(spec, machine, Budget())


@every_recipe
@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.device)
@pytest.mark.parametrize("size", [8, 64])
def test_a_config_comes_back_from_a_toml_file(name: str, machine: Machine, size: int) -> None:
    config = replace(config_of(name, machine, size), total_samples=12_345, seed=7)
    text = tomli_w.dumps({"train": to_plain(config)})
    assert from_plain(TrainConfig, tomllib.loads(text)["train"]) == config


@every_recipe
@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.device)
def test_a_recipe_names_itself_and_heeds_the_machine(name: str, machine: Machine) -> None:
    config = config_of(name, machine)
    assert config.recipe == name
    assert config.device == machine.device
    exact = name in OF_TABLES | OF_WAVES | OF_SERIES
    assert config.precision == ("bf16" if machine.fast_bf16 and not exact else "fp32")
    assert config.total_samples == 0, "the length is the plan's business"


@pytest.mark.parametrize("name", sorted(set(RECIPES) - PUBLISHED))
def test_a_recipe_trains(name: str) -> None:
    dataset = tiny_data_of(name)
    config = replace(config_of(name), batch=8, total_samples=24)
    state, reports = train(config, 3, dataset)
    assert state.samples_seen == 3 * config.samples_per_step
    assert all(math.isfinite(value) for report in reports for value in report.values())
    assert all(bool(value.isfinite().all()) for value in state.average.generator.state_dict().values())
    assert reports[0]["discriminator_loss"] != reports[2]["discriminator_loss"]


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_the_networks_of_a_published_recipe_can_be_built(name: str) -> None:
    with torch.device("meta"):
        generator, discriminator = config_of(name, size=64).network.build(tiny_dataset(height=64, width=64).codec.spec)
    assert all(parameter.is_meta for network in (generator, discriminator) for parameter in network.parameters())
