"""What a linear probe reads: checked against another library, and on samples whose classes are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from torch import Tensor

from ganwright.data.spec import Condition
from ganwright.metrics.base import Described, Evidence, NotMeasurable
from ganwright.metrics.classes import Classes, by_class
from ganwright.metrics.parts.mmd import polynomial_mmd
from ganwright.metrics.parts.probe import SHRINKAGES, _probes, fit_probe

NAMES = ("cat", "dog", "owl", "bat")


def records(labels: np.ndarray, seed: int, apart: float = 4.0) -> Tensor:
    draw = np.random.default_rng(seed).normal(size=(len(labels), 6))
    draw[np.arange(len(labels)), labels] += apart
    return torch.from_numpy(draw.astype(np.float32))


def drawn(count: int, seed: int, shares: tuple[float, ...] = (0.25, 0.25, 0.25, 0.25)) -> Described:
    labels = np.random.default_rng(1000 + seed).choice(4, count, p=shares)
    return Described(records(labels, seed), labels)


def evidence(fake: Described, held_out: Described | None = None) -> Evidence:
    return Evidence(drawn(600, 0), fake, held_out, condition=Condition("label", NAMES))


def test_the_probe_is_linear_discriminant_analysis() -> None:
    labels = np.random.default_rng(0).integers(0, 4, 500)
    features = records(labels, 1, apart=2.0)
    ours = _probes(features, labels, 4)[0]
    theirs = LinearDiscriminantAnalysis(solver="lsqr").fit(features.double().numpy(), labels)
    fresh = records(np.random.default_rng(2).integers(0, 4, 1000), 3, apart=2.0)
    # The shrinkage of 1e-4 moves a boundary by less than a record in a thousand.
    assert (ours.read(fresh) == theirs.predict(fresh.double().numpy())).mean() > 0.998


def test_the_probe_shrinks_where_records_are_few() -> None:
    labels = np.arange(60) % 2
    draw = np.random.default_rng(4)
    features = torch.from_numpy(draw.normal(size=(60, 200)).astype(np.float32)) + 0.5 * torch.from_numpy(labels)[:, None]
    truth = np.arange(1000) % 2
    fresh = torch.from_numpy(draw.normal(size=(1000, 200)).astype(np.float32)) + 0.5 * torch.from_numpy(truth)[:, None]
    chosen = (fit_probe(features.float(), labels, 2).read(fresh) == truth).mean()
    least = (_probes(features.float(), labels, 2)[0].read(fresh) == truth).mean()
    assert chosen >= least
    assert chosen > 0.9
    assert list(SHRINKAGES) == sorted(SHRINKAGES)


def test_the_probe_never_reads_a_class_without_records_and_bears_idle_features() -> None:
    labels = np.random.default_rng(5).integers(0, 3, 90)
    features = torch.cat([records(labels, 6), torch.full((90, 2), 5.0)], dim=1)
    assert set(fit_probe(features, labels, 4).read(features)) == {0, 1, 2}


def test_samples_of_the_right_classes_agree_and_are_balanced() -> None:
    found = Classes().measure(evidence(drawn(400, 1), drawn(300, 2)))
    assert found["label_agreement"].value > 0.95
    assert found["label_agreement"].floor == pytest.approx(found["label_agreement"].value, abs=0.03)
    assert found["class_balance"].value < 0.1
    assert found["class_balance"].floor_count == 300
    assert found["class_balance"].at_floor_count is not None
    assert "held-out records right" in found["class_balance"].protocol


def test_a_model_that_ignores_what_it_is_asked_for_is_seen() -> None:
    fake = drawn(400, 3)
    asked = np.random.default_rng(6).integers(0, 4, 400)
    found = Classes().measure(evidence(replace(fake, labels=asked)))
    assert found["label_agreement"].value == pytest.approx(0.25, abs=0.07)
    assert found["label_agreement"].floor is None


def test_a_lost_class_is_seen_in_the_balance() -> None:
    found = Classes().measure(evidence(Described(drawn(400, 4, (0.5, 0.25, 0.25, 0.0)).features)))
    assert set(found) == {"class_balance"}
    assert found["class_balance"].value == pytest.approx(0.25, abs=0.06)


def test_the_errors_are_the_scatter_over_draws() -> None:
    shares = (0.4, 0.3, 0.2, 0.1)
    found = [Classes().measure(evidence(drawn(200, 10 + i, shares))) for i in range(25)]
    balance = [each["class_balance"] for each in found]
    # The training records are the same in all draws, so their share of the error does not show in the scatter.
    assert np.mean([each.error for each in balance if each.error]) == pytest.approx(
        np.std([b.value for b in balance]), rel=0.5
    )


def test_by_class_tells_of_each_class() -> None:
    train = drawn(600, 0)
    labels = np.array([0] * 100 + [1] * 100 + [2] * 5)
    features = records(np.array([0] * 100 + [2] * 100 + [2] * 5), 7)
    found = by_class(evidence(Described(features, labels)))
    assert list(found) == list(NAMES)
    assert found["cat"]["agreement"] > 0.9
    assert found["dog"]["agreement"] < 0.1
    assert found["dog"]["kernel_distance"] > 10 * abs(found["cat"]["kernel_distance"])
    assert "kernel_distance" not in found["owl"]
    assert "agreement" not in found["bat"]
    assert sum(each["share"] for each in found.values()) == pytest.approx(1)
    assert sum(each["real_share"] for each in found.values()) == pytest.approx(1)
    assert train.labels is not None
    cats = train.features[torch.from_numpy(train.labels == 0)]
    assert found["cat"]["kernel_distance"] == pytest.approx(polynomial_mmd(cats, features[:100]))


def test_by_class_goes_by_what_is_read_where_nothing_was_asked() -> None:
    found = by_class(evidence(Described(drawn(300, 8).features)))
    assert all("agreement" not in each and "kernel_distance" in each for each in found.values())


def test_unknown_labels_are_left_out() -> None:
    train, fake = drawn(600, 0), drawn(200, 9)
    assert train.labels is not None
    assert fake.labels is not None
    hidden = np.where(np.arange(600) % 2, train.labels, -1)
    some = np.where(np.arange(200) < 50, fake.labels, -1)
    seen = Evidence(replace(train, labels=hidden), replace(fake, labels=some), condition=Condition("label", NAMES))
    agreement = Classes().measure(seen)["label_agreement"]
    assert (agreement.count, agreement.value > 0.9) == (50, True)


def test_records_without_classes_cannot_be_measured() -> None:
    plain = Described(drawn(50, 10).features)
    with pytest.raises(NotMeasurable, match="no classes"):
        Classes().measure(Evidence(plain, plain))
    one = Described(plain.features, np.zeros(50, np.int64))
    with pytest.raises(NotMeasurable, match="two or more classes"):
        Classes().measure(Evidence(one, plain, condition=Condition("label", NAMES)))
    with pytest.raises(NotMeasurable, match="samples"):
        Classes().measure(evidence(plain.first(9)))
