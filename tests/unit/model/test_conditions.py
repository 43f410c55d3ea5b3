"""What samples are conditioned on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from support import TINY, image_codec

from ganwright.core.errors import UsageError
from ganwright.data.spec import Condition
from ganwright.model.conditions import draw_conditions
from ganwright.model.model import Model
from ganwright.model.model_file import ModelContents
from ganwright.runtime.keys import Key

CLASSES = ("cat", "dog", "owl")
CONDITION = Condition("label", CLASSES, (90, 10, 0))


def conditional_model(condition: Condition = CONDITION) -> Model:
    codec = image_codec(classes=condition.classes)
    spec = replace(codec.spec, conditions=(condition,))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        generator, discriminator = TINY.build(spec)
    return Model(ModelContents(TINY, spec, codec, generator.eval(), {}, discriminator.eval()))


def test_what_is_not_asked_for_is_drawn_as_often_as_the_data_had_it() -> None:
    drawn = draw_conditions((CONDITION,), 5000, Key(0))["label"]
    shares = np.bincount(drawn.numpy(), minlength=3) / 5000
    assert shares[0] == pytest.approx(0.9, abs=0.02)
    assert shares[2] == 0
    even = draw_conditions((Condition("label", CLASSES),), 5000, Key(0))["label"]
    assert np.bincount(even.numpy(), minlength=3).min() > 1500


def test_a_class_may_be_asked_for_by_name_and_one_for_each_sample() -> None:
    model = conditional_model()
    cats, dogs = model.tensor(70, seed=3, label="cat"), model.tensor(70, seed=3, label="dog")
    assert not torch.allclose(cats, dogs)
    mixed = model.tensor(70, seed=3, label=["cat", "dog"] * 35)
    assert torch.equal(mixed[::2], cats[::2])
    assert torch.equal(mixed[1::2], dogs[1::2])
    assert torch.equal(model.tensor(3, seed=3, label="dog"), dogs[:3]), "however many are asked for"
    assert torch.equal(model.tensor(3, seed=3), model.tensor(70, seed=3)[:3])


def test_a_class_with_a_number_for_a_name_may_be_asked_for_as_a_number() -> None:
    model = conditional_model(Condition("label", tuple("0123456789")))
    assert torch.equal(model.tensor(4, label=7), model.tensor(4, label="7"))
    assert torch.equal(model.tensor(2, label=np.array([7, 1])), model.tensor(2, label=["7", "1"]))
    assert len(model.sample(3, label=np.int64(7))) == 3


def test_what_the_model_does_not_know_is_told_of() -> None:
    model = conditional_model()
    with pytest.raises(UsageError, match="label 'cow'") as caught:
        model.sample(2, label="cow")
    assert "cat, dog, owl" in str(caught.value)
    with pytest.raises(UsageError, match="not conditioned on 'colour'"):
        model.sample(2, colour="red")
    with pytest.raises(UsageError, match="2 values for 3 samples"):
        model.sample(3, label=["cat", "dog"])
    with pytest.raises(UsageError, match="unknown noise 'gamma'"):
        model.sample(3, noise="gamma")  # type: ignore[arg-type]


def test_one_row_a_class() -> None:
    model = conditional_model()
    whole = model.grid(columns=4, by_class=True, seed=5)
    wanted = model.codec.preview(model.sample(12, seed=5, label=[name for name in CLASSES for _ in range(4)]), 4)
    assert np.array_equal(np.asarray(whole), np.asarray(wanted))
    two = model.grid(2, 4, by_class=True, seed=5)
    assert two.height < whole.height
    with pytest.raises(UsageError, match="one row a class, and one class"):
        model.grid(by_class=True, label="cat")


def test_conditions_survive_the_file(tmp_path: Path) -> None:
    model = conditional_model()
    again = Model.load(model.save(tmp_path / "model.safetensors"))
    assert again.spec.conditions == (CONDITION,)
    assert torch.equal(again.tensor(5, label="owl"), model.tensor(5, label="owl"))


def test_records_of_known_class_are_scored_as_that_class() -> None:
    model = conditional_model()
    pictures = np.random.default_rng(0).integers(0, 256, (6, 8, 8), np.uint8)
    scores = model.score((pictures, ["cat", "dog", "owl", "cat", "lion", "dog"]))
    assert np.isnan(scores).tolist() == [False] * 4 + [True, False], "a lion is no class of this model"
    other = model.score((pictures, ["dog"] * 6))
    assert scores[1] == other[1]
    assert scores[0] != other[0]
