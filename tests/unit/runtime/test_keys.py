"""The same key, the same numbers; any other, others."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ganwright.runtime.keys import Key

FIRST_OF_SEED_7 = [0.3171450970367443, 0.7220236958633517, 0.13647484947196742]
KEY = Key(seed=1, attempt=2, step=3, turn="discriminator", repeat=4)


def numbers(key: Key, purpose: str = "noise") -> np.ndarray:
    return key.generator(purpose).random(8)


def test_the_same_key_gives_the_same_numbers_again() -> None:
    assert np.array_equal(numbers(KEY), numbers(replace(KEY)))


@pytest.mark.parametrize(
    "change", [{"seed": 2}, {"attempt": 3}, {"step": 4}, {"turn": "generator"}, {"repeat": 5}], ids=lambda c: next(iter(c))
)
def test_any_other_field_gives_other_numbers(change: dict[str, Any]) -> None:
    assert not np.isclose(numbers(KEY), numbers(replace(KEY, **change))).any()


def test_another_purpose_gives_other_numbers() -> None:
    assert not np.isclose(numbers(KEY), numbers(KEY, "order")).any()


def test_neighbouring_fields_do_not_run_together() -> None:
    assert not np.isclose(numbers(Key(1, 12)), numbers(Key(11, 2))).any()
    assert not np.isclose(numbers(Key(0, step=1)), numbers(Key(0, attempt=1))).any()


def test_numbers_are_the_same_on_every_machine_and_in_every_release() -> None:
    """Written down once: a change here changes every sample of every seed."""
    assert numbers(Key(7))[:3].tolist() == pytest.approx(FIRST_OF_SEED_7, abs=1e-15)


def test_seeds_for_libraries_fit_63_bits_and_follow_the_key() -> None:
    seeds = [Key(0, step=step).seed_for("weights") for step in range(200)]
    assert len(set(seeds)) == 200
    assert all(0 <= seed < 1 << 63 for seed in seeds)
    assert seeds[5] == Key(0, step=5).seed_for("weights")


def test_draws_are_uniform_across_steps() -> None:
    """The first number of successive steps: a weak mixing of the key would show in its mean or its neighbours."""
    first = np.array([Key(0, step=step).generator("x").random() for step in range(2000)])
    assert abs(first.mean() - 0.5) < 0.03
    assert abs(np.corrcoef(first[:-1], first[1:])[0, 1]) < 0.08
