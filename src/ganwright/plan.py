"""A budget in the user's words turned into a complete config, by timing a few real steps."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, get_type_hints

from ganwright.core.budget import Budget, format_duration
from ganwright.core.config import from_plain, to_plain
from ganwright.core.errors import UsageError
from ganwright.core.suggest import unknown_name_hints
from ganwright.core.text import counted
from ganwright.data.dataset import Dataset
from ganwright.data.spec import DataSpec
from ganwright.defaults import augmented, mirrored, recipe_for, sized
from ganwright.recipes.registry import RECIPES
from ganwright.runtime.device import Machine, PrecisionChoice
from ganwright.runtime.files import format_bytes
from ganwright.runtime.memory import peak_bytes
from ganwright.timing import compiled_where_it_pays, time_steps_in_memory
from ganwright.training.config import TrainConfig
from ganwright.training.run_spec import choose_conditions, run_spec
from ganwright.training.scorer import time_scoring
from ganwright.training.scoring import SHORTEST_SECONDS, choose_scoring

DEFAULT_SECONDS = 600.0
"""What a run gets when nobody says: ten minutes are enough to see what the data are good for."""
LOOKS_SHARE = 0.03
"""Of a run's time, what pictures, curves and saving take beside the steps."""


@dataclass(frozen=True)
class Plan:
    """What will be trained, how long it takes, and why it was chosen so."""

    config: TrainConfig
    spec: DataSpec
    """The data as the networks see them."""
    machine: Machine
    seconds_per_step: float
    """Measured, a whole step."""
    deadline_seconds: float | None
    """Training ends this long after the command began, whatever is left; None when only samples count."""
    scoring_seconds: float = 0.0
    """What all scores together will take."""
    memory_bytes: int | None = None
    """Of the machine's or the GPU's memory, the most that was held while steps were timed; None where nobody can say."""
    reasons: dict[str, str] = field(default_factory=dict)
    """Why, by the name of what was chosen."""

    @property
    def steps(self) -> int:
        """Steps until the planned samples are seen."""
        return self.config.total_steps

    @property
    def seconds(self) -> float:
        """How long training is expected to take from now on."""
        return self.steps * self.seconds_per_step * (1 + LOOKS_SHARE) + self.scoring_seconds

    def lines(self) -> list[str]:
        """The plan for people."""
        config = self.config
        epochs = f" · {self.reasons['epochs']}" if "epochs" in self.reasons else ""
        held, there = self.memory_bytes, self.machine.memory_bytes
        memory = f" · {format_bytes(held)} of {format_bytes(there)} of memory" if held else ""
        return [
            f"{config.recipe} · batch {config.batch} · {config.precision} · {counted(self.steps, 'steps')}{epochs}",
            f"{self.reasons['length']} · about {format_duration(self.seconds)} to train"
            f" ({config.samples_per_step / self.seconds_per_step:,.0f} records a second, measured){memory}",
            *(
                self.reasons[name]
                for name in ("width", "mirror", "augment", "compiled", "scoring", "memory")
                if self.reasons.get(name)
            ),
        ]


def make_plan(
    dataset: Dataset,
    machine: Machine,
    *,
    recipe: str | None,
    budget: Budget,
    seed: int = 0,
    batch: int | None = None,
    precision: PrecisionChoice = "auto",
    parts: dict[str, Any] | None = None,
    conditional: bool | None = None,
    balance: bool = False,
    settings: dict[str, Any] | None = None,
    patience: int | None = None,
    spent_seconds: float = 0.0,
    begin: Callable[[TrainConfig, DataSpec], TrainConfig] | None = None,
    now: Callable[[], float] = time.monotonic,
) -> Plan:
    """The recipe's config for these data, this machine and this budget; without a recipe, the one for such data.

    Pictures are mirrored and augmented where it helps, and networks as wide as a budget of time allows, unless the recipe,
    `parts` or `settings` speak of it.

    `parts` replaces fields of the recipe's config by objects, {"loss": Hinge()}; `settings` then overrides fields by nested
    names, {"loss": {"name": "hinge"}}. `conditional` asks for the data's conditions, or refuses them; None leaves it to the
    networks. `spent_seconds` of a time budget are gone already (reading the data). `begin` changes the recipe's config,
    first of all, for a run that starts from a model. Timing trains throw-away networks, so the run itself starts fresh.

    Raises:
        UsageError: an unknown recipe or setting, or networks that do not fit the data.
    """
    began = now()
    asked, budget = budget, _or_default(budget)
    if dataset.endless and budget.epochs is not None:
        raise UsageError("E-BUDGET-05", "a stream has no passes", hints=("steps=, images= or minutes=",))
    reasons: dict[str, str] = {}
    if recipe is None:
        recipe, reasons["recipe"] = recipe_for(dataset)
    own: dict[str, Any] = {"seed": seed, "threads": machine.threads}
    own |= {"precision": machine.precision(precision)} if precision != "auto" else {}
    own |= {"batch": batch} if batch is not None else {}
    own |= {"balance": True} if balance else {}
    config = config_for(dataset, machine, recipe, budget, begin=begin, parts={**(parts or {}), **own}, settings=settings)
    config = replace(config, scoring=replace(config.scoring, patience=patience)) if patience is not None else config
    if not config.conditions:
        config = replace(config, conditions=choose_conditions(config.network, dataset, conditional))
    spec = run_spec(config, dataset)
    config = replace(config, network=config.network.resolved(spec))
    said = {*(parts or {}), *(settings or {})}
    if "mirror" not in said:
        config, reasons["mirror"] = mirrored(config, dataset)

    def timed(config: TrainConfig) -> tuple[TrainConfig, float, float | None, float]:
        """A config that fits in memory, seconds of a step, those that remain of a budget of time, and the steps to come."""
        length = _known_length(budget, config, len(dataset))
        config, seconds = time_steps_in_memory(config, dataset, length, now)
        remaining = None if budget.seconds is None else budget.seconds - spent_seconds - (now() - began)
        return config, seconds, remaining, length if remaining is None else remaining / seconds

    asked_parts, how = config.micro_batches, config.compiled
    config = replace(config, compiled="off")
    config, seconds_per_step, remaining, steps_left = timed(config)
    if remaining is not None and not (begin or _says_width(parts, settings)):
        wide = config.network
        config, reasons["width"] = sized(config, seconds_per_step, remaining)
        if config.network != wide:
            config, seconds_per_step, remaining, steps_left = timed(config)
    if not said & {"augmentations", "augmentation_strength"}:
        passes = 0.0 if dataset.endless else steps_left * config.samples_per_step / len(dataset)
        config, reasons["augment"] = augmented(config, dataset, passes)
        if reasons["augment"]:
            config, seconds_per_step, remaining, steps_left = timed(config)
    if how != "off":
        pays = compiled_where_it_pays(config, dataset, how, seconds_per_step, steps_left, now)
        config, seconds_per_step, reasons["compiled"] = pays
        remaining = None if budget.seconds is None else budget.seconds - spent_seconds - (now() - began)
        steps_left = steps_left if remaining is None else remaining / seconds_per_step
    config, scoring_seconds = plan_scoring(config, spec, dataset, steps_left, seconds_per_step)
    remaining = None if remaining is None else remaining - scoring_seconds
    total = _total_samples(budget, config, len(dataset), seconds_per_step, remaining)
    reasons |= {"length": _length_reason(asked), "scoring": _scoring_reason(config)}
    if config.micro_batches > asked_parts:
        reasons["memory"] = f"out of memory otherwise: {config.parts_in_words}"
    if not dataset.endless:
        reasons["epochs"] = f"{total / len(dataset):,.1f} passes over the data"
    config = replace(config, total_samples=total)
    held = peak_bytes(config.device)
    return Plan(config, spec, machine, seconds_per_step, budget.seconds, scoring_seconds, held, reasons)


def config_for(
    dataset: Dataset,
    machine: Machine,
    recipe: str,
    budget: Budget | None = None,
    *,
    begin: Callable[[TrainConfig, DataSpec], TrainConfig] | None = None,
    parts: dict[str, Any] | None = None,
    settings: dict[str, Any] | None = None,
) -> TrainConfig:
    """The recipe's config for these data with what else `make_plan` takes; its length is not planned.

    Raises:
        UsageError: an unknown recipe or setting, or parts that are not for these data.
    """
    config: TrainConfig = RECIPES.get(recipe)(dataset.codec.spec, machine, budget or Budget())
    config = begin(config, dataset.codec.spec) if begin is not None else config
    config = override(replace(config, **(parts or {})), settings or {})
    check_kind(config, dataset)
    return config


def plan_scoring(
    config: TrainConfig,
    spec: DataSpec,
    dataset: Dataset,
    steps_to_come: float,
    seconds_per_step: float,
) -> tuple[TrainConfig, float]:
    """The config with its scores placed, and what they will take in all; places that were set are left as they are.

    They lie at fixed parts of the run, so that they do not depend on the clock once they are planned.
    """
    scoring, steps = config.scoring, max(1, int(steps_to_come))
    if scoring.every_samples or not scoring.share or steps * seconds_per_step < SHORTEST_SECONDS:
        return config, 0.0
    times = time_scoring(config, spec, dataset)
    chosen = choose_scoring(scoring.share, steps * seconds_per_step, times)
    if chosen is None:
        return config, 0.0
    scores, samples = chosen
    every = max(1, steps // scores) * config.samples_per_step
    planned = replace(scoring, every_samples=every, samples=samples)
    return replace(config, scoring=planned), times.all(scores, samples)


def override(config: TrainConfig, settings: dict[str, Any]) -> TrainConfig:
    """The config with some fields set anew; a part named again starts from its own defaults.

    "optimizer" stands for both players'. Of a list, {"0": ...} changes its first entry.

    Raises:
        UsageError: no such setting, or a value that does not fit it.
    """
    if not settings:
        return config
    settings = dict(settings)
    if "optimizer" in settings:
        both = settings.pop("optimizer")
        settings = {"generator_optimizer": both, "discriminator_optimizer": both, **settings}
    hints = get_type_hints(TrainConfig)
    changes: dict[str, Any] = {}
    for name, value in settings.items():
        if name not in hints:
            raise UsageError(
                "E-CONFIG-01", f"unknown setting {name!r}", hints=unknown_name_hints(name, ["optimizer", *hints])
            )
        # A field's old value is put into plain words only where a part of it is changed: a user's own objects have none.
        old = to_plain(getattr(config, name)) if isinstance(value, dict) else None
        changes[name] = from_plain(hints[name], _merged(old, value, name), name)
    return replace(config, **changes)


def _merged(old: Any, new: Any, where: str) -> Any:
    if isinstance(new, dict) and isinstance(old, list):
        items = list(old)
        for place, value in new.items():
            if not place.isdigit() or int(place) >= len(items):
                hint = f"0 to {len(items) - 1}" if items else "the list is empty: give a whole list"
                raise UsageError("E-CONFIG-01", f"{where} has no entry {place!r}", hints=(hint,))
            items[int(place)] = _merged(items[int(place)], value, f"{where}.{place}")
        return items
    if isinstance(new, dict) and isinstance(old, dict) and new.get("name", old.get("name")) == old.get("name"):
        return {**old, **{name: _merged(old.get(name), value, f"{where}.{name}") for name, value in new.items()}}
    return new


def check_kind(config: TrainConfig, dataset: Dataset) -> None:
    """Raise UsageError unless the config's networks draw data of this kind, and its augmentations change such."""
    kinds, kind = config.network.kinds, dataset.codec.spec.kind
    if kinds and kind not in kinds:
        name = config.network.registry.name_of(config.network)
        raise UsageError("E-RECIPE-01", f"network {name} draws {', '.join(sorted(kinds))}, not {kind}")
    if config.mirror and kind != "image":
        raise UsageError("E-AUGMENT-04", f"{dataset.codec.noun} have no mirror image", hints=("--no-mirror",))
    for augmentation in config.augmentations:
        if augmentation.kinds and kind not in augmentation.kinds:
            name = augmentation.registry.name_of(augmentation)
            what = f"augmentation {name} changes {', '.join(sorted(augmentation.kinds))}, not {kind}"
            raise UsageError("E-AUGMENT-01", what, hints=("--augment none",))


def _says_width(parts: dict[str, Any] | None, settings: dict[str, Any] | None) -> bool:
    """Whether the networks, or how wide they are, were named."""
    network: Any = (settings or {}).get("network", {})
    if "network" in (parts or {}) or not isinstance(network, dict):
        return True
    return not {"name", "width", "max_width"}.isdisjoint(network)


def _known_length(budget: Budget, config: TrainConfig, records: int) -> float:
    """The steps of a budget that says so without a clock; otherwise infinite."""
    if budget.seconds is not None:
        return math.inf
    return _total_samples(budget, config, records, 1.0, None) / config.samples_per_step


def _total_samples(budget: Budget, config: TrainConfig, records: int, seconds_per_step: float, left: float | None) -> int:
    per_step = config.samples_per_step
    if budget.steps is not None:
        return budget.steps * per_step
    if budget.images is not None:
        return math.ceil(budget.images / per_step) * per_step
    if budget.epochs is not None:
        return math.ceil(budget.epochs * records / per_step) * per_step
    assert left is not None
    return max(1, int(left / (1 + LOOKS_SHARE) / seconds_per_step)) * per_step


def _scoring_reason(config: TrainConfig) -> str:
    scoring = config.scoring
    if scoring.every_samples:
        return f"scored every {scoring.every_samples:,} samples; the best model is kept"
    vain = "; patience has nothing to go by" if scoring.patience is not None else ""
    return f"not scored on the way: the last model is kept{vain}"


def _or_default(budget: Budget) -> Budget:
    return Budget(seconds=DEFAULT_SECONDS) if budget == Budget() else budget


def _length_reason(asked: Budget) -> str:
    if asked.seconds is not None:
        return f"for {format_duration(asked.seconds)} in all"
    if asked.epochs is not None:
        return f"for {asked.epochs:g} passes over the data"
    if asked.steps is not None:
        return f"for {counted(asked.steps, 'steps')}"
    if asked.images is not None:
        return f"for {asked.images:,} samples"
    return f"for {format_duration(DEFAULT_SECONDS)}, as nothing else was said (--time 1h is better)"
