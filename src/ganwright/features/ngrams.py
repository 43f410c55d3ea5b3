"""Which symbols of a text follow each other, counted: nothing is learned, and the order of the parts is forgotten."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ganwright.core.errors import UsageError
from ganwright.data.dataset import Dataset
from ganwright.data.progress import Progress, no_progress
from ganwright.features.base import Extractor, Features

VERSION = 1
DIMENSIONS = 768
ORDERS = (1, 2, 3)
MIX = 0x5851F42D4C957F2D
SHIFT = 29
"""Of a product's bits, those from here on are as good as random."""


@dataclass(frozen=True)
class Ngrams(Features):
    """For texts: how often each symbol, pair and triple comes, every one of them in one of 256 places by its digest (the
    hashing trick of Weinberger et al. 2009, arXiv:0902.2206), as a vector of length 1.

    Two texts are as far apart as they share few of them: 0 where they are the same, 1.4 where they share nothing.
    """

    def extractor(self, data: Dataset, device: str = "cpu", progress: Progress = no_progress) -> Extractor:
        """The counting for texts of these symbols; nothing is learned from `data`."""
        spec = data.codec.spec
        if spec.kind != "text":
            hints = ("--features self", "--features random")
            raise UsageError("E-FEATURES-01", f"n-gram features are for texts, not for {spec.kind!r}", hints=hints)
        return _CountedNgrams(spec.shape[0], spec.shape[1], device)


class _CountedNgrams(Extractor):
    def __init__(self, symbols: int, length: int, device: str) -> None:
        self.device = device
        self.dimensions = DIMENSIONS
        self.identity = f"ngrams-v{VERSION}-{symbols}x{length}"
        self.about = "counts of symbols, pairs and triples, as vectors of length 1"

    def describe(self, x: Tensor) -> Tensor:
        numbers = x.to(self.device).argmax(1)  # (B, L)
        there = torch.cat([torch.ones_like(numbers[:, :1]), (numbers[:, :-1] != 0).long().cumprod(1)], 1)
        places = DIMENSIONS // len(ORDERS)
        parts: list[Tensor] = []
        for n in ORDERS:
            length = max(0, numbers.shape[1] - n + 1)
            digest = torch.full_like(numbers[:, :length], n)
            for place in range(n):
                # Overflow wraps around, on every device the same.
                digest = (digest ^ (numbers[:, place : place + length] + 1)) * MIX
                digest = digest ^ (digest >> SHIFT)
            whole = there[:, n - 1 : n - 1 + length].float()
            sign = 1.0 - 2.0 * (digest & 1).float()
            counts = x.new_zeros(len(x), places, device=self.device, dtype=torch.float32)
            counts.scatter_add_(1, ((digest >> 1) % places), whole * sign)
            parts.append(counts / counts.norm(dim=1, keepdim=True).clamp(min=1e-6))
        return torch.cat(parts, 1) / len(ORDERS) ** 0.5
