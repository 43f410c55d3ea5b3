"""Whether samples are copies of training records."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ganwright.metrics.base import Evidence, Metric, NotMeasurable
from ganwright.metrics.parts.measurement import Measurement
from ganwright.metrics.parts.neighbours import nearest, same_within
from ganwright.metrics.parts.rank_test import rank_test

FEWEST = 20
"""Held-out records, and samples, that it needs."""
SEARCHED = 6
"""Neighbours among which one is looked for that is not the nearest once more."""
STRATA = 10
IN_STRATUM = 10
"""Held-out records in a stratum, at least."""
NEAREST = 0.01
"""The share of held-out records that lies as near to training records as copies do."""


@dataclass(frozen=True)
class Nearness:
    """How near queries are to training records."""

    places: Tensor
    """int64 (N,): the nearest training record of each."""
    distances: Tensor
    """(N,) float64."""
    next_distances: Tensor
    """(N,) float64, to the nearest training record that is another one."""

    @property
    def ratios(self) -> Tensor:
        """(N,) in 0..1: near 0 where one training record is far nearer than all others, as it is to a copy."""
        return torch.where(self.next_distances > 0, self.distances / self.next_distances, 1.0)

    @property
    def most_copied(self) -> Tensor:
        """int64 (N,): places of the queries, those that look most like copies first."""
        return torch.argsort(self.ratios, stable=True)


def nearness(queries: Tensor, train: Tensor) -> Nearness:
    """Of (N, D) queries to (M, D) training records, M at least 2."""
    # A record that is there twice would be its own next one, and its copies pass for originals.
    _, first = np.unique(_rows_as_bytes(train), return_index=True)
    kept = torch.from_numpy(np.sort(first))
    records = train[kept]
    found = nearest(queries, records, min(SEARCHED, len(records)))
    here = records[found.places[:, 0]]
    next_distances = found.distances[:, -1].clone()
    for rank in range(found.places.shape[1] - 2, 0, -1):
        gap = (records[found.places[:, rank]].double() - here.double()).square().sum(dim=1).sqrt()
        next_distances = torch.where(gap > same_within(here), found.distances[:, rank], next_distances)
    return Nearness(kept[found.places[:, 0]], found.distances[:, 0], next_distances)


@dataclass(frozen=True)
class Memorisation(Metric):
    """Whether samples are nearer to training records than records that the generator never saw.

    Meehan et al. 2020 (arXiv:2004.05675) compare nearest distances within cells, since samples that are merely typical, or
    smooth, are near to everything. Here a nearest distance is held against that to the next training record, which takes
    the local scale out, as in Lowe's ratio test (2004, doi:10.1023/B:VISI.0000029664.99615.94), and held-out records are
    those that lie as near to their next record as the sample.
    """

    def measure(self, evidence: Evidence) -> dict[str, Measurement]:
        samples, held_out = self._nearness(evidence)
        ratios, others = samples.ratios.numpy(), held_out.ratios.numpy()
        strata, other_strata = _strata(samples.next_distances.numpy(), held_out.next_distances.numpy())
        test = rank_test(ratios, others, strata, other_strata)
        n, m = len(ratios), len(others)
        # The k-th smallest of m held-out ratios: one more record falls below it with a chance of k / (m + 1).
        k = max(1, int(NEAREST * (m + 1)))
        expected = k / (m + 1)
        copies = float((ratios < np.sort(others)[k - 1]).mean())
        ratio = "distance to the nearest training record over that to the next other one"
        # Chances and shares do not depend on how many there are, so they compare with the floor as they are.
        shared = {"count": n, "reference": len(evidence.train), "floor_count": m}
        return {
            "copying": Measurement(
                test.smaller,
                "lower",
                protocol=f"chance that a sample has a smaller {ratio} than a held-out record whose next one is as far",
                error=test.error,
                floor=0.5,
                at_floor_count=test.smaller,
                **shared,
            ),
            "copying_p": Measurement(
                test.p,
                "higher",
                protocol="chance of as much copying, or more, if samples are like held-out records; one-sided Mann-Whitney "
                "test within tenths of the distance to the next training record",
                floor=0.5,
                **shared,
            ),
            "copies": Measurement(
                copies,
                "lower",
                protocol=f"share of samples with a smaller {ratio} than all but {expected:.1%} of held-out records",
                error=math.sqrt(copies * (1 - copies) / n),
                floor=expected,
                floor_error=math.sqrt(expected * (1 - expected) / (m + 2)),
                at_floor_count=copies,
                **shared,
            ),
        }

    def _nearness(self, evidence: Evidence) -> tuple[Nearness, Nearness]:
        held_out = evidence.held_out
        if not evidence.unseen or held_out is None:
            raise NotMeasurable("it is not known which records the generator never saw; train with some held out")
        if len(held_out) < FEWEST:
            raise NotMeasurable(f"at least {FEWEST} held-out records are needed, not {len(held_out)}; hold out more")
        if len(evidence.fake) < FEWEST:
            raise NotMeasurable(f"at least {FEWEST} samples are needed, not {len(evidence.fake)}; draw more")
        if len(evidence.train) < SEARCHED:
            raise NotMeasurable(f"at least {SEARCHED} training records are needed, not {len(evidence.train)}")
        train = evidence.train.features
        return nearness(evidence.fake.features, train), nearness(held_out.features, train)


def _strata(samples: np.ndarray, held_out: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The tenth of the held-out records' numbers in which each number lies; fewer and larger parts of few records."""
    count = min(STRATA, len(held_out) // IN_STRATUM)
    edges = np.quantile(held_out, np.arange(1, count) / count)
    return np.searchsorted(edges, samples), np.searchsorted(edges, held_out)


def _rows_as_bytes(features: Tensor) -> np.ndarray:
    """(N,), equal where (N, D) rows are."""
    rows = (features + 0.0).contiguous().numpy()  # -0 becomes 0.
    return rows.view(np.dtype((np.void, rows.itemsize * rows.shape[1])))[:, 0]
