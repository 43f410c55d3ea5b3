"""The row of a table itself, as networks see it: nothing is learned, and every column counts about the same."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import torch
from torch import Tensor

from ganwright.core.errors import UsageError
from ganwright.data.dataset import Dataset
from ganwright.data.progress import Progress, no_progress
from ganwright.data.spec import Block
from ganwright.features.base import Extractor, Features

VERSION = 1
OF_VALUE = 1.0
"""Two values at random places of -1..1 are 0.67 apart in the mean of squares."""
OF_MODE = 0.5**0.5
"""So are two rows of other words 1 apart."""


@dataclass(frozen=True)
class Encoded(Features):
    """For tables: a column's place in the order of its numbers, and which of its words or frequent numbers it is.

    Values lie in -1..1; of modes one is the root of a half, so that two rows with other words are 1 apart, whatever the
    words. A Fréchet distance in these features compares the means, variances and covariances of all of them: frequencies of
    words, and which go together.
    """

    def extractor(self, data: Dataset, device: str = "cpu", progress: Progress = no_progress) -> Extractor:
        """The scales for rows of these columns; nothing is learned from `data`."""
        spec = data.codec.spec
        if not spec.blocks:
            raise UsageError(
                "E-FEATURES-01",
                f"encoded features are for tables, not for {spec.kind!r}",
                hints=("--features self", "--features random"),
            )
        return _EncodedRows(spec.blocks, device)


class _EncodedRows(Extractor):
    def __init__(self, blocks: tuple[Block, ...], device: str) -> None:
        scales: list[float] = []
        for block in blocks:
            scales += [OF_VALUE] * block.valued + [OF_MODE] * (block.width - block.valued)
        self.device = device
        self.scale = torch.tensor(scales, dtype=torch.float32, device=device)
        self.dimensions = len(scales)
        told = hashlib.sha256(repr(blocks).encode()).hexdigest()[:12]
        self.identity = f"encoded-v{VERSION}-{told}"
        self.about = (
            f"rows of {len(blocks):,} columns as {len(scales):,} numbers: places in the order of a column, and words"
        )

    def describe(self, x: Tensor) -> Tensor:
        return x.to(self.device, torch.float32) * self.scale
