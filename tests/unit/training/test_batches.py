"""Which real records a turn sees."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from support import tiny_config, tiny_dataset

from ganwright.data.dataset import Dataset
from ganwright.data.sampler import Shuffled
from ganwright.losses.non_saturating import NonSaturating
from ganwright.runtime.keys import Key
from ganwright.training.batches import Batches


@pytest.mark.parametrize("count", [1, 2, 7, 10])
def test_each_pass_holds_each_record_once(count: int) -> None:
    drawn = Shuffled(count).draw(Key(0), range(5 * count))
    for number in range(5):
        assert sorted(drawn[number * count : (number + 1) * count]) == list(range(count))


def test_passes_and_seeds_and_attempts_differ_in_their_order() -> None:
    sampler = Shuffled(20)
    orders = {tuple(sampler.draw(key, range(start, start + 20))) for key in (Key(0), Key(1), Key(0, 1)) for start in (0, 20)}
    assert len(orders) == 6


def test_a_place_holds_the_same_record_however_it_is_asked_for() -> None:
    whole = Shuffled(7).draw(Key(3), range(60))
    for start in range(0, 50, 3):
        for length in (0, 1, 6, 10):
            some = Shuffled(7).draw(Key(3, step=9, turn="generator", repeat=2), range(start, start + length))
            assert np.array_equal(some, whole[start : start + length])


def test_a_batch_may_be_larger_than_the_set() -> None:
    drawn = Shuffled(3).draw(Key(0), range(4, 4 + 20))
    assert len(drawn) == 20
    assert np.bincount(drawn, minlength=3).min() >= 6


def test_real_records_come_as_the_networks_see_them() -> None:
    data = tiny_dataset(16, 8, 6, 3)
    x = Batches(data, tiny_config(batch=8)).real(Key(0, turn="discriminator"))[0]
    assert x.shape == (8, 3, 8, 6)
    assert x.dtype == torch.float32
    assert -1 <= float(x.min()) < -0.5
    assert 0.5 < float(x.max()) <= 1


def test_mirrored_records_are_the_same_ones_turned_around_half_of_the_time() -> None:
    data, key = tiny_dataset(64, 8, 6, 3), Key(0, turn="discriminator")
    plain, mirrored = (Batches(data, tiny_config(batch=64, mirror=mirror)).real(key)[0] for mirror in (False, True))
    turned = (mirrored == plain.flip(-1)).flatten(1).all(1)
    assert (turned | (mirrored == plain).flatten(1).all(1)).all()
    assert 16 < int(turned.sum()) < 48
    part = Batches(data, tiny_config(batch=64, mirror=True)).real(key, slice(10, 20))[0]
    assert torch.equal(part, mirrored[10:20])


def test_successive_turns_take_up_where_the_last_one_ended() -> None:
    data = tiny_dataset(24)
    batches = Batches(data, tiny_config(batch=4, discriminator_steps=2))
    shown = [
        batches.real(Key(0, step=step, turn="discriminator", repeat=repeat))[0] for step in range(3) for repeat in range(2)
    ]
    every = torch.cat(shown).flatten(1)
    assert len(torch.unique(every, dim=0)) == 24, "one pass in six turns: every record once"


def labelled(count: int = 24) -> Dataset:
    """Pictures whose every value is a function of their class."""
    data = tiny_dataset(count, classes=("a", "b", "c"))
    data.columns["x"][:] = (data.columns["label"] * 100).astype(np.uint8)[:, None, None, None]
    return data


def classes_of(x: torch.Tensor) -> list[int]:
    return ((x[:, 0, 0, 0] + 1) * 1.275).round().int().tolist()


def test_a_record_comes_with_its_condition() -> None:
    config = tiny_config(batch=8, conditions=("label",))
    x, condition = Batches(labelled(), config).real(Key(0, step=3, turn="discriminator"))
    assert classes_of(x) == condition["label"].tolist()
    assert condition["label"].dtype == torch.int64


def test_without_conditions_none_are_given() -> None:
    x, condition = Batches(labelled(), tiny_config(batch=8)).real(Key(0, turn="discriminator"))
    assert len(x) == 8
    assert not condition


@pytest.mark.parametrize("steps", [1, 2])
def test_the_generator_is_told_what_the_discriminator_saw_last(steps: int) -> None:
    config = tiny_config(batch=8, conditions=("label",), discriminator_steps=steps)
    batches = Batches(labelled(), config)
    _, last = batches.real(Key(0, step=5, turn="discriminator", repeat=steps - 1))
    assert torch.equal(batches.condition(Key(0, step=5, turn="generator"))["label"], last["label"])


def test_a_relative_loss_brings_fresh_conditions_with_its_fresh_records() -> None:
    config = replace(tiny_config(batch=8, conditions=("label",)), loss=Relative())
    batches = Batches(labelled(), config)
    _, seen = batches.real(Key(0, step=5, turn="discriminator"))
    x, fresh = batches.real(Key(0, step=5, turn="generator"))
    assert classes_of(x) == fresh["label"].tolist()
    assert not torch.equal(fresh["label"], seen["label"])
    assert torch.equal(batches.condition(Key(0, step=5, turn="generator"))["label"], fresh["label"])


@dataclass(frozen=True)
class Relative(NonSaturating):
    """Compares with reals in the generator's turn too."""

    generator_needs_real = True
