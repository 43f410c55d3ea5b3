"""A training that is ready to go on step by step, without the loop around it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ganwright.data.dataset import Dataset
from ganwright.data.preparation import prepare
from ganwright.data.spec import DataSpec
from ganwright.plan import config_for
from ganwright.runtime.device import find_machine
from ganwright.training.batches import Batches
from ganwright.training.config import TrainConfig
from ganwright.training.run_spec import run_spec
from ganwright.training.state import TrainState, initial_state
from ganwright.training.step import train_step
from ganwright.training.updating import Report

PLANNED_SAMPLES = 10_000_000


@dataclass
class Ready:
    """A run before its first step."""

    state: TrainState
    config: TrainConfig
    spec: DataSpec
    batches: Batches

    def go(self) -> Report:
        """One step, which the device may be at work on still."""
        return train_step(self.state, self.config, self.spec, self.batches)

    def step(self) -> None:
        """One whole step, done when this returns."""
        float(self.go()["generator_loss"])  # wait for the device


def ready(
    dataset: Dataset,
    recipe: str,
    settings: dict[str, Any],
    *,
    parts: dict[str, Any] | None = None,
    device: str = "cpu",
) -> Ready:
    """`recipe` for these data with `settings`, in the precision that a run would have here."""
    machine = find_machine(device)
    parts = {**(parts or {}), "threads": machine.threads}
    config = config_for(dataset, machine, recipe, parts=parts, settings=settings)
    config = replace(config, total_samples=PLANNED_SAMPLES)
    spec = run_spec(config, dataset)
    config = replace(config, network=config.network.resolved(spec))
    return Ready(initial_state(config, spec), config, spec, Batches(dataset, config))


def noise_pictures(side: int, count: int = 256, channels: int = 3) -> Dataset:
    """Pictures of random values: what a step costs does not depend on what is in them."""
    return prepare(np.random.default_rng(0).integers(0, 256, (count, side, side, channels), dtype=np.uint8))
