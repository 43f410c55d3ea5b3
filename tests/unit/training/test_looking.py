"""What is looked at while a run trains."""

from __future__ import annotations

from dataclasses import replace

import torch
from support import TINY, tiny_dataset

from ganwright.data.spec import Condition
from ganwright.model.model import Model
from ganwright.model.model_file import ModelContents
from ganwright.training.looking import View


def test_an_unconditional_run_shows_the_same_sixty_four_latents() -> None:
    dataset = tiny_dataset(100)
    view = View.of(dataset, dataset.codec.spec)
    model = Model(ModelContents(TINY, dataset.codec.spec, dataset.codec, TINY.generator(dataset.codec.spec), {}))
    samples = view.samples(model, seed=3)
    assert samples.shape == (64, 1, 8, 8)
    assert torch.equal(samples, view.samples(model, seed=3))
    assert [len(group) for group in view.real] == [64]


def test_a_conditional_run_shows_a_row_a_class_beside_reals_of_that_class() -> None:
    dataset = tiny_dataset(60, classes=("a", "b", "c"))
    dataset.columns["x"][:] = (dataset.columns["label"] * 100).astype("uint8")[:, None, None, None]
    spec = replace(dataset.codec.spec, conditions=(Condition("label", ("a", "b", "c")),))
    view = View.of(dataset, spec)
    model = Model(ModelContents(TINY, spec, dataset.codec, TINY.generator(spec), {}))
    samples = view.samples(model, seed=3)
    assert torch.equal(samples[8:16], model.tensor(16, seed=3, label=["a"] * 8 + ["b"] * 8)[8:])
    assert [len(group) for group in view.real] == [8, 8, 8]
    assert len({float(group.mean()) for group in view.real}) == 3
    assert all(float(group.std()) < 1e-6 for group in view.real), "each group is of one class"


def test_many_classes_are_shown_in_part() -> None:
    names = tuple(f"class {number}" for number in range(40))
    dataset = tiny_dataset(80, classes=names)
    view = View.of(dataset, replace(dataset.codec.spec, conditions=(Condition("label", names),)))
    assert view.count == 16 * 8
    assert len(view.real) == 16


def test_one_picture_a_class_has_no_diversity() -> None:
    dataset = tiny_dataset(60, classes=("a", "b"))
    view = View.of(dataset, replace(dataset.codec.spec, conditions=(Condition("label", ("a", "b")),)))
    stuck = torch.cat([torch.full((8, 1, 8, 8), -0.9), torch.full((8, 1, 8, 8), 0.9)])
    assert view.diversity(stuck) < 1e-3
    assert view.diversity(torch.cat(view.real)) > 0.9
