"""Samples of conditions of every kind: drawn together, asked for, and what cannot be."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from support import TINY, image_codec, safetensors_bytes, taken_apart

from ganwright.core.errors import ModelFileError, UsageError
from ganwright.data.joint_rows import with_rows
from ganwright.data.spec import Condition
from ganwright.data.told import Told, counted
from ganwright.model.conditions import draw_conditions, sample_conditions
from ganwright.model.model import Model
from ganwright.model.model_file import ModelContents
from ganwright.model.wishes import ask
from ganwright.runtime.keys import Key

BREED = Condition("breed", ("manx", "tabby", "wild"))
TAGS = Condition("labels", ("hat", "tie", "ring"), kind="labels")
AGE = Condition("age", kind="number", low=0, high=100)
TURN = Condition("turn", kind="number", low=0, high=360, circular=True)


def conditions(count: int = 3000) -> tuple[Condition, ...]:
    """Tabbies are young and have hats; manx are old and have none; a tie is worn by anyone, a ring with a hat only."""
    random = np.random.default_rng(0)
    tabby = random.random(count) < 0.7
    age = np.where(tabby, random.uniform(0, 40, count), random.uniform(60, 100, count))
    tie = random.random(count) < 0.5
    columns = {
        "breed": tabby.astype(np.int64),
        "labels": np.stack([tabby, tie, tabby & (random.random(count) < 0.5)], 1).astype(np.float32),
        "age": AGE.scaled(age),
        "turn": TURN.scaled(random.uniform(0, 360, count)),
    }
    return with_rows([counted(each, columns[each.name]) for each in (BREED, TAGS, AGE, TURN)], columns)


KNOWN = conditions()


def sampled(n: int = 512, seed: int = 0, where: dict[str, Any] | None = None, **given: Any) -> dict[str, np.ndarray]:
    drawn = sample_conditions(KNOWN, 0, -(-n // 64) * 64, seed, ask(KNOWN, given, n, where))
    return {name: value[:n].numpy() for name, value in drawn.items()}


def ages(drawn: dict[str, np.ndarray]) -> np.ndarray:
    return AGE.natural(drawn["age"])


def test_without_a_wish_combinations_are_those_of_the_data() -> None:
    drawn = {name: value.numpy() for name, value in draw_conditions(KNOWN, 2000, Key(0)).items()}
    tabby = drawn["breed"] == 1
    assert tabby.mean() == pytest.approx(0.7, abs=0.03)
    assert (ages(drawn)[tabby] <= 40.01).all()
    assert (ages(drawn)[~tabby] >= 59.99).all()
    assert np.array_equal(drawn["labels"][:, 0] == 1, tabby)
    assert drawn["labels"][:, 1].mean() == pytest.approx(0.5, abs=0.05)
    assert (drawn["breed"] < 2).all(), "no record is wild"


def test_what_is_not_asked_for_goes_with_what_is() -> None:
    old = sampled(age=80)
    assert (old["breed"] == 0).all()
    assert np.allclose(ages(old), 80)
    assert len(set(old["turn"].tolist())) > 10, "many a record is as old"
    hats = sampled(labels=["hat", "ring"])
    assert (hats["breed"] == 1).all()
    assert (hats["labels"][:, [0, 2]] == 1).all()
    assert 0.3 < hats["labels"][:, 1].mean() < 0.7
    assert (ages(hats) < 41).all()


def test_what_no_record_is_can_be_asked_for_all_the_same() -> None:
    drawn = sampled(breed="wild", hat=False)
    assert (drawn["breed"] == 2).all()
    assert (drawn["labels"][:, 0] == 0).all()
    odd = sampled(breed="manx", hat="yes", age=[50] * 512)
    assert (odd["breed"] == 0).all()
    assert (odd["labels"][:, 0] == 1).all()
    assert np.allclose(ages(odd), 50)


def test_where_takes_ranges_and_alternatives() -> None:
    drawn = sampled(where={"age": (30, 70), "breed": ["manx", "tabby"]})
    assert (ages(drawn) >= 29.99).all()
    assert (ages(drawn) <= 70.01).all()
    assert {0, 1} == set(drawn["breed"].tolist())
    assert len(np.unique(drawn["age"])) > 100
    nobody = sampled(where={"age": (45, 55)})
    assert (abs(ages(nobody) - 50) <= 5.01).all()
    assert len(np.unique(nobody["age"])) > 100
    assert (sampled(where={"hat": "no", "age": (60, None)})["labels"][:, 0] == 0).all()


@pytest.mark.parametrize("classes", [("false", "true"), ("0", "1"), ("No", "Yes"), ("no", "on")])
def test_a_class_of_yes_and_no_is_asked_for_in_any_words(classes: tuple[str, ...]) -> None:
    hat = (Condition("hat", classes),)
    for said, place in ((True, 1), ("yes", 1), (1, 1), (False, 0), ("no", 0), (np.bool_(False), 0)):
        (wanted,) = ask(hat, {"hat": said}, 1)["hat"].choices
        assert wanted is not None
        assert wanted.places == (place,)
    for said in ("maybe", 2):
        with pytest.raises(UsageError, match="is not one that the model knows"):
            ask(hat, {"hat": said}, 1)


def test_an_angle_goes_round() -> None:
    natural = TURN.natural(sampled(where={"turn": (350, 10)})["turn"])
    assert (((natural - 350) % 360) <= 20.05).all()
    assert np.allclose(sampled(turn=-90)["turn"], 0.5)
    assert sampled(where={"turn": (0, 360)})["turn"].std() > 0.3


def test_one_value_for_each_sample() -> None:
    drawn = sampled(4, breed=["manx", "tabby", None, "wild"], age=[10, None, 90, 20], labels=[["tie"], [], ["hat"], None])
    assert drawn["breed"][[0, 1, 3]].tolist() == [0, 1, 2]
    assert np.allclose(ages(drawn)[[0, 2, 3]], [10, 90, 20])
    assert drawn["labels"][0, 1] == 1
    assert drawn["labels"][2, 0] == 1


def test_a_sample_depends_on_its_place_and_its_wish_alone() -> None:
    many = sampled(512, seed=5, age=80)
    few = sampled(3, seed=5, age=80)
    mixed = sampled(512, seed=5, age=[80, 10] * 256)
    for name in many:
        assert np.array_equal(few[name], many[name][:3])
        assert np.array_equal(mixed[name][::2], many[name][::2])
    assert not np.array_equal(mixed["breed"], many["breed"])


@pytest.mark.parametrize(
    ("given", "where", "message"),
    [
        ({"age": 101}, {}, "no age of 101"),
        ({}, {"age": (-5, 20)}, "no age of -5"),
        ({"age": "old"}, {}, "no number"),
        ({"age": float("nan")}, {}, "no number"),
        ({"breed": "cow"}, {}, "not one that the model knows"),
        ({"labels": ["shoe"]}, {}, "not one that the model knows"),
        ({"hat": "maybe"}, {}, "is yes or no"),
        ({"colour": 3}, {}, "not conditioned on 'colour'"),
        ({"age": [1, 2]}, {}, "2 values for 512 samples"),
        ({"labels": [["hat"]] * 5}, {}, "5 values for 512 samples"),
        ({"age": 3}, {"age": 4}, "asked for twice"),
        ({}, {"breed": ("a", "b")}, "no range"),
        ({}, {"age": (40, 30)}, "nothing lies between"),
        ({}, {"age": [1, 2]}, "one number or a range"),
        ({}, {"labels": "hat"}, "each by its name"),
        ({}, {"turn": (30, None)}, "two ends"),
    ],
)
def test_what_cannot_be_is_told_of(given: dict[str, Any], where: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        sampled(where=where, **given)


def test_a_number_outside_of_the_data_can_be_forced() -> None:
    with pytest.raises(UsageError) as caught:
        ask(KNOWN, {"age": 150}, 1)
    assert "went from 0 to 100" in str(caught.value)
    (wanted,) = ask(KNOWN, {"age": 150}, 1, beyond=True)["age"].choices
    assert wanted is not None
    assert wanted.low == pytest.approx(2)
    with pytest.raises(UsageError, match="is no number"):
        ask(KNOWN, {"age": 1e300}, 1, beyond=True)


def test_the_ends_can_be_asked_for_as_they_are_printed() -> None:
    ink = Condition("ink", kind="number", low=2.890625, high=6.765625)
    for end, said in ((-1, f"{ink.low:g}"), (1, f"{ink.high:g}")):
        (wanted,) = ask((ink,), {"ink": float(said)}, 1)["ink"].choices
        assert wanted is not None
        assert wanted.low == pytest.approx(end, abs=1e-4)
        assert abs(wanted.low) <= 1


def model() -> Model:
    codec = image_codec()
    codec.told = Told(tuple(replace(each, rows="") for each in KNOWN))
    spec = replace(codec.spec, conditions=KNOWN)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        generator, discriminator = TINY.build(spec)
    return Model(ModelContents(TINY, spec, codec, generator.eval(), {}, discriminator.eval()))


def test_the_model_file_keeps_all_of_it(tmp_path: Path) -> None:
    one = model()
    again = Model.load(one.save(tmp_path / "m.safetensors", discriminator=True))
    assert again.spec.conditions == KNOWN
    assert again.codec.conditions == one.codec.conditions
    wishes: list[dict[str, Any]] = [{}, {"age": 30, "hat": True}, {"breed": "tabby"}]
    for wish in wishes:
        assert torch.equal(again.tensor(5, **wish), one.tensor(5, **wish))
    assert again.grid(2, 3, where={"age": (10, 20)}, breed="tabby").size == one.grid(2, 3).size
    assert again.grid(by_class=True, columns=2, age=30).height > again.grid(1, 2).height


@pytest.mark.parametrize(
    "change",
    [
        {"rows": "A" * 40},
        {"rows": "!"},
        {"kind": "labels"},
        {"low": 5.0},
        {"name": "breed"},
        {"circular": 3},
        {"high": 1e999},
    ],
)
def test_a_model_file_that_lies_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    path = model().save(tmp_path / "m.safetensors")
    header, data = taken_apart(path.read_bytes())
    inner = json.loads(header["__metadata__"]["ganwright"])
    inner["spec"]["conditions"][2] |= change if change != {"low": 5.0} else {"low": 500.0}
    header["__metadata__"]["ganwright"] = json.dumps(inner)
    path.write_bytes(safetensors_bytes(header, data))
    with pytest.raises(ModelFileError):
        Model.load(path)


def test_records_are_scored_as_what_they_are() -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (4, 8, 8), np.uint8)
    facts: dict[str, Any] = {"breed": ["manx", "tabby", "tabby", "manx"], "hat": [1, 0, 1, 0], "tie": [1, 0, 1, 0]}
    facts |= {"ring": [1, 0, 1, 0], "age": [10.0, 20.0, 30.0, np.nan], "turn": [0, 90, 180, 270]}
    scores = model().score((pictures, facts))
    assert np.isnan(scores).tolist() == [False, False, False, True]
    other = model().score((pictures, facts | {"age": [10.0, 90.0, 30.0, 40.0]}))
    assert scores[0] == pytest.approx(other[0], rel=1e-4), "but for the last digits, since as many are not scored at once"
    assert scores[1] != other[1]
