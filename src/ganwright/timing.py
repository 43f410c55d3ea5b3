"""How long a training step takes, and what memory, measured on the data and machine at hand."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace

from ganwright.core.budget import format_duration
from ganwright.core.schedule import Schedule
from ganwright.data.dataset import Dataset
from ganwright.runtime.compiling import Compile, why_not_compiled
from ganwright.runtime.distributed import world_size
from ganwright.runtime.memory import give_back, is_out_of_memory
from ganwright.training import crew
from ganwright.training.adaptive import Adaptive
from ganwright.training.batches import Batches
from ganwright.training.config import TrainConfig
from ganwright.training.run_spec import run_spec
from ganwright.training.state import initial_state
from ganwright.training.updating import Report

TIMING_SECONDS = 3.0
"""Steps are timed for so long, but at least for one whole cycle of the lazy penalties."""
TIMING_SHARE = 0.03
"""Of the run's own time, what timing it may take beyond that cycle: a short run is not worth a long look."""

ADAPTED_STRENGTH = 0.1
"""Of an augmentation that steps are timed with if training finds its strength out: the stronger, the longer they take."""
COMPILED_FROM_SECONDS = 300.0
"""Of steps: compiling takes half a minute or more, so that a shorter run is not even tried with it."""


def time_steps_in_memory(
    config: TrainConfig,
    dataset: Dataset,
    steps_to_come: float = math.inf,
    now: Callable[[], float] = time.monotonic,
) -> tuple[TrainConfig, float]:
    """As `time_steps`, with batches in smaller parts where they do not fit; the config that fits, and the seconds.

    Raises:
        ResourceError: no part of a batch fits.
    """
    while True:
        try:
            return config, time_steps(config, dataset, steps_to_come, now)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
        config = config.in_smaller_parts()
        give_back(config.device)


def compiled_where_it_pays(
    config: TrainConfig,
    dataset: Dataset,
    how: Compile,
    plain_seconds: float,
    steps_to_come: float,
    now: Callable[[], float] = time.monotonic,
) -> tuple[TrainConfig, float, str]:
    """The config with compiled calls, or without where they do not save what compiling takes; seconds of a step, and why.

    Args:
        plain_seconds: of a step that is not compiled.
    """
    if world_size() > 1:
        return config, plain_seconds, "the networks are not compiled: their batch statistics are those of several processes"
    if (whole := plain_seconds * steps_to_come) < COMPILED_FROM_SECONDS:
        return (
            config,
            plain_seconds,
            f"the networks are not compiled: {format_duration(whole)} of steps are too few for that",
        )
    began = now()
    if (failure := why_not_compiled(config.device)) is not None:
        return config, plain_seconds, failure
    compiled = replace(config, compiled=how)
    time_steps(compiled, dataset, cycle_of(config), now)
    spent = now() - began
    seconds = time_steps(compiled, dataset, steps_to_come, now)
    saved = (plain_seconds - seconds) * steps_to_come
    figures = f"{1000 * seconds:,.0f} ms a step instead of {1000 * plain_seconds:,.0f}, and {spent:,.0f} s of compiling"
    if saved > spent:
        return compiled, seconds, f"the networks are compiled: {figures}"
    return config, plain_seconds, f"the networks are not compiled, which would not pay: {figures}"


def cycle_of(config: TrainConfig) -> int:
    """Steps after which all lazy penalties were due."""
    return math.lcm(1, *(regularizer.interval for regularizer in config.regularizers))


def time_steps(
    config: TrainConfig,
    dataset: Dataset,
    steps_to_come: float = math.inf,
    now: Callable[[], float] = time.monotonic,
) -> float:
    """Seconds of one training step, a mean over whole cycles of the lazy penalties; what was trained is thrown away.

    A run of few `steps_to_come` is timed more briefly, by as many steps as it has at most, and two.
    """
    config = replace(_halfway(config), total_samples=max(1, config.total_samples))
    spec = run_spec(config, dataset)
    state, batches = initial_state(config, spec), Batches(dataset.head, config)
    crew.begin(config, state)
    cycle = int(min(cycle_of(config), max(1, steps_to_come)))  # a shorter run sees no whole cycle either

    def steps(count: int) -> float:
        began = now()
        report: Report = {}
        for _ in range(count):
            report = crew.step(state, config, spec, batches)
        float(report["generator_loss"])  # wait for the device
        return now() - began

    steps(2)  # the first ones choose algorithms and fill caches
    done, seconds = 0, 0.0
    while done == 0 or seconds < min(TIMING_SECONDS, TIMING_SHARE * steps_to_come * seconds / done):
        seconds += steps(cycle)
        done += cycle
    return seconds / done


def _halfway(config: TrainConfig) -> TrainConfig:
    """With an augmentation as strong as later in the run, where it begins with none."""
    match config.augmentation_strength:
        case Adaptive():
            return replace(config, augmentation_strength=ADAPTED_STRENGTH)
        case Schedule() as strength:
            return replace(config, augmentation_strength=strength.at(1, 2))
        case _:
            return config
