"""A series as networks see it: what holds for all of it beside what each step has."""

from __future__ import annotations

import torch
from torch import Tensor

from ganwright.data.blocks import BlockLayout
from ganwright.data.spec import DataSpec

END = "end"
"""The block of a step that says whether the series is over, the last one: it goes on, or it has ended."""


class SeriesLayout:
    """Which channels of a record (C, T) are which: S that hold for all of it, the same at every step, then W of each step.

    What lies behind a series' end is zero but for the flag that says so.
    """

    def __init__(self, spec: DataSpec) -> None:
        self.statics = BlockLayout(spec.blocks[: spec.statics])
        self.steps = BlockLayout(spec.blocks[spec.statics :])
        self.length = spec.shape[1]
        self.ends = bool(spec.blocks) and spec.blocks[-1].name == END
        """Whether series differ in length."""

    def joined(self, statics: Tensor, steps: Tensor) -> Tensor:
        """(B, S + W, T) of statics (B, S) and steps (B, T, W)."""
        return torch.cat([statics[:, :, None].expand(-1, -1, steps.shape[1]), steps.transpose(1, 2)], 1)

    def split(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Statics (B, S) and steps (B, T, W) of (B, S + W, T)."""
        statics, steps = x.split([self.statics.width, self.steps.width], 1)
        return statics.mean(2), steps.transpose(1, 2)

    def alive(self, steps: Tensor) -> Tensor:
        """float32 (B, T): 1 before the end of each series, 0 behind it, or chances between; the first step always is."""
        if not self.ends:
            return torch.ones_like(steps[:, :, 0])
        goes_on = steps[:, 1:, -2].cumprod(1)
        return torch.cat([torch.ones_like(steps[:, :1, 0]), goes_on], 1)

    def ended(self, steps: Tensor) -> Tensor:
        """Steps (B, T, W) with nothing but the flag behind the end."""
        if not self.ends:
            return steps
        alive = self.alive(steps)[:, :, None]
        return torch.cat([steps[:, :, :-2] * alive, alive, 1 - alive], 2)

    def expand(self, statics: Tensor, steps: Tensor) -> Tensor:
        """(B, S + W, T) of packed statics (B, c) and steps (B, T, p), each as `BlockLayout.expand` takes them."""
        wide = self.steps.expand(steps.flatten(0, 1)).unflatten(0, steps.shape[:2])
        return self.joined(self.statics.expand(statics), self.ended(wide))

    def pack(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The packed statics and steps of (B, S + W, T): likeliest modes, and values."""
        statics, steps = self.split(x)
        packed = self.steps.pack(steps.flatten(0, 1)).unflatten(0, steps.shape[:2])
        return self.statics.pack(statics), packed
