"""Evaluations whose outcome is known beforehand, of real hand-written digits: 8x8 pictures that come with scikit-learn."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from sklearn.datasets import load_digits

from ganwright import GAN, evaluate, load
from ganwright.core.errors import DataError, UsageError
from ganwright.evaluation.result import Evaluation
from ganwright.features.random import Random

SAMPLES = 350


class Digits(NamedTuple):
    """Pictures uint8 (N, 8, 8) with their labels, in three parts with nothing in common."""

    train: tuple[np.ndarray, np.ndarray]
    held_out: tuple[np.ndarray, np.ndarray]
    fresh: tuple[np.ndarray, np.ndarray]


@cache
def digits() -> Digits:
    found: Any = load_digits()
    pictures, labels = (found.images * 15).astype(np.uint8), found.target
    order = np.random.default_rng(0).permutation(len(pictures))
    parts = np.split(order, [800, 1097])
    return Digits(*((pictures[part], labels[part]) for part in parts))


@cache
def measured(way: str) -> Evaluation:
    """SAMPLES records of one kind, held against the training digits."""
    random = np.random.default_rng(1)
    train, fresh, labels = digits().train[0], digits().fresh[0], digits().fresh[1]
    made = {
        "fresh": fresh[:SAMPLES],
        "copies": train[:SAMPLES],
        "near copies": (train[:SAMPLES] + random.integers(0, 8, (SAMPLES, 8, 8))).clip(0, 255).astype(np.uint8),
        "half the classes": fresh[labels < 5][:SAMPLES],
        "noisy": (fresh[:SAMPLES] + 60 * random.standard_normal((SAMPLES, 8, 8))).clip(0, 255).astype(np.uint8),
        "twins": np.repeat(fresh[: SAMPLES // 7], 7, axis=0),
    }[way]
    return evaluate(digits().train, made, held_out=digits().held_out, features="random")


def value(way: str, name: str) -> float:
    return measured(way).measurements[name].value


def error(name: str) -> float:
    found = measured("fresh").measurements[name].error
    assert found is not None
    return found


def verdict(way: str) -> str:
    (found,) = [note for note in measured(way).notes if note.startswith("Copies?")]
    return found


@pytest.mark.parametrize("way", ["copies", "near copies"])
def test_a_copy_of_the_training_set_is_called_one(way: str) -> None:
    assert verdict(way).startswith("Copies? Yes: ")
    assert value(way, "copies") > 0.9
    assert value(way, "copying_p") < 1e-6
    # Every other measure takes copies for the best samples there are.
    assert value(way, "frechet") < value("fresh", "frechet") + 3 * error("frechet")


@pytest.mark.parametrize("way", ["fresh", "noisy", "half the classes"])
def test_what_was_not_copied_is_not_called_so(way: str) -> None:
    assert verdict(way).startswith("Copies? No sign")


def test_other_real_records_get_what_the_floor_gets() -> None:
    for name in ("frechet", "kernel_distance", "cmmd", "precision", "recall", "density", "coverage", "diversity"):
        found = measured("fresh").measurements[name]
        assert found.floor is not None
        assert found.at_floor_count is not None
        spread = np.hypot(found.error or 0.0, found.floor_error or 0.0)
        assert abs(found.at_floor_count - found.floor) < 4 * spread, name


def test_missing_modes_show_in_recall_and_coverage_and_not_in_precision() -> None:
    for name in ("recall", "coverage"):
        assert value("half the classes", name) < value("fresh", name) - 3 * error(name)
    assert value("half the classes", "precision") > value("fresh", "precision") - 3 * error("precision")
    assert value("half the classes", "class_balance") > 0.35


def test_noise_shows_in_precision() -> None:
    assert value("noisy", "precision") < value("fresh", "precision") - 3 * error("precision")
    for name in ("frechet", "kernel_distance", "cmmd"):
        assert value("noisy", name) > value("fresh", name) + 3 * error(name)


def test_twins_show_among_duplicates_and_are_told_of() -> None:
    assert value("fresh", "duplicates") == 0.0
    assert value("twins", "duplicates") == 1.0
    assert any(note.startswith("Repeats itself?") for note in measured("twins").notes)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    found = measured("fresh")
    found.write(tmp_path)
    assert Evaluation.read(tmp_path) == found


def test_figures_of_other_features_are_on_another_scale() -> None:
    from ganwright.features.self import Self

    train, fresh = digits().train, digits().fresh[0][:SAMPLES]
    other = evaluate(train, fresh, held_out=digits().held_out, features=Self(steps=20))
    assert other.features != measured("fresh").features
    assert other.same_scale != measured("fresh").same_scale
    again = evaluate(train, fresh, held_out=digits().held_out, features=Random())
    assert again.same_scale == measured("fresh").same_scale
    assert again.measurements == measured("fresh").measurements


def test_a_conditional_model_is_asked_whether_it_draws_what_was_asked_for(tmp_path: Path) -> None:
    gan = GAN(recipe="mlp", conditional=True, batch=16).fit(digits().train, steps=3)
    found = gan.evaluate(digits().train, n=120, features="random", folder=tmp_path / "found")
    agreement = found.measurements["label_agreement"]
    assert 0 <= agreement.value < 0.6, "after three steps it draws noise"
    assert agreement.floor is not None
    assert agreement.floor > 0.8, "real digits are read right"
    assert set(found.by_class) <= {str(digit) for digit in range(10)}
    assert {path.name for path in (tmp_path / "found").iterdir()} == {
        "evaluation.json",
        "nearest.png",
        "grid.png",
        "report.html",
    }


def test_the_records_kept_from_training_are_found_again_from_the_file(tmp_path: Path) -> None:
    gan = GAN(recipe="mlp", batch=16).fit(digits().train, steps=2)
    gan.save(tmp_path / "model.safetensors")
    found = load(tmp_path / "model.safetensors").evaluate(digits().train, n=60, features="random")
    assert found.counts == {"train": 720, "held_out": 80, "samples": 60}
    assert "copies" in found.measurements
    other = load(tmp_path / "model.safetensors").evaluate(digits().fresh, n=60, features="random")
    assert any("not quite the records" in note for note in other.notes)


def test_rows_of_numbers_are_evaluated_too() -> None:
    rows = digits().train[0].reshape(-1, 64).astype(np.float64)
    gan = GAN(recipe="mlp", batch=16).fit(rows, steps=2)
    found = gan.evaluate(rows, n=100, features="random")
    assert {"frechet", "precision", "copies", "diversity"} <= set(found.measurements)
    assert found.measurements["precision"].value < 0.5, "noise is not among digits"


def test_too_few_samples_and_unknown_features_are_refused() -> None:
    train, _ = digits().train
    with pytest.raises(DataError, match="too few"):
        evaluate(train, train[:20])
    with pytest.raises(UsageError, match="rendom"):
        evaluate(train, train, features="rendom")
    with pytest.raises(UsageError, match="weights"):
        evaluate(train, train, features={"name": "random", "weights": "here"})


def test_a_model_and_the_files_of_its_samples_get_the_same_figures(tmp_path: Path) -> None:
    train, _ = digits().train
    gan = GAN(recipe="mlp", batch=16).fit(train, steps=3, holdout=False)
    gan.model_.codec.write(gan.sample(120, seed=4), tmp_path / "made", 0)
    of_model = gan.evaluate(train, n=120, seed=4, held_out=digits().held_out[0], features="random")
    of_files = evaluate(train, tmp_path / "made", seed=4, held_out=digits().held_out[0], features="random")
    for name in ("frechet", "kernel_distance", "precision", "recall"):
        assert of_model.measurements[name].value == pytest.approx(of_files.measurements[name].value, rel=1e-3), name
