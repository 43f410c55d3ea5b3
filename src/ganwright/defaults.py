"""What a run gets where nobody said: its recipe, whether pictures are mirrored, augmentation; each with the reason."""

from __future__ import annotations

from dataclasses import replace

from ganwright.data.dataset import Dataset
from ganwright.evaluation.mirroring import mirroring_fits
from ganwright.training.augmenting import augmenting
from ganwright.training.config import TrainConfig

MANY_PASSES = 100
"""Over the data: from there on a discriminator has the time to learn pictures by heart."""
UNTOUCHED = "plain"
"""The recipe that trains what it is given as it is given."""


def recipe_for(dataset: Dataset) -> tuple[str, str]:
    """The recipe's name, and why."""
    codec = dataset.codec
    return codec.default_recipe, f"the default for {codec.noun}"


def mirrored(config: TrainConfig, dataset: Dataset) -> tuple[TrainConfig, str]:
    """The config with pictures mirrored if that fits the data, and why; records that are no pictures have no reason.

    Pictures whose class, labels or numbers the networks are told are not mirrored unasked: a mirrored b is a d, though a set
    of both looks the same, and an angle changes its sign.
    """
    if dataset.codec.spec.kind != "image" or config.recipe == UNTOUCHED:
        return config, ""
    if config.conditions:
        return config, "not mirrored: that might change what the networks are told of a picture (--mirror)"
    found = mirroring_fits(dataset)
    word = "mirrored half of the time" if found.fits else "not mirrored"
    return replace(config, mirror=found.fits), f"{word}: {found.reason}"


def augmented(config: TrainConfig, dataset: Dataset, passes: float) -> tuple[TrainConfig, str]:
    """The config with an adapted augmentation, if each picture will be seen so often, and why; else "" and as it was."""
    unasked = dataset.codec.spec.kind == "image" and not config.augmentations and config.recipe != UNTOUCHED
    if not unasked or passes < MANY_PASSES:
        return config, ""
    reason = f"augmented, as strongly as is needed: each picture will be seen about {passes:,.0f} times (--augment none)"
    return replace(config, **augmenting("adaptive")), reason
