"""Augmentation in one word: what `--augment` stands for."""

from __future__ import annotations

from typing import Any, Literal, get_args

from ganwright.augment.diff_augment import DiffAugment
from ganwright.augment.masks import Masks
from ganwright.augment.pipeline import Pipeline
from ganwright.core.errors import UsageError
from ganwright.core.schedule import Schedule
from ganwright.core.suggest import unknown_name_hints
from ganwright.training.adaptive import Adaptive

AugmentChoice = Literal["none", "adaptive", "diffaugment", "ada", "pipeline", "masks"]
TARGET = 0.3
"""Of `adaptive`, where Karras et al. have 0.6. Of a hundred cat faces, each seen 1,000 times (`dcgan`, width 24, one seed),
samples had Frechet distances of 43 and 55 in random features with targets of 0.3 and 0.6, and 0.96 and 0.90 of them were
taken to be upright."""


def augmenting(choice: AugmentChoice) -> dict[str, Any]:
    """The two fields of a config.

    "adaptive" finds out how much is needed of DiffAugment's changes, which leave faces upright and whole, "ada" of the
    pipeline's, as Karras et al. 2020 have it, "masks" of a sound's. "pipeline" grows to 0.3, as Huang et al. 2024
    (arXiv:2501.05441) train on faces.

    Raises:
        UsageError: no such choice.
    """
    match choice:
        case "none":
            return {"augmentations": (), "augmentation_strength": 1.0}
        case "diffaugment":
            return {"augmentations": (DiffAugment(),), "augmentation_strength": 1.0}
        case "adaptive":
            return {"augmentations": (DiffAugment(),), "augmentation_strength": Adaptive(target=TARGET)}
        case "pipeline":
            return {"augmentations": (Pipeline.half_colours(),), "augmentation_strength": Schedule(0.0, 0.3)}
        case "ada":
            return {"augmentations": (Pipeline(),), "augmentation_strength": Adaptive()}
        case "masks":
            return {"augmentations": (Masks(),), "augmentation_strength": Adaptive()}
        case _:
            known = get_args(AugmentChoice)
            raise UsageError("E-AUGMENT-03", f"unknown augment {choice!r}", hints=unknown_name_hints(str(choice), known))
