"""Whether a mirrored picture still looks like one of its set: measured, not assumed.

Mirroring doubles a set of faces and spoils one of letters. So half of the pictures, mirrored, are held against the other
half as they are: a two-sample test with a kernel distance (Gretton et al. 2012, jmlr.org/papers/v13/gretton12a), whose
chance is found by permutation.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, pdist

from ganwright.core.config import from_plain, to_plain
from ganwright.core.errors import GanwrightError
from ganwright.data.dataset import Dataset
from ganwright.features.base import BATCH
from ganwright.features.random import of_pictures
from ganwright.metrics.parts.mmd import gaussian_mmds
from ganwright.runtime.files import cache_root, write_atomically
from ganwright.runtime.keys import Key

VERSION = 1
"""Goes up with every change of what is measured."""
MOST = 2_000
"""Pictures that are looked at."""
LONGEST_SIDE = 48
"""Pixels; larger pictures are averaged down by a whole factor, as left and right are not a matter of detail."""
FEWEST = 32
PERMUTATIONS = 200
LEVEL = 0.01
"""Probability of a difference that is none, above which nothing is concluded."""
SHARE = 0.002
"""Of the spread among the pictures: a difference below it is too small to matter, however sure it is."""


@dataclass(frozen=True)
class Mirroring:
    """What came of it."""

    fits: bool
    """Whether mirrored pictures may stand for pictures of the set."""
    share: float
    """How far mirrored pictures are from the others, beyond chance, as a share of the spread among all of them."""
    p_value: float
    """How often chance alone would have put them so far apart, or further."""
    pictures: int
    """That were looked at."""
    reason: str
    """For people."""


def kept_mirroring(dataset: Dataset) -> Mirroring:
    """As `mirroring_fits`, from the user's cache where the same records were asked about before."""
    path = cache_root() / "mirroring" / f"v{VERSION}-{dataset.fingerprint[:32]}.json"
    try:
        return from_plain(Mirroring, json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, GanwrightError):
        found = mirroring_fits(dataset)
    with contextlib.suppress(OSError):  # where the disk refuses, it is measured again next time
        write_atomically(path, json.dumps(to_plain(found)).encode())
    return found


def mirroring_fits(dataset: Dataset, seed: int = 0) -> Mirroring:
    """Whether the mirrored pictures of `dataset` look like its pictures; seconds at most, and the same for the same seed.

    Records that are no pictures, or too few to tell, are not to be mirrored.
    """
    spec, head = dataset.codec.spec, dataset.head
    if spec.kind != "image":
        return Mirroring(False, 0.0, 1.0, 0, f"{dataset.codec.noun} have no mirror image")
    key = Key(seed, turn="mirroring")
    places = key.generator("pictures").permutation(len(head))[:MOST]
    if len(places) < FEWEST:
        return Mirroring(False, 0.0, 1.0, len(places), f"{len(places)} pictures are too few to tell")
    mirrored, others = np.array_split(places, 2)
    channels, height, width = spec.shape
    factor = -(-max(height, width) // LONGEST_SIDE)
    extractor = of_pictures((channels, -(-height // factor), -(-width // factor)))

    def described(some: np.ndarray, mirror: bool) -> Tensor:
        batches = (head.codec.expand(head.batch(np.sort(part))) for part in _batches(some))
        turned = (batch.flip(-1) if mirror else batch for batch in batches)
        return extractor.extract(avg_pool2d(batch, factor, ceil_mode=True) for batch in turned)

    both = torch.cat([described(mirrored, True), described(others, False)]).double()
    both = (both - both.mean(0)) / (both.std(0) + 1e-3)
    share, p_value = _apart(both, len(mirrored), key.generator("permutations"))
    fits = p_value > LEVEL or share < SHARE
    told = f"{max(share, 0):.2%} of their spread, p = {p_value:.2g}, {len(places):,} pictures"
    verdict = "mirrored pictures look like the others" if fits else "mirrored pictures look different"
    return Mirroring(fits, share, p_value, len(places), f"{verdict} ({told})")


def _batches(places: np.ndarray) -> list[np.ndarray]:
    return np.split(places, range(BATCH, len(places), BATCH))


def _apart(both: Tensor, count: int, generator: np.random.Generator) -> tuple[float, float]:
    """Of the first `count` rows and the rest: their distance beyond chance as a share of the spread, and the p-value."""
    places = torch.arange(len(both))
    splits = [places, *(torch.from_numpy(generator.permutation(len(both))) for _ in range(PERMUTATIONS))]
    some = both[:: max(1, len(both) // 500)]
    sigma = float(pdist(some).median().clamp(min=1e-9))
    found = gaussian_mmds(both, both, [(split[:count], split[count:]) for split in splits], sigma)
    observed, chance = found[0], np.array(found[1:])
    # One less the mean kernel: the squared distance, in the kernel's own space, of a picture from their middle.
    squares = some.square().sum(1)
    spread = 1 - float((-(squares[:, None] + squares - 2 * some @ some.T) / (2 * sigma**2)).exp().mean())
    p_value = (1 + int((chance >= observed).sum())) / (1 + len(chance))
    return float(observed - chance.mean()) / max(spread, 1e-12), p_value
