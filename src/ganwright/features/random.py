"""A fixed random network: no training, no download, the same everywhere, and quick enough to be asked during training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, avg_pool2d, conv2d

from ganwright.core.errors import UsageError
from ganwright.data.dataset import Dataset
from ganwright.data.progress import Progress, no_progress
from ganwright.data.spec import MAPS
from ganwright.features.base import Extractor, Features
from ganwright.features.parts.filters import colour_and_edge_filters, orthogonal, reference_pictures
from ganwright.runtime.keys import Key

VERSION = 1
KEY = Key(seed=0, turn="random features")
WIDTHS = (16, 32, 64, 128)
"""Filters of each level; each looks at half the sides of the one before."""
PARTS = 2
"""A picture's means are taken in so many parts along each side, so that it matters where something is."""
LEVEL_DIMENSIONS = 64
LONGEST_SIDE = 128
"""Larger pictures are averaged down to it; their finest detail is looked at by itself, at some places."""
REFERENCE_PIXELS = 1 << 19
REFERENCES = (16, 256)
"""Fewest and most reference pictures."""
LEAST_DEVIATION = 1e-3
FREQUENCIES = (1.0, 2.0, 4.0)
"""Standard deviations of the frequencies at which rows are looked at: steps of a sixth of a column's range are seen."""
LOOKED_AT = (1, 2, 8)
"""Columns that one cosine looks at: marginals, pairs, more."""
COSINES = 192


@dataclass(frozen=True)
class Random(Features):
    """For every picture and every row of numbers. A relative measure: it tells better from worse, and its figures mean
    something beside others of it, not by themselves.

    For pictures, four levels of random orthogonal 3x3 filters and ReLUs, of each level the means in four parts of the
    picture and the deviations. Such filters select frequencies without having learned any (Saxe et al. 2011, "On random
    weights and unsupervised feature learning"); features of untrained networks serve where learned ones do not fit the data
    (Naeem et al. 2020, arXiv:2002.09797).
    """

    def extractor(self, data: Dataset, device: str = "cpu", progress: Progress = no_progress) -> Extractor:
        """The network for that shape; it learns nothing from `data`."""
        spec, measured = data.codec.measured_spec, data.codec.measured
        if spec.kind in MAPS and len(spec.shape) == 3:
            return _RandomPictures((spec.shape[0], spec.shape[1], spec.shape[2]), device, measured)
        if spec.kind in ("numbers", "table") and len(spec.shape) == 1:
            return _RandomRows(spec.shape[0], device)
        raise UsageError("E-FEATURES-01", f"random features are for pictures, sounds and rows, not for {spec.kind!r}")


def of_pictures(shape: tuple[int, int, int], device: str = "cpu") -> Extractor:
    """The network for pictures of shape (C, H, W), where no data are at hand."""
    return _RandomPictures(shape, device)


@dataclass(frozen=True)
class _Level:
    """One layer of filters, and how a picture is told of by what they answer."""

    weight: Tensor
    """(filters, channels, 3, 3)"""
    bias: Tensor
    projection: Tensor
    """(statistics, dimensions)"""
    offset: Tensor
    """(dimensions,)"""

    def answers(self, x: Tensor, stride: tuple[int, int] = (1, 1)) -> Tensor:
        """(B, C, H, W) to (B, filters, H / stride, W / stride)."""
        return conv2d(x, self.weight, self.bias, stride, padding=1).relu_()

    def told(self, answers: Tensor) -> Tensor:
        """(B, filters, H, W) to (B, dimensions)."""
        return _statistics(answers) @ self.projection - self.offset


def _statistics(answers: Tensor) -> Tensor:
    """Means in each part of the picture, and deviations over all of it: (B, filters, H, W) to (B, statistics)."""
    height, width = answers.shape[2:]
    means = adaptive_avg_pool2d(answers, (min(PARTS, height), min(PARTS, width)))
    variances = answers.square().mean((2, 3)) - answers.mean((2, 3)).square()
    return torch.cat([means.flatten(1), variances.clamp(min=1e-6).sqrt()], 1)


def _level(weight: np.ndarray, x: Tensor, generator: np.random.Generator) -> tuple[_Level, Tensor]:
    """A level, and what it answers to the reference pictures `x`.

    They decide the scales: of each filter's answers, whose bias makes half of them positive, and of each statistic.
    """
    filters = torch.from_numpy(weight.astype(np.float32))
    raw = conv2d(x, filters, padding=1)
    deviation = raw.std((0, 2, 3)) + LEAST_DEVIATION
    filters, bias = filters / deviation[:, None, None, None], -raw.mean((0, 2, 3)) / deviation
    answers = raw.sub_(raw.mean((0, 2, 3), keepdim=True)).div_(deviation[:, None, None]).relu_()
    statistics = _statistics(answers)
    count = statistics.shape[1]
    turned = orthogonal(generator, count, min(count, LEVEL_DIMENSIONS)).astype(np.float32)
    projection = torch.from_numpy(turned) / (statistics.std(0) + LEAST_DEVIATION)[:, None]
    return _Level(filters, bias, projection, statistics.mean(0) @ projection), answers


def _halved(x: Tensor) -> Tensor:
    return avg_pool2d(x, 2, ceil_mode=True)


@torch.inference_mode()
def _levels(shape: tuple[int, int, int]) -> list[_Level]:
    """The levels for pictures of a shape; as many as their shorter side can be halved, at most four."""
    generator = KEY.generator("pictures")
    fewest, most = REFERENCES
    count = min(max(REFERENCE_PIXELS // (shape[1] * shape[2]), fewest), most)
    x = reference_pictures(generator, count, shape)
    levels: list[_Level] = []
    for width in WIDTHS:
        if levels and min(x.shape[2:]) < 2:
            break
        channels = x.shape[1]
        if levels:
            weight = orthogonal(generator, width, 9 * channels).reshape(width, channels, 3, 3)
        else:
            weight = colour_and_edge_filters(generator, channels, width)
        level, answers = _level(weight, x, generator)
        levels.append(level)
        x = _halved(answers)
    return levels


class _RandomPictures(Extractor):
    def __init__(self, shape: tuple[int, int, int], device: str, measured: Callable[[Tensor], Tensor] = lambda x: x) -> None:
        self._measured = measured
        channels, height, width = shape
        self.device = device
        self.shrink = -(-height // LONGEST_SIDE), -(-width // LONGEST_SIDE)
        seen = (channels, -(-height // self.shrink[0]), -(-width // self.shrink[1]))
        self.levels = [
            _Level(*(tensor.to(device) for tensor in (level.weight, level.bias, level.projection, level.offset)))
            for level in _levels(seen)
        ]
        # Of a large picture, the first level looks at the finest detail too. Its scales fit there as well: a spectrum that
        # falls as a power looks the same at every size.
        looks = [self.levels[0], *self.levels] if self.is_shrunk else self.levels
        self.dimensions = sum(len(level.offset) for level in looks)
        self.identity = f"random-v{VERSION}-{channels}x{height}x{width}"
        self.about = f"a fixed random network of {len(looks)} levels for {width}x{height} px; a relative measure"

    @property
    def is_shrunk(self) -> bool:
        """Whether pictures are too large to be looked at in all their detail."""
        return max(self.shrink) > 1

    def describe(self, x: Tensor) -> Tensor:
        x = self._measured(x.to(self.device, torch.float32))
        told: list[Tensor] = []
        if self.is_shrunk:
            told.append(self.levels[0].told(self.levels[0].answers(x, self.shrink)))
            x = avg_pool2d(x, self.shrink, ceil_mode=True)
        x = x.contiguous(memory_format=torch.channels_last)
        for number, level in enumerate(self.levels):
            x = level.answers(_halved(x) if number else x)
            told.append(level.told(x))
        return torch.cat(told, 1)


class _RandomRows(Extractor):
    """Random orthogonal directions of a row, and cosines of random sums of some of its columns.

    Means of such cosines tell any two distributions apart, given enough of them (Rahimi and Recht 2007, "Random features for
    large-scale kernel machines"). Some look at one column or two, as sums over many columns are normal whatever each is.
    """

    def __init__(self, columns: int, device: str) -> None:
        generator = KEY.generator("rows")
        straight = orthogonal(generator, columns, min(columns, LEVEL_DIMENSIONS))
        weight = np.zeros((columns, COSINES))
        for i in range(COSINES):
            count = min(LOOKED_AT[i % len(LOOKED_AT)], columns)
            # Columns in turn before chance: with few cosines for many columns, none should be left out.
            chosen = np.unique([i // len(LOOKED_AT) % columns, *generator.permutation(columns)[: count - 1]])
            deviation = np.pi * FREQUENCIES[i // len(LOOKED_AT) % len(FREQUENCIES)] / np.sqrt(len(chosen))
            weight[chosen, i] = generator.standard_normal(len(chosen)) * deviation
        self.device = device
        self.straight = torch.from_numpy(straight.astype(np.float32)).to(device)
        self.weight = torch.from_numpy(weight.astype(np.float32)).to(device)
        self.phase = torch.from_numpy(generator.uniform(0, 2 * np.pi, COSINES).astype(np.float32)).to(device)
        self.dimensions = self.straight.shape[1] + COSINES
        self.identity = f"random-v{VERSION}-{columns}"
        self.about = f"fixed random directions and cosines of {columns:,} columns; a relative measure"

    def describe(self, x: Tensor) -> Tensor:
        x = x.to(self.device, torch.float32)
        return torch.cat([x @ self.straight, torch.cos(x @ self.weight + self.phase)], 1)
