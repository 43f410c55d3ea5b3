"""What series look like to random filters along time: nothing is learned, and quick enough to be asked during training."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import conv1d, pad

from ganwright.core.errors import UsageError
from ganwright.data.dataset import Dataset
from ganwright.data.progress import Progress, no_progress
from ganwright.data.series.layout import SeriesLayout
from ganwright.data.spec import DataSpec
from ganwright.features.base import Extractor, Features
from ganwright.runtime.keys import Key

VERSION = 1
FILTERS = 64
WIDTHS = (1, 3, 9)
"""Steps that a filter looks at."""
PARTS = 2
"""Of a series, whose means are taken apart, so that it matters when something is."""


@dataclass(frozen=True)
class Courses(Features):
    """For series: what holds for all of one, and of the answers of 192 random filters along time, over 1, 3 and 9 steps, the
    deviation and the means of both halves.

    A relative measure, as random features of pictures are: figures mean something beside others of the same data.
    """

    def extractor(self, data: Dataset, device: str = "cpu", progress: Progress = no_progress) -> Extractor:
        """The filters for series of these columns; nothing is learned from `data`."""
        spec = data.codec.spec
        if spec.kind != "series":
            hints = ("--features self", "--features random")
            raise UsageError("E-FEATURES-01", f"features of courses are for series, not for {spec.kind!r}", hints=hints)
        return _RandomCourses(spec, device)


class _RandomCourses(Extractor):
    def __init__(self, spec: DataSpec, device: str) -> None:
        self.device = device
        self.layout = SeriesLayout(spec)
        generator = Key(0, turn="courses").generator("filters")
        channels = self.layout.steps.width
        self.filters = [
            torch.from_numpy(
                (generator.standard_normal((FILTERS, channels, width)) / (channels * width) ** 0.5).astype("float32")
            ).to(device)
            for width in WIDTHS
        ]
        self.dimensions = self.layout.statics.width + len(WIDTHS) * FILTERS * (1 + PARTS)
        self.identity = f"courses-v{VERSION}-{spec.shape[0]}x{spec.shape[1]}-{self.layout.statics.width}"
        self.about = f"what holds for a whole series, and {len(WIDTHS) * FILTERS} random filters along time"

    def describe(self, x: Tensor) -> Tensor:
        statics, steps = self.layout.split(x.to(self.device, torch.float32))
        found = [statics]
        for filters in self.filters:
            width = filters.shape[2]
            answers = conv1d(pad(steps.transpose(1, 2), (width // 2, width // 2)), filters).relu()
            found.append(answers.std(2, correction=0))
            found += (
                [part.mean(2) for part in answers.chunk(PARTS, 2)]
                if answers.shape[2] >= PARTS
                else [answers.mean(2)] * PARTS
            )
        return torch.cat(found, 1)
