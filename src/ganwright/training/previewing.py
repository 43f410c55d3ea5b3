"""What a discriminator will see, as a picture to be looked at before training."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from PIL import Image
from torch import Tensor

from ganwright.augment.base import Augmentation
from ganwright.data.dataset import Dataset
from ganwright.data.pictures import below_each_other
from ganwright.runtime.keys import Key

STRENGTHS = (0.0, 0.25, 0.5, 0.8, 1.0)


def draw_preview(
    dataset: Dataset, augmentations: Sequence[Augmentation], names: str, columns: int, seed: int
) -> Image.Image:
    """Some records as the networks get them and, in a row for each of `STRENGTHS`, augmented; the same changes in each row.

    Without augmentations only the records are drawn, as their codec draws them.

    Args:
        names: of the augmentations, for people.
        columns: how many records stand in a row.
    """
    codec = dataset.codec
    if not augmentations:
        records = codec.decode(codec.expand(dataset.some(codec.shown)))
        return codec.preview(records, columns, "as they are read")
    x = codec.expand(dataset.some(columns))
    rows: list[Image.Image] = []
    for strength in STRENGTHS:
        title = f"{names}, strength {strength:g}" if strength else "strength 0: as they are read"
        rows.append(codec.preview(codec.decode(augmented(x, augmentations, strength, seed)), columns, title))
    return below_each_other(rows)


def augmented(x: Tensor, augmentations: Sequence[Augmentation], strength: float, seed: int) -> Tensor:
    """Records (B, *shape) with everything that `strength` does; the draws follow from the seed."""
    key = Key(seed, turn="preview")
    for number, augmentation in enumerate(augmentations):
        draws = key.generator(f"augmentation {number}").random((len(x), augmentation.draws()), dtype="float32")
        x = augmentation.apply(x, strength, torch.from_numpy(draws))
    return x
