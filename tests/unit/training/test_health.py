"""How training is doing, in words."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ganwright.training.health import ADVICE, Variety, diagnose, diversity

FINE = {"real_logits": 0.5, "fake_logits": -0.5, "real_called_real": 0.7, "fake_called_fake": 0.7}
WON = {"real_logits": 10.0, "fake_logits": -10.0, "real_called_real": 1.0, "fake_called_fake": 1.0}
BLIND = {"real_logits": 0.2, "fake_logits": 0.2, "real_called_real": 0.5, "fake_called_fake": 0.5}


@pytest.mark.parametrize(
    ("numbers", "spread", "word"),
    [
        (FINE, 0.9, "ok"),
        (FINE, None, "ok"),
        (WON, 0.9, "discriminator far ahead"),
        (WON, 0.1, "discriminator far ahead"),
        (FINE, 0.1, "samples alike"),
    ],
)
def test_n5_each_complaint_has_its_cause(numbers: dict[str, float], spread: float | None, word: str) -> None:
    assert diagnose(numbers, Variety(spread), 100_000) == word
    assert word == "ok" or ADVICE[word]


def test_n5_a_discriminator_is_blind_that_finds_no_difference_again_and_again() -> None:
    def said(gaps: list[float]) -> str:
        return diagnose(BLIND, Variety(0.9), 100_000, gaps=gaps)

    assert said([0.0] * 8) == "discriminator blind"
    assert ADVICE["discriminator blind"]
    assert said([0.0] * 7) == "ok"
    assert said([0.3] + [0.0] * 8) == "discriminator blind"
    # One that is right about half of the time, as beside a good generator of texts, has now and then no gap by chance.
    assert said([0.02, 0.0, 0.0, -0.015, 0.0, 0.01, 0.0, 0.0]) == "ok"


def test_nothing_is_complained_of_at_first() -> None:
    assert diagnose(WON, Variety(0.0), 1000) == "ok"


def test_one_sided_verdicts_are_no_victory() -> None:
    assert diagnose({**WON, "fake_called_fake": 0.5}, Variety(0.9), 100_000) == "ok"
    assert diagnose({**WON, "real_logits": 1.0, "fake_logits": -1.0}, Variety(0.9), 100_000) == "ok"


def noise(seed: int, count: int = 32) -> Tensor:
    return torch.randn(count, 1, 8, 8, generator=torch.Generator().manual_seed(seed))


def test_diversity_is_one_when_samples_vary_as_the_data_do() -> None:
    assert diversity([noise(0)], [noise(1)]) == pytest.approx(1.0, abs=0.05)
    assert diversity([0.5 * noise(0)], [noise(1)]) == pytest.approx(0.5, abs=0.05)


def test_samples_that_are_alike_have_none() -> None:
    assert diversity([noise(0)[:1].expand(32, -1, -1, -1)], [noise(1)]) == pytest.approx(0.0, abs=1e-3)


def test_data_that_are_alike_or_few_divide_nothing_by_zero() -> None:
    assert diversity([noise(0)], [torch.zeros(32, 1, 8, 8)]) > 1
    assert diversity([noise(0)[:1]], [noise(1)[:1]]) == 0.0


def test_one_picture_a_class_is_not_varied() -> None:
    """However different the classes are."""
    real = [noise(1) + 5, noise(2) - 5]
    assert diversity([noise(3) + 5, noise(4) - 5], real) == pytest.approx(1.0, abs=0.05)
    stuck = [group[:1].expand(32, -1, -1, -1) for group in real]
    assert diversity(stuck, real) == pytest.approx(0.0, abs=1e-3)
