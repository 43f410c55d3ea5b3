"""How strong the default's penalty is."""

from __future__ import annotations

import pytest
from support import CPU, image_spec

from ganwright.core.budget import Budget
from ganwright.core.schedule import value_at
from ganwright.recipes.registry import RECIPES
from ganwright.regularizers.r1 import R1


@pytest.mark.parametrize(
    ("recipe", "side", "channels", "first", "last"),
    [
        ("dcgan", 28, 1, 0.25, 0.25),
        ("dcgan", 32, 3, 0.5, 0.5),
        ("dcgan", 48, 3, 0.75, 0.75 * 2.25),
        ("dcgan", 64, 3, 1.0, 4.0),
        ("dcgan", 128, 3, 2.0, 8.0),
        ("spectrogram", 128, 1, 1.15, 1.15),
    ],
)
def test_gamma_rises_where_pictures_are_large(recipe: str, side: int, channels: int, first: float, last: float) -> None:
    config = RECIPES.get(recipe)(image_spec(side, side, channels), CPU, Budget())
    (penalty,) = config.regularizers
    assert isinstance(penalty, R1)
    course = [value_at(penalty.weight, seen, 1_000) for seen in (0, 500, 1_000)]
    assert course == pytest.approx([first, (first + last) / 2, last], rel=0.02)
