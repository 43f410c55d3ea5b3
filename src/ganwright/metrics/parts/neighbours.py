"""Nearest records, and balls around records: exact, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ganwright.metrics.parts.distances import centred, rounding, row_blocks, squared_distances, squared_gaps, squares

SPARE = 4
"""Candidates beyond those asked for: single precision only has to get a set right that holds the true neighbours."""
SAME = 5e-6
"""Records nearer to each other than this part of their length are one: features are sums in single precision."""


@dataclass(frozen=True)
class Neighbours:
    """The nearest records of each query, nearest first."""

    distances: Tensor
    """(N, k) float64."""
    places: Tensor
    """(N, k) int64 among the records that were searched."""


def nearest(queries: Tensor, records: Tensor, k: int = 1, *, among_themselves: bool = False) -> Neighbours:
    """The k nearest of (M, D) records to each of (N, D) queries, Euclidean.

    Candidates come from products in single precision and are then measured by direct difference in double. A row whose
    candidates may lack a neighbour, by the bound on rounding, is searched again with products in double precision.

    Args:
        among_themselves: the queries are the records, and none is its own neighbour.
    """
    assert 1 <= k <= len(records) - among_themselves, "there are fewer records than neighbours"
    itself = torch.arange(len(queries)) if among_themselves else None
    found, sure = _search(queries, records, k, itself, torch.float32)
    unsure = (~sure).nonzero()[:, 0]
    if len(unsure):
        again, _ = _search(queries[unsure], records, k, None if itself is None else itself[unsure], torch.float64)
        found.distances[unsure], found.places[unsure] = again.distances, again.places
    return found


def nearest_others(records: Tensor, k: int = 1) -> Neighbours:
    """The k nearest other records of each of (N, D)."""
    return nearest(records, records, k, among_themselves=True)


def same_within(records: Tensor) -> Tensor:
    """(N,) float64: another record within this distance of each of (N, D) is the same one.

    No record counts as shorter than records are on average: what lies near the origin has come there by subtraction.
    """
    lengths = squares(records.double())
    return SAME * lengths.clamp_min(lengths.mean()).sqrt()


def _search(
    queries: Tensor, records: Tensor, k: int, itself: Tensor | None, dtype: torch.dtype
) -> tuple[Neighbours, Tensor]:
    """The nearest candidates, and (N,) whether they are certain to be the nearest records."""
    x, y = centred(queries, records, dtype)
    candidates = min(k + SPARE, len(records) - (itself is not None))
    is_all = candidates == len(records) - (itself is not None)
    distances = torch.empty(len(queries), k, dtype=torch.float64)
    places = torch.empty(len(queries), k, dtype=torch.int64)
    sure = torch.ones(len(queries), dtype=torch.bool)
    for rows in row_blocks(len(queries), max(x.element_size() * len(records), 16 * candidates * x.shape[1])):
        block = squared_distances(x[rows], y)
        if itself is not None:
            block.scatter_(1, itself[rows, None], torch.inf)
        rough, near = block.topk(candidates, dim=1, largest=False)
        near = near.sort(dim=1).values  # so that of records at one distance the first in place comes first
        gaps, order = squared_gaps(queries[rows, None], records[near]).sort(dim=1, stable=True)
        distances[rows] = gaps[:, :k].sqrt()
        places[rows] = near.gather(1, order[:, :k])
        if not is_all:
            sure[rows] = gaps[:, k - 1] < rough.amax(dim=1) - rounding(x[rows], y)
    return Neighbours(distances, places), sure


def inside_balls(centres: Tensor, radii: Tensor, points: Tensor, *, closed: bool) -> Iterator[tuple[slice, Tensor]]:
    """Whether each of (M, D) points lies in the ball around each of (N, D) centres: bool (rows, M) for slices of centres.

    Args:
        radii: (N,) float64.
        closed: whether the sphere belongs to its ball. Points on it are common where samples copy records: a centre's
            neighbour is one. So the sphere is as thick as rounding in double precision.
    """
    x, y = centred(centres, points, torch.float64)
    for rows in row_blocks(len(centres), x.element_size() * len(points)):
        slack = rounding(x[rows], y)
        reach = radii[rows].square() + (slack if closed else -slack)
        yield rows, squared_distances(x[rows], y) <= reach[:, None]
