"""What a run gets where nobody said: its recipe, whether pictures are mirrored, augmentation; each with the reason."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from ganwright.data.dataset import Dataset
from ganwright.data.modalities.base import Modality
from ganwright.evaluation.mirroring import kept_mirroring
from ganwright.recipes.registry import reading
from ganwright.training.augmenting import AugmentChoice, augmenting
from ganwright.training.config import TrainConfig

PICTURES_PER_SQUARED_WIDTH = 250
"""Seen in a run, over the square of the largest map's channels: narrow networks that see more pictures draw better ones than
wide ones that see few. On cat faces of 64 px (`dcgan`, one core, one seed), Frechet distances of learned features were, in
400 seconds, 0.206, 0.195, 0.385 and 0.506 for widths of 8, 16, 24 and 32, which saw 143, 69, 46 and 28 thousand pictures; in
1,100 seconds, with a rate that falls, 0.079 and 0.126 for widths of 16 and 24, which saw 191 and 107 thousand."""
COST_EXPONENT = 1.2
"""Of the width, in the time of a step on a CPU: less than 2, as narrow maps leave parts of its vectors empty."""
MANY_PASSES = 100
"""Over the data: from there on a discriminator has the time to learn pictures by heart."""
ADAPTED: dict[str, AugmentChoice] = {"image": "adaptive", "spectrogram": "masks"}
"""Which augmentation is then taken, by the kind of the records."""
UNTOUCHED = "plain"
"""The recipe that trains what it is given as it is given."""


def recipe_for(dataset: Dataset) -> tuple[str, str]:
    """The recipe's name, and why."""
    codec = dataset.codec
    return codec.default_recipe, f"the default for {codec.noun}"


def read_as(recipe: str | None, asked: Any) -> Modality | None:
    """How the data are read: as the user asks, and as the recipe needs it where that says nothing; None finds out.

    Raises:
        UsageError: there is no such recipe.
    """
    needed: Any = reading(recipe) if recipe is not None else None
    if needed is None or asked is None:
        return asked or needed
    if type(asked) is not type(needed):
        return asked  # Whether the networks draw such records is asked later, of them.
    usual = type(asked)()
    unsaid = [each.name for each in fields(asked) if getattr(asked, each.name) == getattr(usual, each.name)]
    return replace(asked, **{name: getattr(needed, name) for name in unsaid})


def mirrored(config: TrainConfig, dataset: Dataset) -> tuple[TrainConfig, str]:
    """The config with pictures mirrored if that fits the data, and why; records that are no pictures have no reason.

    Pictures whose class, labels or numbers the networks are told are not mirrored unasked: a mirrored b is a d, though a set
    of both looks the same, and an angle changes its sign.
    """
    if dataset.codec.spec.kind != "image" or config.recipe == UNTOUCHED:
        return config, ""
    if config.conditions:
        return config, "not mirrored: that might change what the networks are told of a picture (--mirror)"
    found = kept_mirroring(dataset)
    word = "mirrored half of the time" if found.fits else "not mirrored"
    return replace(config, mirror=found.fits), f"{word}: {found.reason}"


def sized(config: TrainConfig, seconds_per_step: float, seconds: float) -> tuple[TrainConfig, str]:
    """The config with networks as wide as the pictures suffice for that are seen in `seconds` on a CPU, and why.

    "" and the config as it was, where its networks have no widths to choose from or a GPU takes wide ones as quickly.
    """
    network: Any = config.network
    if config.device != "cpu" or not network.cpu_widths:
        return config, ""
    seen = config.samples_per_step * seconds / seconds_per_step
    fits = [
        width
        for width in network.cpu_widths
        if seen * (network.width / width) ** COST_EXPONENT >= PICTURES_PER_SQUARED_WIDTH * width**2
    ]
    width = max(fits, default=network.cpu_widths[0])
    wider = [each for each in network.cpu_widths if each > width]
    reason = f"width {width}: the widest that was found to pay on a CPU"
    if wider:
        reason = f"width {width}: wider networks would learn too little in this time (--set network.width={wider[0]})"
    return replace(config, network=replace(network, width=width)), reason


def augmented(config: TrainConfig, dataset: Dataset, passes: float) -> tuple[TrainConfig, str]:
    """The config with an adapted augmentation, if each picture will be seen so often, and why; else "" and as it was."""
    choice = ADAPTED.get(dataset.codec.spec.kind)
    if choice is None or config.augmentations or config.recipe == UNTOUCHED or passes < MANY_PASSES:
        return config, ""
    one = dataset.codec.noun.removesuffix("s")
    reason = f"augmented, as strongly as is needed: each {one} will be seen about {passes:,.0f} times (--augment none)"
    return replace(config, **augmenting(choice)), reason
