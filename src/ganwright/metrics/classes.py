"""Whether samples are of the classes that they should be of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ganwright.metrics.base import Described, Evidence, Metric, NotMeasurable
from ganwright.metrics.parts.measurement import Measurement
from ganwright.metrics.parts.mmd import polynomial_mmd
from ganwright.metrics.parts.probe import Probe, fit_probe
from ganwright.metrics.parts.subsets import error_at, subset_share, subsets
from ganwright.runtime.keys import Key

FEWEST = 10
"""Records of a set, or of a class, below which nothing is said of it."""
MOST_IN_CLASS = 5_000
"""Records of a class that its kernel distance looks at."""


@dataclass(frozen=True)
class Classes(Metric):
    """What a linear probe of the training records' features reads in the samples."""

    def measure(self, evidence: Evidence) -> dict[str, Measurement]:
        probe, classes = _probe_of(evidence), _class_names(evidence)
        real, fake = probe.read(evidence.train.features), probe.read(evidence.fake.features)
        held_out = evidence.held_out if evidence.held_out is not None and len(evidence.held_out) >= FEWEST else None
        others = None if held_out is None else probe.read(held_out.features)
        accuracy = None if held_out is None or others is None else _agreement(others, held_out.labels)
        said = "" if accuracy is None else f", which reads {accuracy[0]:.1%} of held-out records right"
        found = {"class_balance": _balance(real, fake, others, len(classes), evidence.seed, said)}
        if (asked := _agreement(fake, evidence.fake.labels)) is not None:
            found["label_agreement"] = Measurement(
                asked[0],
                "higher",
                count=asked[2],
                reference=len(real),
                protocol=f"share of samples in which a linear probe reads the class that was asked for{said}",
                error=asked[1],
                floor=accuracy and accuracy[0],
                floor_error=accuracy and accuracy[1],
                floor_count=accuracy and accuracy[2],
                at_floor_count=accuracy and asked[0],
            )
        return found


def by_class(evidence: Evidence) -> dict[str, dict[str, float]]:
    """Numbers about each class that has samples or training records, by its name.

    "share" of samples and "real_share" of training records as the probe reads them; "agreement", the share of samples asked
    for as this class that are read so, where samples have labels; "kernel_distance" of its samples, as asked for, or as read
    where nothing was asked, to its training records, where there are at least FEWEST of both.

    Raises:
        NotMeasurable: as `Classes` does.
    """
    probe = _probe_of(evidence)
    real, fake = probe.read(evidence.train.features), probe.read(evidence.fake.features)
    asked = evidence.fake.labels
    assert evidence.train.labels is not None
    numbers: dict[str, dict[str, float]] = {}
    for place, name in enumerate(_class_names(evidence)):
        of_fake, of_real = (fake if asked is None else asked) == place, evidence.train.labels == place
        about = {"share": float((fake == place).mean()), "real_share": float((real == place).mean())}
        if asked is not None and of_fake.any():
            about["agreement"] = float((fake[of_fake] == place).mean())
        if min(of_fake.sum(), of_real.sum()) >= FEWEST:
            a, b = (_rows(evidence.train, of_real), _rows(evidence.fake, of_fake))
            about["kernel_distance"] = polynomial_mmd(a, b)
        if of_fake.any() or of_real.any() or about["share"] or about["real_share"]:
            numbers[name] = about
    return numbers


def _rows(described: Described, which: np.ndarray) -> torch.Tensor:
    return described.features[torch.from_numpy(which.nonzero()[0][:MOST_IN_CLASS])]


def _class_names(evidence: Evidence) -> Sequence[str]:
    return () if evidence.condition is None else evidence.condition.classes


def _probe_of(evidence: Evidence) -> Probe:
    """Learned from the training records whose class is known."""
    labels = evidence.train.labels
    if labels is None or not _class_names(evidence):
        raise NotMeasurable("the records have no classes")
    known = labels >= 0
    if known.sum() < FEWEST or len(np.unique(labels[known])) < 2:
        raise NotMeasurable(f"at least {FEWEST} training records of two or more classes are needed")
    if len(evidence.fake) < FEWEST:
        raise NotMeasurable(f"at least {FEWEST} samples are needed, not {len(evidence.fake)}")
    return fit_probe(evidence.train.features[torch.from_numpy(known)], labels[known], len(_class_names(evidence)))


def _agreement(read: np.ndarray, labels: np.ndarray | None) -> tuple[float, float, int] | None:
    """The share of records read as labelled, its binomial standard error and count, where enough labels are known."""
    if labels is None or (known := labels >= 0).sum() < FEWEST:
        return None
    share, count = float((read[known] == labels[known]).mean()), int(known.sum())
    return share, math.sqrt(share * (1 - share) / count), count


def _balance(
    real: np.ndarray, fake: np.ndarray, others: np.ndarray | None, classes: int, seed: int, said: str
) -> Measurement:
    """The distance between the classes read in training records and in samples, with that of held-out records."""
    key = Key(seed, turn="metrics")
    floor_count = None if others is None else min(len(others), len(fake))
    floor = floor_error = at_floor = None
    if others is not None and floor_count is not None:
        floor = _total_variation(real, others[:floor_count], classes)
        floor_error = _balance_error(real, others[:floor_count], classes, key)
        if floor_count < len(fake):
            some = subsets(len(fake), floor_count, key, "floor")
            at_floor = float(np.mean([_total_variation(real, fake[each.numpy()], classes) for each in some]))
    value = _total_variation(real, fake, classes)
    return Measurement(
        value,
        "lower",
        count=len(fake),
        reference=len(real),
        protocol="total variation distance between the shares of classes that a linear probe reads in samples and in "
        f"training records{said}; a little above zero by chance alone",
        error=_balance_error(real, fake, classes, key),
        floor=floor,
        floor_error=floor_error,
        floor_count=floor_count,
        at_floor_count=value if floor_count == len(fake) else at_floor,
    )


def _total_variation(real: np.ndarray, fake: np.ndarray, classes: int) -> float:
    shares = [np.bincount(each, minlength=classes) / len(each) for each in (real, fake)]
    return float(0.5 * np.abs(shares[0] - shares[1]).sum())


def _balance_error(real: np.ndarray, fake: np.ndarray, classes: int, key: Key) -> float:
    share = min(subset_share(len(fake)), subset_share(len(real)))
    sizes = max(1, int(share * len(real))), max(1, int(share * len(fake)))
    drawn = zip(subsets(len(real), sizes[0], key, "real"), subsets(len(fake), sizes[1], key, "fake"), strict=True)
    return error_at(share, [_total_variation(real[a.numpy()], fake[b.numpy()], classes) for a, b in drawn])
