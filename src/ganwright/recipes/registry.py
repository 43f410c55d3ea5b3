"""Whole GANs by name: a recipe is a function that returns a complete TrainConfig."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeVar

from ganwright.core.registry import Registry

if TYPE_CHECKING:  # so that recipes can be listed without importing torch
    from ganwright.core.budget import Budget
    from ganwright.data.modalities.base import Modality
    from ganwright.data.spec import DataSpec
    from ganwright.runtime.device import Machine
    from ganwright.training.config import TrainConfig

RECIPES = Registry(
    "recipe",
    "ganwright.recipes",
    functions=True,
    variants={"dcgan": ("published",), "r3gan": ("cifar10", "ffhq64", "ffhq256", "imagenet32", "imagenet64")},
)


class Recipe(Protocol):
    """A variant calls its base and changes two fields (`dataclasses.replace`)."""

    def __call__(self, spec: DataSpec, machine: Machine, budget: Budget) -> TrainConfig:
        """The config for data of `spec` on `machine`; its `total_samples` is left to the plan."""
        ...


R = TypeVar("R", bound=Recipe)
_READING: dict[str, Modality] = {}


def reads(modality: Modality) -> Callable[[R], R]:
    """Of a recipe: how its networks need the data to be read, as far as the user says nothing else."""

    def noted(recipe: R) -> R:
        _READING[recipe.__name__] = modality  # type: ignore[attr-defined]
        return recipe

    return noted


def reading(name: str) -> Modality | None:
    """What the recipe called `name` reads the data as; None where any reading does.

    Raises:
        UsageError: there is no such recipe.
    """
    return _READING.get(RECIPES.get(name).__name__)
